"""``plugin-run hooks``: the order of links and why, for people and for programs."""

import json
from pathlib import Path

import pytest

from tests.host.cli.support import plugin_run, write_list, write_plugin

TIDY = """\
wants = {"name": "document.willSave", "before": ["lint"], "timeoutMs": 2500, "onError": "fail"}
raw.begin(raw.result(hooks=[wants]))
raw.serve()
"""
LINT = """\
raw.begin(raw.result(hooks=[{"name": "document.willSave"}, {"name": "document.opened", "mode": "observe"}]))
raw.serve()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_plugin(tmp_path, LINT, "lint")
    write_plugin(tmp_path, TIDY, "tidy")
    write_list(tmp_path, '[plugins.lint]\ncommand = ["./lint"]\n[plugins.tidy]\ncommand = ["./tidy"]\n')
    return tmp_path


def test_explain_shows_the_links_in_their_order_and_why(folder: Path) -> None:
    done = plugin_run("hooks", "explain", "document.willSave", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "plugin  mode    on error  time   because",
        "tidy    change  fail      2.5 s  before lint (tidy says so)",
        "lint    change  continue  5 s    after tidy (tidy says so)",
    ]


def test_explain_as_json_is_what_the_protocol_says(folder: Path) -> None:
    done = plugin_run("hooks", "explain", "--json", "document.opened", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == [
        {
            "instance": "lint",
            "mode": "observe",
            "timeoutMs": 5000,
            "onError": "continue",
            "because": "in the order of loading",
        }
    ]


def test_explain_takes_the_plugin_from_the_command_line(tmp_path: Path) -> None:
    write_plugin(tmp_path, LINT, "lint")
    done = plugin_run("hooks", "explain", "document.opened", "--", "./lint", cwd=tmp_path)
    assert (done.code, len(done.out.splitlines())) == (0, 2)


def test_a_hook_without_links_is_no_error_and_the_others_are_named(folder: Path) -> None:
    done = plugin_run("hooks", "explain", "document.wilSave", cwd=folder)
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        "no plugin has a link for the hook 'document.wilSave'; hooks with links: document.opened, document.willSave\n"
    )
    done = plugin_run("hooks", "explain", "--json", "none", cwd=folder)
    assert (done.code, done.out, done.err) == (0, "[]\n", "")


def test_what_is_no_name_is_refused(folder: Path) -> None:
    done = plugin_run("hooks", "explain", "../x", cwd=folder)
    assert (done.code, done.out) == (5, "")
    assert "'../x' is no name that is allowed here" in done.err


def test_list_shows_every_hook_with_its_links_and_observers_in_parentheses(folder: Path) -> None:
    done = plugin_run("hooks", "list", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == ["document.opened  (lint)", "document.willSave  tidy → lint"]
    told = json.loads(plugin_run("hooks", "list", "--json", cwd=folder).out)
    assert list(told) == ["document.opened", "document.willSave"]
    assert [link["instance"] for link in told["document.willSave"]] == ["tidy", "lint"]


def test_list_without_any_hook_says_so(tmp_path: Path) -> None:
    done = plugin_run("hooks", "list", "--", write_plugin(tmp_path), cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "no plugin has a link for any hook\n")


def test_links_that_cannot_be_ordered_are_told_with_the_circle(folder: Path) -> None:
    write_plugin(folder, TIDY.replace('"before"', '"before": ["tidy"], "after"'), "lint")
    done = plugin_run("hooks", "list", "--with", "./lint", "--with", "./tidy", "-c", "none.toml", cwd=folder)
    assert done.code == 8
    (folder / "plugins.toml").unlink()
    done = plugin_run("hooks", "list", "--with", "./lint", "--with", "./tidy", cwd=folder)
    assert done.code == 3
    assert "lint before tidy (lint says so), tidy before lint (tidy says so)" in done.err
    assert "change `before` or `after` of one of them" in done.err
