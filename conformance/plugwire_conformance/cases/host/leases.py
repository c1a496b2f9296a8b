"""What a lock is worth: its lease, its token, and the end of its holder (chapter 10)."""

from ...case import expect_equal, host_case, with_longer_times
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import DEADLINE_EXCEEDED, LOCK_LOST, QUOTA_EXCEEDED
from ...wire.messages import Json
from .lock_talk import LONG_MS, acquire, lock_case, queue, release, token_of
from .state_talk import get, put


@lock_case(
    "locks/tokens-rise",
    "LCK-06",
    why="A store refuses who comes late by comparing tokens; one that does not rise lets the late one win.",
    mend="Take every token from one counter that only rises, whichever lock it is for.",
)
def tokens_rise(host: HostSubject) -> None:
    """Every token is greater than all before it.

    Two plugins take and release three locks in turn. Expected: tokens that rise.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        tokens = []
        for round in range(6):
            probe, name = run["ab"[round % 2]], f"l{round % 3}"
            tokens.append(acquire(probe, name))
            release(probe, tokens[-1], name)
        expect_equal(tokens, sorted(set(tokens)), "the order of the tokens is not as it should be", "LCK-06")


@lock_case(
    "locks/lease",
    "LCK-07",
    why="A plugin that hangs with a lock would keep all others from their work for ever.",
    mend="Free the lock when its lease has passed, give it to the next, and send lock/lost to who held it.",
)
def lease(host: HostSubject) -> None:
    """A lock whose lease has passed is lost: its holder is told, and the next gets it.

    One plugin takes a lock for 150 ms while another one waits.
    Expected: lock/lost with name and token for the one, the lock for the other, and LockLost for a release afterwards.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        token = acquire(a, leaseMs=150)
        waiting = queue(b)
        lost = a.expect_notification("lock/lost", rule="LCK-07").params
        expect_equal(
            (lost.get("name"), lost.get("token")), ("l", token), "what was lost is not as it should be", "LCK-07"
        )
        token_of(b, waiting, "LCK-07")
        a.expect_error(a.request("lock/release", {"name": "l", "token": token}), LOCK_LOST, rule="LCK-07")


@lock_case(
    "locks/lease-begins-when-given",
    "LCK-07",
    why="A plugin that has waited longer than its lease would lose the lock in the moment in which it gets it.",
    mend="Begin the lease when the lock is given, not when it is asked for.",
)
def lease_begins_when_given(host: HostSubject) -> None:
    """The time of waiting is no part of the lease.

    A plugin asks for a lock with a lease of 1 s while another one holds it for 1.2 s. Where it does not hold it for
    long enough, the same with longer times.
    Expected: it gets the lock, and holds it then.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]

        def ask(times: int) -> None:
            held = acquire(a, f"l{times}")
            waiting = queue(b, f"l{times}", leaseMs=1000 * times)
            # Nothing but time can pass here; that the process lives on comes with it.
            run.process.wait(1.2 * times)
            release(a, held, f"l{times}")
            lock = {"name": f"l{times}", "token": token_of(b, waiting, "LCK-07")}
            b.expect_result(b.request("lock/renew", lock), rule="LCK-07")

        with_longer_times(ask)


@lock_case(
    "locks/renew",
    "LCK-08",
    why="A plugin that works longer than its lease lives by renewing it.",
    mend="Begin the lease anew with each renewal, with leaseMs where it is given and its last length where it is not.",
)
def renew(host: HostSubject) -> None:
    """A renewal begins the lease anew.

    Sent: a lease of 1 s that is renewed for a minute, renewed without a length, and renewed for 150 ms; where it is
    lost before the first renewal, the same with 3 s.
    Expected: the lengths in the answers; the lock is held after 1 s, and lost after the last renewal.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]

        def ask(times: int) -> None:
            name = f"l{times}"
            lock = {"name": name, "token": acquire(a, name, leaseMs=1000 * times)}
            for longer, what in (({"leaseMs": LONG_MS}, "the new length"), ({}, "the length without leaseMs")):
                expect_equal(
                    a.ask_result("lock/renew", lock | longer)["leaseMs"],
                    LONG_MS,
                    f"{what} is not as it should be",
                    "LCK-08",
                )
            call = b.request("lock/acquire", {"name": name, "waitMs": 1300 * times})
            b.expect_error(call, DEADLINE_EXCEEDED, within=b.patience * times, rule="LCK-08")
            a.ask_result("lock/renew", lock | {"leaseMs": 150})
            a.expect_notification("lock/lost", rule="LCK-08")

        with_longer_times(ask)


@lock_case(
    "locks/only-the-holder",
    "LCK-10",
    why="A plugin that could give back another's lock would open it under the other's hands.",
    mend="Serve lock/renew and lock/release only for the sender's own token of that lock; answer LockLost otherwise.",
)
def only_the_holder(host: HostSubject) -> None:
    """Only who holds a lock with that token renews and releases it.

    Sent: renew and release by another plugin, with another token, for another lock, and after the release.
    Expected: LockLost each time; the lock is still held until its holder releases it.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        token = acquire(a)
        for method in ("lock/renew", "lock/release"):
            for name, probe, lock in [
                ("another-plugin", b, {"name": "l", "token": token}),
                ("another-token", a, {"name": "l", "token": token + 1}),
                ("another-lock", a, {"name": "m", "token": token}),
            ]:
                with host.checks(f"{method.partition('/')[2]}-{name}"):
                    probe.expect_error(probe.request(method, lock), LOCK_LOST, rule="LCK-10")
        with host.checks("still-held"):
            call = b.request("lock/acquire", {"name": "l", "waitMs": 0})
            b.expect_error(call, DEADLINE_EXCEEDED, rule="LCK-10")
        with host.checks("released-twice"):
            release(a, token)
            a.expect_error(a.request("lock/release", {"name": "l", "token": token}), LOCK_LOST, rule="LCK-10")


@lock_case(
    "locks/end-of-the-holder",
    "LCK-11",
    why="A plugin that crashed would keep all others from their work until its lease is over.",
    mend="When a plugin ends, free what it held at once, and take it out of every queue.",
)
def end_of_the_holder(host: HostSubject) -> None:
    """When a plugin ends, what it held is free at once, and it waits no more.

    A plugin holds one lock for a minute and waits for another one; then its process is killed.
    Expected: who waits for the first gets it; the second, when released, goes to who asked after the dead one.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        acquire(a, "held")
        token = acquire(c, "other")
        queue(a, "other")
        first, second = queue(b, "held"), queue(b, "other")
        a.die()
        token_of(b, first, "LCK-11")
        release(c, token, "other")
        token_of(b, second, "LCK-11")


@lock_case(
    "locks/how-many",
    "LCK-12",
    why="Without a bound one plugin fills the host's memory with locks.",
    mend="Refuse the 1025th lock that a plugin holds or waits for with QuotaExceeded; others have theirs.",
)
def how_many(host: HostSubject) -> None:
    """A plugin holds or waits for 1024 locks and not one more.

    Sent: 1024 locks, one more, a release, one more.
    Expected: QuotaExceeded for the 1025th alone; another plugin gets its own.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        tokens = []
        for start in range(0, 1024, 128):
            calls = [a.request("lock/acquire", {"name": f"l{n}"}) for n in range(start, start + 128)]
            tokens += [token_of(a, call, "LCK-12") for call in calls]
        a.expect_error(a.request("lock/acquire", {"name": "more"}), QUOTA_EXCEEDED, rule="LCK-12")
        with host.checks("others-have-theirs"):
            b.expect_result(b.request("lock/acquire", {"name": "more"}), rule="LCK-12")
        with host.checks("room-again"):
            release(a, tokens[0], "l0")
            a.expect_result(a.request("lock/acquire", {"name": "l0"}), rule="LCK-12")


@host_case(
    "locks/changes-under-a-lock",
    "LCK-13",
    why="A plugin that was stopped for a while goes on to write although its lock is another's by now.",
    mend="Check ifLock at the moment of the change, before ifRevision, and answer LockLost unless it is held so.",
    declares=("locks", "state"),
)
def changes_under_a_lock(host: HostSubject) -> None:
    """With ifLock a change happens only while that lock is held with that token.

    Sent: put, increment and delete with a token that is held, with an older one and one of another lock, also together
    with a revision that is not the key's.
    Expected: the changes with the first, LockLost and nothing changed with the others.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        old = acquire(a)
        release(a, old)
        token = acquire(a)
        lock = {"name": "l", "token": token}
        put(a, "k", 1, ifLock=lock)
        revision = a.ask_result("state/increment", {"key": "k", "ifLock": lock})["revision"]
        for name, stale in [
            ("older-token", {"name": "l", "token": old}),
            ("another-lock", {"name": "m", "token": token}),
        ]:
            requests: list[tuple[str, dict[str, Json]]] = [
                ("put", {"key": "k", "value": 9}),
                ("put", {"key": "k", "value": 9, "ifRevision": 0}),
                ("increment", {"key": "k"}),
                ("delete", {"key": "k"}),
            ]
            for method, params in requests:
                more = "-and-revision" if "ifRevision" in params else ""
                with host.checks(f"{method}{more}-{name}"):
                    call = a.request(f"state/{method}", params | {"ifLock": stale})
                    a.expect_error(call, LOCK_LOST, rule="LCK-13")
        with host.checks("nothing-changed"):
            expect_equal(get(a, "k"), {"value": 2, "revision": revision}, "the key is not as it should be", "LCK-13")
        with host.checks("delete"):
            a.expect_result(a.request("state/delete", {"key": "k", "ifLock": lock}), rule="LCK-13")
