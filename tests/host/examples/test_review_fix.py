"""`--fix`: what is applied, what is written, and that it comes to an end."""

import os
from pathlib import Path

from .support import list_plugins, notes, run_review, write


def test_edits_of_all_plugins_are_applied_and_a_second_run_has_nothing_to_do(tmp_path: Path, node: None) -> None:
    write(
        tmp_path,
        a_md="# A\n\n##B\n\nIt is teh the end.",
        b_py="import os\nimport json\nx = 1 \r\nif x==None or None != (x):\n    x = 2\n\n\n",
    )
    done = run_review(tmp_path, "--fix", ".")
    assert done.stdout.splitlines() == [
        "a.md:3:1: fixed: a blank is missing after ##, so this is no heading [markdown]",
        'a.md:5:7: fixed: "teh" is spelt "the" [prose]',
        "a.md:5:19: fixed: the last line has no end [style]",
        "b.py:1:1: fixed: 'os' imported but unused [python]",
        "b.py:2:1: fixed: 'json' imported but unused [python]",
        "b.py:3:6: fixed: blanks at the line's end [style]",
        "b.py:3:7: fixed: 1 of 7 lines do not end with LF [style]",
        "b.py:4:4: fixed: compare with None by `is` [python]",
        "b.py:4:15: fixed: compare with None by `is not` [python]",
        "b.py:6:1: fixed: blank lines at the end [style]",
        # Seen only after the first round.
        'a.md:5:7: fixed: the word "the" stands twice [prose]',
        "no findings in 2 files; 11 fixed",
    ]
    assert (done.returncode, notes(done)) == (0, [])
    assert (tmp_path / "a.md").read_bytes() == b"# A\n\n## B\n\nIt is the end.\n"
    assert (tmp_path / "b.py").read_bytes() == b"x = 1\nif x is None or None is not (x):\n    x = 2\n"

    again = run_review(tmp_path, "--fix", ".")
    assert again.stdout == "no findings in 2 files\n"


def test_of_edits_that_overlap_one_is_applied_and_the_plugin_is_asked_again(tmp_path: Path, node: None) -> None:
    # "a a" wants to be "a", and its second "a" wants to be "an".
    write(tmp_path, a_md="It is a a error.\n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "prose"), "--fix", ".")
    assert done.stdout.splitlines() == [
        'a.md:1:7: fixed: the word "a" stands twice [prose]',
        'a.md:1:7: fixed: "a" before "error" [prose]',
        "no findings in 1 file; 2 fixed",
    ]
    assert (tmp_path / "a.md").read_text() == "It is an error.\n"


EDITS_BY_TEXT = """
from plugwire import Plugin
plugin = Plugin("style", version="1")
@plugin.method
async def check(path: str, ctx: Context) -> dict:
    text = (await ctx.call("editor/openFile", {"path": path}))["text"]
    return {"diagnostics": [
        {"line": 1, "column": column, "severity": "info", "message": message, "edits": edits}
        for column, message, edits in ANSWERS.get(text, [])
    ]}
plugin.run()
"""


def edits_by_text(answers: object) -> str:
    """A plugin that offers these edits for these texts."""
    return f"from plugwire import Context\nANSWERS = {answers!r}\n{EDITS_BY_TEXT}"


def edit(column: int, length: int, text: str) -> dict[str, object]:
    return {"line": 1, "column": column, "length": length, "text": text}


def test_the_edits_of_one_finding_are_applied_together_or_not_at_all(tmp_path: Path) -> None:
    write(tmp_path, a_md="abcdefgh\n")
    answers = {
        "abcdefgh\n": [
            (1, "first", [edit(1, 2, "X"), edit(6, 1, "Z")]),
            (2, "overlaps at its second edit", [edit(4, 1, "no"), edit(2, 2, "no")]),
            (3, "touches the first on both sides", [edit(3, 3, "Y")]),
            (4, "reaches outside", [edit(7, 1, "no"), edit(9, 2, "no")]),
            (5, "changes nothing", [edit(8, 1, "h")]),
        ],
        "XYZgh\n": [(1, "two at one place", [edit(1, 0, "<")]), (1, "two at one place, too", [edit(1, 0, ">")])],
    }
    plugins = list_plugins(tmp_path, style=edits_by_text(answers))
    done = run_review(tmp_path, "--plugins", plugins, "--fix", ".")
    assert done.stdout.splitlines() == [
        "a.md:1:1: fixed: first [style]",
        "a.md:1:3: fixed: touches the first on both sides [style]",
        "a.md:1:1: fixed: two at one place [style]",
        "no findings in 1 file; 3 fixed",
    ]
    assert (tmp_path / "a.md").read_text() == "<XYZgh\n"


def test_a_plugin_that_is_never_content_does_not_keep_the_review_from_ending(tmp_path: Path) -> None:
    write(tmp_path, a_md="x\n")
    source = edits_by_text({}).replace("ANSWERS.get(text, [])", '[(1, "more", [EDIT])]')
    source = source.replace("ANSWERS = {}", f"EDIT = {edit(1, 0, '+')}")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, style=source), "--fix", ".")
    assert done.returncode == 1
    assert (tmp_path / "a.md").read_text() == "++++++++++x\n"


def test_a_file_keeps_its_rights_its_byte_order_mark_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    write(tmp_path / "kept", a_py="\ufeffx = 1 \n")
    (tmp_path / "kept" / "a.py").chmod(0o640)
    (tmp_path / "link.py").symlink_to("kept/a.py")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "python", "style"), "--fix", "link.py")
    assert done.stdout == "link.py:1:6: fixed: blanks at the line's end [style]\nno findings in 1 file; 1 fixed\n"
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "kept" / "a.py").read_bytes() == b"\xef\xbb\xbfx = 1\n"
    assert os.stat(tmp_path / "kept" / "a.py").st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path / "kept") == ["a.py"]


def test_a_file_that_somebody_changes_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, a_md="x\n", b_md="x\n")
    # The plugin is the somebody.
    source = edits_by_text({"x\n": [(1, "fix", [edit(1, 1, "y")])]}).replace(
        "    return", "    if path.endswith('a.md'): open(path, 'w').write('z\\n')\n    return"
    )
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, style=source), "--fix", ".")
    assert "review: not written: a.md: it was changed by somebody else meanwhile, and is left as it is" in done.stderr
    assert done.stdout.splitlines()[-1] == "no findings in 2 files; 2 fixed; 1 file left out"
    assert (tmp_path / "a.md").read_text() == "z\n"
    assert (tmp_path / "b.md").read_text() == "y\n"


def test_without_fix_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1 ")
    before = os.stat(tmp_path / "a.py")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "python", "style"), ".")
    assert done.stdout.splitlines()[-1] == "2 findings in 1 file: 2 warnings; 2 can be fixed with --fix"
    assert os.stat(tmp_path / "a.py").st_mtime_ns == before.st_mtime_ns


def test_an_edit_that_might_change_what_a_program_does_is_not_offered(tmp_path: Path) -> None:
    text = "import attrs\nimport readline\nfrom os import path, sep\nx = 1\ny = x == None\nz = (lambda a=[]: a)(x)\n"
    write(tmp_path, a_py=text, __init___py="import os\n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "python"), "--fix", ".")
    assert done.stdout.splitlines()[-1] == "7 findings in 2 files: 7 warnings"
    assert (tmp_path / "a.py").read_text() == text


def test_blanks_that_may_belong_to_a_string_are_not_taken_away(tmp_path: Path) -> None:
    write(tmp_path, a_py='x = """a  \n"""\n')
    # Without `python` nobody says where the strings are.
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "style"), "--fix", ".")
    assert done.stdout.splitlines() == [
        "a.py:1:9: warning: blanks at the line's end [style]",
        "1 finding in 1 file: 1 warning",
    ]
    assert (tmp_path / "a.py").read_text() == 'x = """a  \n"""\n'
