"""What each plugin of the review finds in documents that were made for it."""

from pathlib import Path

import pytest

from .support import findings, notes, run_review, write


def test_markdown_finds_what_is_not_shown_as_it_was_meant(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_md="# One\n\n### Three\n\n##Two\n\n| a | b |\n|---|\n| 1 |\n\n| a | `b \\| c` |\n|---|---|\n| 1 | 2 | 3 |\n"
        '| 1 |\n\n## Same\n\n## Same\n\n<a id="x"></a>\n<a name="x"></a>\n\n> ```\n> closed\n> ```\n\n~~~py\nnever\n',
    )
    assert findings(tmp_path, "markdown") == [
        "a.md:3:1: warning: the heading's level jumps from 1 to 3 [markdown]",
        "a.md:5:1: warning: a blank is missing after ##, so this is no heading [markdown]",
        "a.md:7:1: warning: this is shown as text and not as a table: its head has 2 cells, its delimiter 1 [markdown]",
        "a.md:13:1: warning: the table's head has 2 cells, this row 3 and what is too much is not shown [markdown]",
        "a.md:14:1: warning: the table's head has 2 cells, this row 1 [markdown]",
        "a.md:18:1: warning: line 16 has the same heading: Same [markdown]",
        "a.md:21:1: warning: line 20 has the same anchor: x [markdown]",
        "a.md:27:1: error: the code block that begins here is never closed with ~~~ [markdown]",
    ]


def test_markdown_finds_nothing_in_a_document_that_is_well(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_md="---\ntitle: x\n---\n# Changes\n\n## 2\n\n### Added\n\n## 1\n\n### Added\n\n#12 and #tag\n\n- | a | b |\n"
        "  |:--|--:|\n  | `x` | \\| |\n\nA | B\n--|--\n1 | 2\n\n```\n##No\n```\n",
    )
    assert findings(tmp_path, "markdown") == []


def test_a_link_to_a_heading_that_another_document_does_not_have_is_found_by_asking_markdown(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_md="See [there](b.md#secnd-part),\n[here](b.md#second-part) and [there](b.md#mark).\n",
        b_md="# First\n\n## Second part\n\n<a id='mark'></a>\n",
    )
    assert findings(tmp_path, "markdown", "links") == [
        "a.md:1:5: error: b.md has no heading #secnd-part; did you mean #second-part? [links]"
    ]


def test_links_finds_every_kind_of_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", far_md="# Far\n")
    write(
        tmp_path,
        a_md="# Élan vital!\n\n> 🙂 [gone](gone.md) ![p](p%20q.png)\n> [far](far.md)\n\n| a | b |\n|---|---|\n"
        "| [x](#no) | [x](#no) |\n\n[in](#élan-vital) [web](https://x.y/z) [root](/z) [dir](deep) [top](#top)\n"
        "[file](deep/far.md?raw=1#far) [code](a.py#L3) <me@x.y>\n\n[t][no-such] [t][d] [d][] `[t][code]`\n\n"
        "[d]: lost.md\n",
        a_py="x = 1\n",
    )
    assert findings(tmp_path, "markdown", "links") == [
        "a.md:3:5: error: gone.md does not exist [links]",
        "a.md:3:21: error: p q.png does not exist [links]",
        "a.md:4:3: error: far.md does not exist; did you mean deep/far.md? [links]",
        "a.md:8:3: error: a.md has no heading #no [links]",
        "a.md:8:14: error: a.md has no heading #no [links]",
        "a.md:13:1: error: there is no definition for [no-such] [links]",
        "a.md:15:6: error: lost.md does not exist [links]",
    ]


def test_python_finds_mistakes_of_syntax_and_what_pyflakes_knows(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_py='import json\nimport sys  # noqa\n\n\ndef f(é, x=[]):\n    return "é", y, é != None\n',
        b_py="x = 1\ny = = 2\n",
        c_py="from json import dumps as dumps\n",
    )
    assert findings(tmp_path, "python") == [
        "a.py:1:1: warning: 'json' imported but unused [python]",
        "a.py:5:12: warning: all calls share this default: make it None, and a new one inside [python]",
        "a.py:6:17: error: undefined name 'y' [python]",
        "a.py:6:20: warning: compare with None by `is not` [python]",
        "b.py:2:5: error: invalid syntax [python]",
    ]


def test_python_finds_what_the_compiler_only_warns_of(tmp_path: Path) -> None:
    write(tmp_path, a_py='x = 1\ny = "\\d"\n')
    (found,) = findings(tmp_path, "python")
    # The rest of the text differs between versions of Python.
    assert found.startswith("a.py:2:1: warning: ")
    assert "invalid escape sequence" in found


def test_style_finds_blanks_tabs_and_line_ends_but_not_in_strings(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_py='def f():\n    x = """a  \n\tb\n    """ \n    return x\n\n\ndef g():\n\treturn 1\r\n\n\n',
        b_py="x = 1",
        c_md="Two blanks  \nare a break.\n",
    )
    assert findings(tmp_path, "python", "style") == [
        "a.py:4:8: warning: blanks at the line's end [style]",
        "a.py:9:1: warning: 1 of 3 indented lines are indented with tabs [style]",
        "a.py:9:10: warning: 1 of 11 lines do not end with LF [style]",
        "a.py:10:1: warning: blank lines at the end [style]",
        "b.py:1:6: warning: the last line has no end [style]",
    ]


def test_style_offers_no_edit_where_nobody_can_say_what_is_a_string(tmp_path: Path) -> None:
    write(tmp_path, a_py='x = """a  \n"""\n')
    assert findings(tmp_path, "style") == ["a.py:1:9: warning: blanks at the line's end [style]"]
    assert findings(tmp_path, "style", "python") == []


def test_slips_of_the_plugin_in_javascript_become_findings(tmp_path: Path, node: None) -> None:
    write(tmp_path, a_md="🙂 See the the `teh` end.\nIt is teh end.\n", b_py="# teh teh\n")
    assert findings(tmp_path, "prose") == [
        'a.md:1:7: warning: the word "the" stands twice [prose]',
        'a.md:2:7: warning: "teh" is spelt "the" [prose]',
    ]


def test_things_to_do_of_the_plugin_in_perl_become_findings_unless_they_are_examples(
    tmp_path: Path, perl: None
) -> None:
    write(
        tmp_path,
        a_md="<!-- TODO: write -->\n\n    # TODO: example\n\n```\n# FIXME: example\n```\n",
        b_py='"""Says:\n\nTODO: document\n"""\nx = "# TODO: example"\n# FIXME: mend\n',
    )
    assert findings(tmp_path, "markdown", "python", "todo") == [
        "a.md:1:6: info: TODO: write [todo]",
        "b.py:3:1: info: TODO: document [todo]",
        "b.py:6:3: info: FIXME: mend [todo]",
    ]
    # Nobody says what is an example, so all are shown.
    assert len(findings(tmp_path, "todo")) == 6


def test_all_plugins_of_the_review_work_together(tmp_path: Path, node: None, perl: None) -> None:
    write(
        tmp_path,
        a_md="# A\n\n[b](b.md#b) is teh\n\n### B\n",
        b_md="# Other\n",
        c_py="import os\n# TODO: all\nx = 1 \n",
    )
    done = run_review(tmp_path, ".", "a.md")
    assert done.stdout.splitlines() == [
        "a.md:3:1: error: b.md has no heading #b [links]",
        'a.md:3:16: warning: "teh" is spelt "the" [prose]',
        "a.md:5:1: warning: the heading's level jumps from 1 to 3 [markdown]",
        "c.py:1:1: warning: 'os' imported but unused [python]",
        "c.py:2:3: info: TODO: all [todo]",
        "c.py:3:6: warning: blanks at the line's end [style]",
        "6 findings in 3 files: 1 error, 4 warnings, 1 info; 3 can be fixed with --fix",
    ]
    assert notes(done) == []
    assert done.returncode == 1


@pytest.mark.parametrize("folder", ["spec", "sdk", "host"])
def test_the_review_finds_no_mistake_in_a_folder_of_this_project(folder: str, node: None, perl: None) -> None:
    root = Path(__file__).parents[3]
    done = run_review(root, folder)
    assert done.stdout.splitlines()[:-1] == []
    assert (done.returncode, notes(done)) == (0, [])
