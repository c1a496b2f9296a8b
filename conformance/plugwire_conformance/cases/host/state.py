"""Values under keys, and their revisions (chapter 10)."""

from ...case import Broken, Skipped, expect_equal
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS
from ...wire.messages import Json
from .state_talk import LARGEST, expect_conflict, get, put, state_case


@state_case(
    "state/one-order",
    "STA-01",
    why="A plugin that reads an older value after it was told of a newer one decides on what is over.",
    mend="Serve the requests about a key one at a time, and answer each after it has taken effect.",
)
def one_order(host: HostSubject) -> None:
    """Every plugin sees one order of changes.

    Two plugins add 1 to the same key 200 times each, all requests in flight at once.
    Expected: 400 answers with 400 different sums from 1 to 400, whose revisions rise with them.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        probes = (run["a"], run["b"])
        calls = [(probe, probe.request("state/increment", {"key": "n"})) for _ in range(200) for probe in probes]
        results = [probe.expect_result(call) for probe, call in calls]
        sums = sorted((result["value"], result["revision"]) for result in results)
        expect_equal(
            [value for value, _ in sums], list(range(1, 401)), "what the sums came to is not as it should be", "STA-01"
        )
        revisions = [revision for _, revision in sums]
        expect_equal(revisions, sorted(set(revisions)), "the order of the revisions is not as it should be", "STA-01")


@state_case(
    "state/revisions",
    "STA-02",
    "STA-03",
    why="Revisions are how a plugin tells whether what it read is still so.",
    mend="Count every change, of whichever key, with one counter from 1; a key where nothing is has revision 0.",
)
def revisions(host: HostSubject) -> None:
    """Each change has the next number, and a key has the number of its last change.

    Sent: get of a key where nothing is, two puts on two keys, a delete, gets.
    Expected: 0 without a value, then 1, 2, 3, and the revision of each key's last change.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        expect_equal(get(a, "x"), {"revision": 0}, "a key where nothing is is not as it should be", "STA-03")
        expect_equal(
            [put(a, "x", 1), put(a, "y", 2), put(a, "x", 3)], [1, 2, 3], "the counter is not as it should be", "STA-02"
        )
        expect_equal(get(a, "x"), {"value": 3, "revision": 3}, "the key x is not as it should be", "STA-02")
        expect_equal(get(a, "y"), {"value": 2, "revision": 2}, "the key y is not as it should be", "STA-02")
        expect_equal(
            a.ask_result("state/delete", {"key": "y"}), {"revision": 4}, "the delete is not as it should be", "STA-02"
        )
        expect_equal(get(a, "y"), {"revision": 0}, "a key that was deleted is not as it should be", "STA-03")


@state_case(
    "state/bytes-of-values",
    "STA-04",
    why="A plugin in another language may have written a number or a spelling that the host's language would change.",
    mend="Keep the value as the bytes that came, and put those bytes into the answer.",
)
def bytes_of_values(host: HostSubject) -> None:
    """A value comes back with the bytes with which it came.

    Sent: puts of values with blanks, escapes, long numbers and members in an unusual order; then gets.
    Expected: the same bytes.
    """
    values = [b'{ "b" : 1.50, "a":[ ] }', b'"\\u00e9\\/"', b"12345678901234567890.0e-3", b"-0", b"null", b"false"]
    with host.start(plugin("a")) as run:
        a = run["a"]
        for number, value in enumerate(values):
            with host.checks(value.decode()):
                a.send_body(
                    b'{"jsonrpc":"2.0","id":%d,"method":"state/put","params":{"key":"k","value":%b}}'
                    % (100 + number, value)
                )
                a.expect_result(100 + number, rule="STA-04")
                answer = a.ask("state/get", {"key": "k"})
                if b'"value":' + value not in answer.members["result"].replace(b'"value": ', b'"value":'):
                    raise Broken("the bytes changed", expected=value.decode(), got=show(answer), requirement="STA-04")


@state_case(
    "state/compare-and-set",
    "STA-05",
    why="Without it two plugins that change the same value at a time lose one of the changes.",
    mend="Compare ifRevision with the key's revision (0 where nothing is) at the moment of the change, and tell it.",
)
def compare_and_set(host: HostSubject) -> None:
    """With ifRevision a change happens only at that revision.

    Sent: put and delete with revisions that are the key's and that are not, 0 included.
    Expected: the change, or Conflict with the key's revision and nothing changed.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        first = put(a, "k", 1, ifRevision=0)
        with host.checks("put-where-something-is"):
            expect_conflict(a, "state/put", {"key": "k", "value": 2, "ifRevision": 0}, first, "STA-05")
        with host.checks("put-another-revision"):
            expect_conflict(a, "state/put", {"key": "k", "value": 2, "ifRevision": first + 1}, first, "STA-05")
        with host.checks("put-where-nothing-is"):
            expect_conflict(a, "state/put", {"key": "none", "value": 2, "ifRevision": first}, 0, "STA-05")
        with host.checks("delete-another-revision"):
            expect_conflict(a, "state/delete", {"key": "k", "ifRevision": first + 1}, first, "STA-05")
        with host.checks("nothing-changed"):
            expect_equal(get(a, "k"), {"value": 1, "revision": first}, "the key is not as it should be", "STA-05")
        with host.checks("its-revision"):
            second = put(a, "k", 3, ifRevision=first)
            a.ask_result("state/delete", {"key": "k", "ifRevision": second})
            expect_equal(get(a, "k"), {"revision": 0}, "the key after its delete is not as it should be", "STA-05")


@state_case(
    "state/delete-nothing",
    "STA-06",
    why="A change that is none would wake every watch, and shift the revisions that others compare.",
    mend="Answer a delete of what is not there with revision 0, and count nothing.",
)
def delete_nothing(host: HostSubject) -> None:
    """To delete what is not there is no change.

    Sent: a put, a delete of another key, a put. Expected: 1, 0, 2.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        before = put(a, "x", 1)
        expect_equal(
            a.ask_result("state/delete", {"key": "none"}),
            {"revision": 0},
            "the answer to the delete is not as it should be",
            "STA-06",
        )
        expect_equal(put(a, "x", 2), before + 1, "the next revision is not as it should be", "STA-06")


@state_case(
    "state/increment",
    "STA-07",
    "STA-08",
    why="Counters are what plugins share most often; a wrong one is found late.",
    mend="Add to the integer that is there (0 where nothing is), and refuse what is no integer or would not stay one.",
)
def increment(host: HostSubject) -> None:
    """An increment adds to an integer, and refuses anything else.

    Sent: increments of nothing, by given numbers, of values that are no integers, and beyond ±(2^53−1).
    Expected: the sums; InvalidParams and nothing changed for the rest.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        for params, sum in [({}, 1), ({"by": 41}, 42), ({"by": -43}, -1), ({"by": 0}, -1)]:
            with host.checks(f"by-{params.get('by', 'absent')}"):
                expect_equal(
                    a.ask_result("state/increment", {"key": "n", **params})["value"],
                    sum,
                    "the sum is not as it should be",
                    "STA-07",
                )
        for name, value in [("text", "1"), ("fraction", 1.5), ("null", None), ("list", []), ("too-large", LARGEST + 1)]:
            with host.checks(name):
                before = put(a, "other", value)
                a.expect_error(a.request("state/increment", {"key": "other"}), INVALID_PARAMS, rule="STA-08")
                expect_equal(
                    get(a, "other"), {"value": value, "revision": before}, "the key is not as it should be", "STA-08"
                )
        for name, value, by in [("above", LARGEST, 1), ("below", -LARGEST, -1)]:
            with host.checks(name):
                before = put(a, "edge", value)
                a.expect_error(a.request("state/increment", {"key": "edge", "by": by}), INVALID_PARAMS, rule="STA-08")
                expect_equal(
                    get(a, "edge"), {"value": value, "revision": before}, "the key is not as it should be", "STA-08"
                )


@state_case(
    "state/time-to-live",
    "STA-07",
    "STA-09",
    why="A plugin that says 'I am here' with a time relies on the word being gone when the time is.",
    mend="Delete the value when its time has passed, as a change of its own; a put without ttlMs ends the time.",
)
def time_to_live(host: HostSubject) -> None:
    """A value with a time is deleted when it has passed.

    Sent: a watch, then puts with ttlMs; one is incremented, one is put again without a time, one is asked for.
    Expected: a deletion with a revision of its own for those that kept their time, and no value after it.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        put(a, "kept", 1, ttlMs=400)
        last = put(a, "kept", 2)
        changed = _counted_with_a_time(a)
        a.ask_result("state/watch", {"prefix": "", "fromRevision": changed})
        gone: dict[str, Json] = {}
        while "counted" not in gone:
            for change in a.expect_notification("state/changed", rule="STA-09").params["changes"]:
                if change.get("deleted"):
                    gone[change["key"]] = change["revision"]
        expect_equal(get(a, "counted"), {"revision": 0}, "the value after its time is not as it should be", "STA-09")
        expect_equal(
            get(a, "kept"), {"value": 2, "revision": last}, "the value without a time is not as it should be", "STA-09"
        )
        expect_equal(
            gone,
            {"counted": changed + 1},
            "what was deleted, and the revision of that is not as it should be",
            "STA-09",
        )


def _counted_with_a_time(probe: ProbeTalk) -> int:
    """Puts a value with a time and adds to it before that has passed; the revision of the sum."""
    for ttl in (400, 4000):
        put(probe, "counted", 1, ttlMs=ttl)
        sum = probe.ask_result("state/increment", {"key": "counted"})
        # On a machine that is slower than the time, what was there is gone, and the sum begins anew.
        if sum["value"] == 2:
            return int(sum["revision"])
    raise Skipped("two requests after each other took more than 4 s")
