"""Lists of keys, how much may be kept, and what lasts (chapter 10)."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS, QUOTA_EXCEEDED
from ...wire.messages import Json
from .state_talk import MIB, get, put, state_case


@state_case(
    "state/pages",
    "STA-10",
    why="A plugin that goes through the keys page by page must neither miss one nor go round for ever.",
    mend="Sort by the codes of characters, begin after `after`, and give `next` only when there are more.",
)
def pages(host: HostSubject) -> None:
    """A list comes in pages, in the order of the characters' codes.

    Sent: puts of keys in another order, and lists with prefix, after, limit and values.
    Expected: the keys in order; next while there are more; values only where they were asked for.
    """
    keys = ["p/B", "p/a", "p/a-b", "p/a.b", "p/a/b", "p/a0", "p/b", "p/z"]
    with host.start(plugin("a")) as run:
        a = run["a"]
        for key in [*reversed(keys), "other"]:
            put(a, key, key)
        with host.checks("order"):
            whole = a.ask_result("state/list", {"prefix": "p/"})
            expect_equal(
                [entry["key"] for entry in whole["entries"]],
                sorted(keys),
                "the keys in order are not as they should be",
                "STA-10",
            )
            expect_equal("next" in whole, False, "it says otherwise whether there are more", "STA-10")
            expect_equal(whole["revision"], len(keys) + 1, "the counter is not as it should be", "STA-10")
        with host.checks("without-values"):
            expect_equal(
                any("value" in entry for entry in whole["entries"]),
                False,
                "there are values",
                "STA-10",
            )
        with host.checks("pages"):
            found, after = [], ""
            for _ in range(len(keys) + 1):
                page = a.ask_result("state/list", {"prefix": "p/", "after": after, "limit": 3, "values": True})
                found += [(entry["key"], entry["value"]) for entry in page["entries"]]
                if "next" not in page:
                    break
                after = page["next"]
            expect_equal(
                found, [(key, key) for key in sorted(keys)], "the keys of all pages are not as they should be", "STA-10"
            )
        with host.checks("last-page-is-full"):
            page = a.ask_result("state/list", {"prefix": "p/", "limit": len(keys)})
            expect_equal("next" in page, False, "it says otherwise whether there are more", "STA-10")
        with host.checks("nothing"):
            page = a.ask_result("state/list", {"prefix": "none/"})
            expect_equal(
                (page["entries"], "next" in page), ([], False), "a list of nothing is not as it should be", "STA-10"
            )


@state_case(
    "state/size-of-a-value",
    "STA-11",
    why="A value that no watcher could be told of would be there for some and not for others.",
    mend="Refuse a value of more than 1 MiB, or of so many levels that state/changed could not carry it.",
)
def size_of_a_value(host: HostSubject) -> None:
    """A value that is too large or nested too deeply is refused.

    Sent: values of just 1 MiB and one byte more, of maxDepth less 4 levels and of one more.
    Expected: a change for those that fit, InvalidParams for those that do not.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        most = min(MIB, a.limits["maxFrameBytes"] - 1024)
        levels = a.limits["maxDepth"] - 4
        with host.checks("as-large-as-may-be"):
            a.expect_result(a.request("state/put", {"key": "k", "value": "x" * (most - 2)}), rule="STA-11")
        with host.checks("one-byte-more"):
            call = a.request("state/put", {"key": "k", "value": "x" * (most - 1)})
            a.expect_error(call, INVALID_PARAMS, rule="STA-11")
        for name, depth in [("as-deep-as-may-be", levels), ("one-level-more", levels + 1)]:
            with host.checks(name):
                value: Json = 1
                for _ in range(depth):
                    value = [value]
                call = a.request("state/put", {"key": "d", "value": value})
                if depth > levels:
                    a.expect_error(call, INVALID_PARAMS, rule="STA-11")
                else:
                    a.expect_result(call, rule="STA-11")


@state_case(
    "state/quota",
    "STA-12",
    why="Without a bound one plugin fills the host's memory, and all others lose what they keep.",
    mend="Count keys and bytes by who wrote a value last, and refuse what goes beyond with QuotaExceeded.",
)
def quota(host: HostSubject) -> None:
    """What one plugin has written is bounded, and another one is not hurt by it.

    A plugin puts values of 1 MiB until it is refused. Another one puts one as well, and takes one over by writing it.
    Expected: QuotaExceeded before 33 of them, and nothing changed; room again for each that another one wrote last.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        value, kept = "x" * (min(MIB, a.limits["maxFrameBytes"] - 1024) - 2), 0
        size = len(value) + 2
        answer = a.ask("state/put", {"key": "v0", "value": value})
        while answer.has("result") and kept * size <= 33 * MIB:
            kept += 1
            answer = a.ask("state/put", {"key": f"v{kept}", "value": value})
        expect_equal(
            answer.error_code, QUOTA_EXCEEDED, "the answer to what is too much is not as it should be", "STA-12"
        )
        expect_equal(
            kept * size <= 32 * MIB < (kept + 1) * size + 1024,
            True,
            "it does not hold that there is room for 32 MiB",
            "STA-12",
        )
        expect_equal(get(a, f"v{kept}"), {"revision": 0}, "what was refused is not as it should be", "STA-12")
        with host.checks("another-plugin"):
            b.expect_result(b.request("state/put", {"key": "v0", "value": value}), rule="STA-12")
            a.expect_result(a.request("state/put", {"key": f"v{kept}", "value": value}), rule="STA-12")


def _in_a_file(host: HostSubject, folder: str) -> Path:
    file = Path(folder, "state.db")
    host.of_host = {"state": str(file)}
    return file


@state_case(
    "state/lasts",
    "STA-14",
    why="A host that ends in the middle of its work must not take with it what it has confirmed.",
    mend="Write a change and both counters to the file before you answer, so that a killed host has them.",
)
def lasts(host: HostSubject) -> None:
    """What was answered is there when the host starts again, however it ended.

    The host is given a file. A plugin puts values, one with a time, and takes a lock; then the host is killed.
    Expected after a new start: the values, the deletion when the time has passed, higher revisions and tokens.
    """
    with TemporaryDirectory(prefix="conform-") as folder:
        _in_a_file(host, folder)
        with host.start(plugin("a")) as run:
            a = run["a"]
            put(a, "kept", {"a": 1})
            last = put(a, "timed", 1, ttlMs=400)
            token = a.ask_result("lock/acquire", {"name": "l"})["token"] if "locks" in a.capabilities else 0
            run.end()
        with host.start(plugin("a")) as run:
            a = run["a"]
            expect_equal(
                get(a, "kept"),
                {"value": {"a": 1}, "revision": 1},
                "the value of the first run is not as it should be",
                "STA-14",
            )
            if token:
                again = a.ask_result("lock/acquire", {"name": "l"})["token"]
                expect_equal(again > token, True, f"it does not hold that the token {again} is above {token}", "STA-14")
            a.ask_result("state/watch", {"prefix": "timed"})
            if get(a, "timed")["revision"]:
                change = a.expect_notification("state/changed", rule="STA-14").params["changes"][0]
                expect_equal(change.get("deleted"), True, "it does not hold that the time goes on", "STA-14")
            expect_equal(get(a, "timed"), {"revision": 0}, "the value after its time is not as it should be", "STA-14")
            revision = put(a, "new", 1)
            expect_equal(
                revision > last, True, f"it does not hold that the revision {revision} is above {last}", "STA-14"
            )


@state_case(
    "state/file-in-use",
    "STA-15",
    why="Two hosts on one file, or a host that makes a new one where it cannot read, lose what was kept.",
    mend="Lock the file while you run, refuse what you cannot read, say which file and why, and leave it as it is.",
)
def file_in_use(host: HostSubject) -> None:
    """A host does not start with a file that another one is using, or that it cannot read.

    A second host gets the file of one that runs; a third one gets a file with a letter in it.
    Expected: both end with an error that names the file; the letter is still there.
    """
    with TemporaryDirectory(prefix="conform-") as folder:
        file = _in_a_file(host, folder)
        with host.start(plugin("a")) as run:
            with host.checks("in-use"):
                _expect_refusal(host, file)
            put(run["a"], "k", 1)
        with host.checks("not-readable"):
            letter = Path(folder, "letter.txt")
            letter.write_text("Dear reader, this is no state.\n" * 100, encoding="utf-8")
            host.of_host = {"state": str(letter)}
            _expect_refusal(host, letter)
            if not letter.read_text("utf-8").startswith("Dear reader"):
                raise Broken("the host wrote over a file that it could not read", requirement="STA-15")


def _expect_refusal(host: HostSubject, file: Path) -> None:
    run = host.launch(plugin("a"))
    code = run.process.wait(host.settings.start_patience)
    if not code:
        got = "it runs" if code is None else "exit code 0"
        raise Broken("the host started with the file", expected="an error", got=got, requirement="STA-15")
    run.expect_reported(file.name, rule="STA-15")
