"""What the plugins of the review do together: events, a hook, channels, shared state, a lock and shared memory."""

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

from plugwire_host import Host, PluginLogged

from .support import LIMIT, PLUGINS, list_plugins, notes, run_review, write
from .test_review_fix import edit, edits_by_text

WORDS = " ".join(f"word{number}" for number in range(40))
FUNCTION = "def f(\n    a,\n) -> None:\n    b = a\n\n    if b:\n        print(a)\n    c = a\n    print(b, c)\n"


# Events


def test_what_a_plugin_keeps_of_a_document_is_dropped_when_the_document_changes(tmp_path: Path) -> None:
    write(tmp_path, a_md="# A\n\n[b](b.md#title)\n", b_md="# B\n\n##Title\n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "markdown", "links"), "--fix", ".")
    # Only in the second round is there a heading that the link leads to.
    assert done.stdout.splitlines() == [
        "b.md:3:1: fixed: a blank is missing after ##, so this is no heading [markdown]",
        "no findings in 2 files; 1 fixed",
    ]
    assert (done.returncode, notes(done)) == (0, [])


DOES_NOT_NOTE = """
from plugwire import Plugin
plugin = Plugin("style", version="1")
plugin.topic("document.noted")
@plugin.method
async def check(path: str) -> dict:
    return {"diagnostics": []}
plugin.run()
"""


def test_a_plugin_that_does_not_take_note_of_a_change_is_told_about_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path, a_py="import os\n")
    plugins = list_plugins(tmp_path, "python", style=DOES_NOT_NOTE)
    done = run_review(tmp_path, "--plugins", plugins, "--fix", ".")
    assert done.stdout.splitlines()[-1] == "no findings in 1 file; 1 fixed; incomplete: style failed"
    assert "style failed, so its findings are not complete: it does not say that it has taken note" in done.stderr
    assert (tmp_path / "a.py").read_text() == ""


# The hook


ALWAYS_MORE = """
from plugwire import Plugin
plugin = Plugin("python", version="1")
@plugin.method
async def check(path: str) -> dict:
    edits = [{"line": 1, "column": 1, "length": 0, "text": "x = 1\\r\\n"}]
    return {"diagnostics": [{"line": 1, "column": 1, "severity": "info", "message": "more", "edits": edits}]}
plugin.run()
"""


def test_before_a_text_is_written_style_tidies_what_the_last_edits_have_brought_in(tmp_path: Path) -> None:
    write(tmp_path, a_py="y = 2\n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "style", python=ALWAYS_MORE), "--fix", ".")
    # Nothing is said of a text that is not the one that was written.
    assert done.stdout.splitlines()[-2:] == [
        "a.py:1:1: info: more [python]",
        "1 finding in 1 file: 1 info; 19 fixed; 1 can be fixed with --fix",
    ]
    assert (tmp_path / "a.py").read_bytes() == b"x = 1\n" * 10 + b"y = 2\n"


def test_an_edit_that_breaks_a_program_is_not_written_and_the_others_are(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", b_py="y = 1\n", c_py="x = = 1\n", d_md="x = 1\n")
    breaking = [(1, "break", [edit(1, 0, "(")])]
    mending = [(1, "mend", [edit(1, 1, "z")])]
    source = edits_by_text({"x = 1\n": breaking, "x = = 1\n": breaking, "y = 1\n": mending})
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "python", style=source), "--fix", ".")
    reason = "python stopped it: the file compiles, and the new text would not: '(' was never closed in line 1"
    assert notes(done) == [f"review: not written: a.py: {reason}"]
    assert done.stdout.splitlines()[-1] == "2 findings in 4 files: 2 errors; 4 fixed; 1 file left out"
    texts = [(tmp_path / name).read_text() for name in ("a.py", "b.py", "c.py", "d.md")]
    # What was no program before is the user's business.
    assert texts == ["x = 1\n", "z = 1\n", "(x = = 1\n", "(x = 1\n"]


@pytest.mark.requirement("HOK-20")
def test_where_nobody_can_say_whether_a_program_still_compiles_it_is_not_written(tmp_path: Path) -> None:
    write(tmp_path, a_py="y = 1\n")
    source = """
import os
from plugwire import Plugin
plugin = Plugin("python", version="1")
@plugin.hook("document.willSave", on_error="fail")
async def will_save(value: dict) -> None:
    os._exit(1)
plugin.run()
"""
    mending = edits_by_text({"y = 1\n": [(1, "mend", [edit(1, 1, "z")])]})
    plugins = list_plugins(tmp_path, style=mending, python=source)
    done = run_review(tmp_path, "--plugins", plugins, "--fix", ".")
    assert "review: not written: a.py: nobody can say whether it should be: PluginCrashed (-32011)" in done.stderr
    assert (tmp_path / "a.py").read_text() == "y = 1\n"


def test_the_one_that_may_stop_sees_the_text_as_the_other_has_left_it() -> None:
    async def ask() -> list[str]:
        async with asyncio.timeout(LIMIT), Host() as host:
            for name in ("python", "style"):
                await host.launch(name, [sys.executable, str(PLUGINS / f"{name}_plugin.py")])
            return [link["instance"] for link in await host.explain_hook("document.willSave")]

    assert asyncio.run(ask()) == ["style", "python"]


# Channels and workers


def test_passages_that_stand_in_two_documents_are_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_md=f"# A\n\n{WORDS}\n\n```\n" + "code\n" * 8 + "```\n",
        b_md="# B\n\n> a quote\n\n" + WORDS.replace(" word20 ", "\nword20\n") + "\n",
        c_md=f"{WORDS.removesuffix('word39')}other\n",
        d_md=f"{WORDS.removeprefix('word0 ')}\n\n{WORDS.removeprefix('word0 ')}\n\n```\n" + "code\n" * 8 + "```\n",
        e_py=f"x = 1\n\n\n{FUNCTION}",
        f_py="class F:\n" + "".join(f"    {line}" if line.strip() else line for line in FUNCTION.splitlines(True)),
        g_py=FUNCTION.replace("print(a)", "print(b)"),
    )
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "copies-1", "copies-2"), ".")
    assert done.stdout.splitlines() == [
        "a.md:3:1: info: the same passage stands in b.md:5 [copies]",
        "a.md:5:1: info: the same passage stands in d.md:5 [copies]",
        "b.md:5:1: info: the same passage stands in a.md:3 [copies]",
        "d.md:5:1: info: the same passage stands in a.md:5 [copies]",
        "e.py:4:1: info: the same passage stands in f.py:2 [copies]",
        "f.py:2:1: info: the same passage stands in e.py:4 [copies]",
        "6 findings in 7 files: 6 infos",
    ]
    assert (done.returncode, notes(done)) == (1, [])


DIES = """
import os
from plugwire import Context, Plugin
plugin = Plugin("copies", version="1")
@plugin.method
async def work(documents: dict, findings: dict, ctx: Context) -> dict:
    async for document in ctx.channel(documents):
        {}
plugin.run()
"""


def pairs(folder: Path, count: int) -> None:
    """Documents that have their only passage from another one each."""
    for number in range(count):
        text = " ".join(f"pair{number // 2}word{word}" for word in range(40))
        write(folder, **{f"d{number:03}_md": f"# D{number}\n\n{text}\n"})


@pytest.mark.requirement("CHN-27")
def test_what_a_worker_had_when_it_died_is_read_by_another(tmp_path: Path) -> None:
    pairs(tmp_path, 60)
    plugins = list_plugins(tmp_path, "copies-1", **{"copies-2": DIES.format("os._exit(3)")})
    done = run_review(tmp_path, "--plugins", plugins, ".")
    lines = done.stdout.splitlines()
    assert lines[0] == "d000.md:3:1: info: the same passage stands in d001.md:3 [copies]"
    assert lines[59:] == [
        "d059.md:3:1: info: the same passage stands in d058.md:3 [copies]",
        "60 findings in 60 files: 60 infos",
    ]
    assert "review: copies-2 has ended in the middle of its work: PluginCrashed (-32011): " in done.stderr


SENDS_AND_DIES = DIES.format(
    "await ctx.channel(findings).send({**document, 'passages': [['same', 1]], 'last': True})\n"
    "        await ctx.call('editor/listFiles')  # what was sent is out when this is answered\n"
    "        os._exit(3)"
)
BEGINS_LATER = (
    DIES.replace("    async for", "    await other_has_ended()\n    async for")
    .format("await ctx.channel(findings).send({**document, 'passages': [['same', 1]], 'last': True})")
    .replace(
        "@plugin.method",
        "async def other_has_ended():\n"
        "    async with plugin.subscribe('host.plugin.ended', replay=1) as ended:\n"
        "        await anext(ended)\n"
        "@plugin.method",
    )
)


@pytest.mark.requirement("CHN-34")
def test_the_only_worker_that_has_sent_anything_may_die_and_what_is_read_twice_is_found_once(tmp_path: Path) -> None:
    write(tmp_path, a_md="x\n", b_md="x\n", c_md="x\n")
    plugins = list_plugins(tmp_path, **{"copies-1": SENDS_AND_DIES, "copies-2": BEGINS_LATER})
    done = run_review(tmp_path, "--plugins", plugins, ".")
    assert done.stdout.splitlines() == [
        "a.md:1:1: info: the same passage stands in b.md:1 [copies]",
        "b.md:1:1: info: the same passage stands in a.md:1 [copies]",
        "c.md:1:1: info: the same passage stands in a.md:1 [copies]",
        "3 findings in 3 files: 3 infos",
    ]


def test_when_every_worker_dies_the_review_goes_on_and_the_user_is_told(tmp_path: Path) -> None:
    pairs(tmp_path, 60)
    write(tmp_path, a_py="import os\n")
    plugins = list_plugins(tmp_path, "python", **{"copies-1": DIES.format("os._exit(3)")})
    done = run_review(tmp_path, "--plugins", plugins, ".")
    assert done.stdout.splitlines() == [
        "a.py:1:1: warning: 'os' imported but unused [python]",
        "1 finding in 61 files: 1 warning; 1 can be fixed with --fix; incomplete: copies failed",
    ]
    assert "review: copies failed, so its findings are not complete: 61 of 61 documents were not read" in done.stderr


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("7", "the member 'path' was expected to be a str, and it is None"),
        ("{'path': '/other', 'passages': [], 'last': True}", "'/other' was not given to any worker"),
        ("{**document, 'passages': [['x', 0]], 'last': True}", "the member 'line' is at least 1, and 0 is less"),
        ("{**document, 'passages': ['xy'], 'last': True}", "a passage is a fingerprint and a line, and 'xy' is not"),
        ("{**document, 'problem': 'no'}", "a.py: no"),
    ],
)
def test_a_worker_that_sends_nonsense_is_told_about(tmp_path: Path, item: str, reason: str) -> None:
    write(tmp_path, a_py="x = 1\n")
    source = DIES.format(f"await ctx.channel(findings).send({item})")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, **{"copies-1": source}), ".")
    assert done.stdout == "no findings in 1 file; incomplete: copies failed\n"
    assert f"review: copies failed, so its findings are not complete: {reason}" in done.stderr


# Shared state


def test_what_was_found_out_about_a_content_is_known_to_the_next_review(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    pairs(tmp_path / "docs", 4)
    plugins = list_plugins(tmp_path / "docs", "copies-1", "copies-2")
    options = ("--plugins", plugins, "--verbose", "--state", tmp_path / "state", "docs")
    first = run_review(tmp_path, *options)
    (tmp_path / "docs" / "d000.md").rename(tmp_path / "docs" / "moved.md")
    write(tmp_path / "docs", d001_md="changed\n")
    second = run_review(tmp_path, *options)
    assert first.stderr.count("its passages are looked for: ") == 4
    assert second.stderr.count("its passages are known: ") == 3
    assert second.stderr.count("its passages are looked for: ") == 1
    assert second.stdout.splitlines()[-1] == "2 findings in 4 files: 2 infos"


def test_what_did_not_change_is_not_looked_through_again_in_the_second_round(tmp_path: Path) -> None:
    write(tmp_path, a_py="import os\n", b_py="x = 1\n")
    plugins = list_plugins(tmp_path, "python", "copies-1", "copies-2")
    done = run_review(tmp_path, "--plugins", plugins, "--verbose", "--fix", ".")
    told = [(line.split(": ")[2], Path(line.split(": ")[3]).name) for line in notes(done)]
    looked, known = "its passages are looked for", "its passages are known"
    assert sorted(told[:2]) == [(looked, "a.py"), (looked, "b.py")]
    assert sorted(told[2:]) == [(known, "b.py"), (looked, "a.py")]


def test_a_state_file_that_cannot_be_used_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    write(tmp_path, state_db="this is no state")
    plugins = list_plugins(tmp_path / "docs", "copies-1")
    done = run_review(tmp_path, "--plugins", plugins, "--state", "state.db", "docs")
    assert "review: state.db: it cannot be used as a state file" in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert (tmp_path / "state.db").read_text() == "this is no state"


def test_nonsense_in_the_shared_state_is_not_believed() -> None:
    async def read(host: Host) -> Any:
        documents, findings = await host.open_channel(), await host.open_channel()
        await documents.send({"path": "/a.md"})
        await documents.close()
        given = {"documents": documents.reference, "findings": findings.reference}
        assert await host.call("copies/work", given) == {"read": 1}
        return await findings.receive()

    async def read_again_and_again() -> list[Any]:
        async with asyncio.timeout(LIMIT), Host() as host:

            @host.method("editor/openFile")
            async def open_file(path: str, memory: bool) -> dict[str, Any]:
                return {"path": path, "text": f"{WORDS}\n", "version": 1}

            await host.launch("copies", [sys.executable, str(PLUGINS / "copies_plugin.py")])
            found = [await read(host)]
            (known,) = [entry async for entry in host.state.list("copies/")]
            for nonsense in (7, "no passages", [["x", "y"]], [[1, 2, 3]], {"a": 1}):
                await host.state.put(known.key, nonsense)
                found.append(await read(host))
            # And what makes sense is.
            await host.state.put(known.key, [["x", 5]])
            return [*found, await read(host)]

    *found, believed = asyncio.run(read_again_and_again())
    assert [(item["path"], [line for _, line in item["passages"]]) for item in found] == [("/a.md", [1])] * 6
    assert believed == {"path": "/a.md", "passages": [["x", 5]], "last": True}


# A lock


def test_the_journal_counts_every_document_although_two_workers_write_it(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    pairs(tmp_path / "docs", 100)
    plugins = list_plugins(tmp_path / "docs", "copies-1", "copies-2")
    done = run_review(tmp_path, "--plugins", plugins, "--journal", "journal", "docs")
    assert notes(done) == []
    first, *entries = (tmp_path / "journal").read_text(encoding="utf-8").splitlines()
    assert first == "100 documents read"
    assert sorted(entries) == [str(tmp_path / "docs" / f"d{number:03}.md") for number in range(100)]
    run_review(tmp_path, "--plugins", plugins, "--journal", "journal", "docs")
    assert (tmp_path / "journal").read_text(encoding="utf-8").startswith("200 documents read\n")
    assert not list(tmp_path.glob("journal.*"))


def test_a_journal_that_cannot_be_written_does_not_break_the_review(tmp_path: Path) -> None:
    write(tmp_path, a_md=f"{WORDS}\n", b_md=f"{WORDS}\n")
    plugins = list_plugins(tmp_path, "copies-1")
    done = run_review(tmp_path, "--plugins", plugins, "--journal", "no/such/folder", ".")
    assert done.stdout.splitlines()[-1] == "2 findings in 2 files: 2 infos"
    assert done.stderr.count("a.md on, nothing is in the journal: ") == 1


@pytest.mark.requirement("LCK-03")
def test_a_lock_that_is_not_to_be_had_costs_the_journal_and_not_the_review(tmp_path: Path) -> None:
    warnings: list[str] = []

    async def read() -> list[Any]:
        async with asyncio.timeout(LIMIT), Host() as host:

            @host.method("editor/openFile")
            async def open_file(path: str, memory: bool) -> dict[str, Any]:
                return {"path": path, "text": f"{WORDS}\n", "version": 1}

            host.on(PluginLogged, lambda event: warnings.append(event.message) if event.level == "warning" else None)
            await host.launch("copies", [sys.executable, str(PLUGINS / "copies_plugin.py")])
            documents, findings = await host.open_channel(), await host.open_channel()
            await documents.send_many([{"path": "/a.md"}, {"path": "/b.md"}, {"path": "/c.md"}])
            await documents.close()
            name = hashlib.sha256(str(tmp_path / "journal").encode()).hexdigest()[:32]
            async with host.lock(f"journal/{name}"):
                given = {"documents": documents.reference, "findings": findings.reference}
                result = await host.call("copies/work", {**given, "journal": str(tmp_path / "journal")})
                assert result == {"read": 3}
            return [(await findings.receive())["path"] for _ in range(3)]

    assert asyncio.run(read()) == ["/a.md", "/b.md", "/c.md"]
    assert len(warnings) == 1
    assert warnings[0].startswith("from /a.md on, nothing is in the journal: DeadlineExceeded (-32012): ")
    assert list(tmp_path.iterdir()) == []


# Shared memory


def test_a_document_that_is_too_long_for_a_message_is_compared_all_the_same(tmp_path: Path) -> None:
    long = "x\n\n" * 350_000
    write(tmp_path, a_md=f"{WORDS}\n", b_md=f"{long}{WORDS}\n", c_md=f"[b](b.md#anchor)\n\n{long}")
    write(tmp_path, d_md="[b](b.md#anchor)\n")
    plugins = list_plugins(tmp_path, "markdown", "links", "copies-1", "copies-2")
    done = run_review(tmp_path, "--plugins", plugins, ".")
    assert done.stdout.splitlines() == [
        "a.md:1:1: info: the same passage stands in b.md:700001 [copies]",
        "b.md:700001:1: info: the same passage stands in a.md:1 [copies]",
        "2 findings in 4 files: 2 infos; 2 files only in part",
    ]
    assert notes(done) == [
        "review: only copies reads b.md: it has more than 1000000 bytes",
        "review: only copies reads c.md: it has more than 1000000 bytes",
    ]


def test_a_document_that_is_too_long_even_for_shared_memory_is_left_out(tmp_path: Path) -> None:
    with (tmp_path / "a.md").open("wb") as file:
        file.truncate(256 * 1024 * 1024 + 1)
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "copies-1"), ".")
    assert done.stdout == "no findings in 0 files; 1 file left out\n"
    assert notes(done) == ["review: left out a.md: it has more than 268435456 bytes"]


ATTACHES_AGAIN = """
from plugwire import Context, InvalidParams, Plugin
plugin = Plugin("copies", version="1")
@plugin.method
async def work(documents: dict, findings: dict, ctx: Context) -> dict:
    async for document in ctx.channel(documents):
        reference = (await ctx.call("editor/openFile", {**document, "memory": True}))["memory"]
        async with await ctx.attach_memory(reference) as memory:
            await ctx.channel(findings).send({**document, "passages": [[str(len(memory.view)), 1]], "last": True})
        for _ in range(1000):
            try:
                await (await ctx.attach_memory(reference)).release()
            except InvalidParams:
                break
        else:
            raise RuntimeError("the memory is still there")
    return {}
plugin.run()
"""


def test_the_memory_of_a_document_that_has_been_read_is_given_back(tmp_path: Path) -> None:
    long = "x\n\n" * 350_000
    write(tmp_path, a_md=long, b_md=long)
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, **{"copies-1": ATTACHES_AGAIN}), ".")
    assert done.stdout.splitlines() == [
        "a.md:1:1: info: the same passage stands in b.md:1 [copies]",
        "b.md:1:1: info: the same passage stands in a.md:1 [copies]",
        "2 findings in 2 files: 2 infos; 2 files only in part",
    ]
    assert not any("has ended in the middle of its work" in note for note in notes(done))
