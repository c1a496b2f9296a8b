"""Which files are reviewed, and that many of them go well."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plugwire_host import Host

from .support import LIMIT, PLUGINS, command, findings, list_plugins, run_review, write


def test_folders_are_walked_and_what_is_hidden_or_generated_is_skipped(tmp_path: Path) -> None:
    for folder in (".venv", "__pycache__", "node_modules", "a/b"):
        (tmp_path / folder).mkdir(parents=True)
        write(tmp_path / folder, x_py="x = y\n", x_txt="x \n")
    (tmp_path / ".hidden.py").write_text("x = y\n")
    (tmp_path / "link.py").symlink_to("a/b/x.py")
    assert findings(tmp_path, "python") == ["a/b/x.py:1:5: error: undefined name 'y' [python]"]


def test_a_file_may_be_named_twice_and_may_have_any_name(tmp_path: Path) -> None:
    write(tmp_path, a_txt="x \n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "style"), "a.txt", "./a.txt")
    assert done.stdout.splitlines() == [
        "a.txt:1:2: warning: blanks at the line's end [style]",
        "1 finding in 1 file: 1 warning; 1 can be fixed with --fix",
    ]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_on_a_terminal_one_line_tells_how_far_the_review_is_and_goes_away(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", b_py="x = 1\n")
    terminal, errors = os.openpty()
    done = subprocess.run(
        command("--plugins", list_plugins(tmp_path, "python"), "."),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        timeout=LIMIT,
    )
    os.close(errors)
    told = os.read(terminal, 4096).decode()
    os.close(terminal)
    assert done.stdout == b"no findings in 2 files\n"
    assert told == "\rreview: 1 of 2 checks\rreview: 2 of 2 checks\r                     \r"


def test_an_empty_folder_has_no_findings(tmp_path: Path) -> None:
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "style"), ".")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no findings in 0 files\n", "")


def test_many_documents_are_reviewed_whatever_the_number_of_calls_at_a_time(tmp_path: Path) -> None:
    for number in range(120):
        follower = (number + 1) % 120
        write(tmp_path, **{f"d{number:03}_md": f"# D{number}\n\n[next](d{follower:03}.md#d{number})\n"})
    plugins = list_plugins(tmp_path, "markdown", "links", "style")
    outputs = {run_review(tmp_path, "--plugins", plugins, "--jobs", jobs, ".").stdout for jobs in (1, 64)}
    (output,) = outputs
    lines = output.splitlines()
    assert lines[7] == "d007.md:3:1: error: d008.md has no heading #d7 [links]"
    assert lines[120:] == ["120 findings in 120 files: 120 errors"]


def test_headings_have_the_slugs_that_github_gives_them() -> None:
    text = (
        "---\ntitle: no heading\n---\n\n# Élan, `code` & *more*!\n\nTwo\nlines\n=====\n\n## a\n## a\n## a-1\n## a\n"
        "## [A link](x.md) 🙂 end_of\n##\n\n```\n# no\n```\n\n> ### in a quote\n\n<h2 id='html'>\n"
        "</h2> <!-- <a id='no'> -->\n"
    )
    assert ask_markdown("headings", text) == {
        "headings": [
            {"level": 1, "text": "Élan, code & more!", "slug": "élan-code--more", "line": 5},
            {"level": 1, "text": "Two lines", "slug": "two-lines", "line": 7},
            {"level": 2, "text": "a", "slug": "a", "line": 11},
            {"level": 2, "text": "a", "slug": "a-1", "line": 12},
            {"level": 2, "text": "a-1", "slug": "a-1-1", "line": 13},
            {"level": 2, "text": "a", "slug": "a-2", "line": 14},
            {"level": 2, "text": "A link 🙂 end_of", "slug": "a-link--end_of", "line": 15},
            {"level": 2, "text": "", "slug": "", "line": 16},
            {"level": 3, "text": "in a quote", "slug": "in-a-quote", "line": 22},
        ],
        "anchors": [{"name": "html", "line": 24}],
    }


def ask_markdown(method: str, text: str) -> Any:
    """What the plugin answers to an editor that has this text open."""

    async def ask() -> Any:
        async with asyncio.timeout(LIMIT), Host() as host:

            @host.method("editor/openFile")
            async def open_file(path: str) -> dict[str, Any]:
                return {"path": path, "text": text, "version": 1}

            await host.launch("markdown", [sys.executable, str(PLUGINS / "markdown_plugin.py")])
            return await host.call(f"markdown/{method}", {"path": "/a.md"})

    return asyncio.run(ask())


def test_a_document_is_opened_once_until_the_editor_tells_that_it_has_changed() -> None:
    texts = ["# One", "# Two"]
    opened: list[str] = []

    async def ask() -> list[str]:
        answers: list[str] = []
        async with asyncio.timeout(LIMIT), Host() as host:
            host.topic("document.changed")
            host.topic("document.noted")

            @host.method("editor/openFile")
            async def open_file(path: str) -> dict[str, Any]:
                opened.append(path)
                return {"path": path, "text": texts[len(opened) - 1], "version": len(opened)}

            await host.launch("markdown", [sys.executable, str(PLUGINS / "markdown_plugin.py")])
            async with host.subscribe("document.noted") as noted:
                for changed in (None, "/b.md", "/a.md"):
                    if changed is not None:
                        await host.publish("document.changed", {"path": changed, "version": 2})
                        assert (await anext(noted)).data == {"path": changed, "version": 2}
                    result = await host.call("markdown/headings", {"path": "/a.md"})
                    answers.append(result["headings"][0]["text"])
        return answers

    assert asyncio.run(ask()) == ["One", "One", "Two"]
    assert opened == ["/a.md", "/a.md"]


def test_check_all_tells_after_each_document_how_far_it_has_come() -> None:
    told: list[dict[str, Any]] = []

    async def ask() -> Any:
        async with asyncio.timeout(LIMIT), Host() as host:

            @host.method("editor/openFile")
            async def open_file(path: str) -> dict[str, Any]:
                return {"path": path, "text": "[x](#no)" if path == "/a.md" else "# B", "version": 1}

            await host.launch("markdown", [sys.executable, str(PLUGINS / "markdown_plugin.py")])
            await host.launch("links", [sys.executable, str(PLUGINS / "links_plugin.py")])
            return await host.call("links/checkAll", {"paths": ["/a.md", "/b.md"]}, progress=told.append)

    result = asyncio.run(ask())
    assert [(file["path"], len(file["diagnostics"])) for file in result["files"]] == [("/a.md", 1), ("/b.md", 0)]
    assert told == [{"done": 1, "total": 2, "message": "/a.md"}, {"done": 2, "total": 2, "message": "/b.md"}]
