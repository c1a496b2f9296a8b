"""Who gets a lock, and in which order (chapter 10)."""

from ...case import Broken
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import DEADLINE_EXCEEDED, INVALID_PARAMS, REQUEST_CANCELLED
from .lock_talk import acquire, expect_waiting, lock_case, queue, release, token_of


@lock_case(
    "locks/one-holder",
    "LCK-01",
    "LCK-09",
    why="Two holders at a time are what a lock is there to prevent.",
    mend="Give a lock to no more holders than it has slots, and to the next who waits as soon as one is released.",
)
def one_holder(host: HostSubject) -> None:
    """A lock has as many holders at a time as it has slots, and the next gets it at once when one gives it back.

    Two plugins ask for a lock, and three times for one with two slots.
    Expected: the second, and the third, wait until one is released.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        for name, slots in [("one", 1), ("two", 2)]:
            with host.checks(f"{name}-slots"):
                tokens = [acquire(a, name, slots=slots) for _ in range(slots)]
                waiting = queue(b, name, slots=slots)
                expect_waiting(b, waiting, "LCK-01")
                release(a, tokens[0], name)
                token_of(b, waiting, "LCK-09")


@lock_case(
    "locks/in-order",
    "LCK-02",
    why="Where the order is left to chance, somebody waits for ever under load.",
    mend="Keep those who wait in a queue, and let nobody pass it: neither one who does not wait nor a holder.",
)
def in_order(host: HostSubject) -> None:
    """Those who wait get the lock in the order in which they asked.

    While one plugin holds a lock, three ask for it, one of them the holder; another one asks without waiting, and when
    the lock is given on, asks again.
    Expected: the three in their order; DeadlineExceeded for who does not wait.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        token = acquire(a)
        waiting = [(b, queue(b)), (a, queue(a)), (c, queue(c))]
        with host.checks("without-waiting"):
            call = c.request("lock/acquire", {"name": "l", "waitMs": 0})
            c.expect_error(call, DEADLINE_EXCEEDED, rule="LCK-02")
        holder = a
        for probe, call in waiting:
            release(holder, token)
            token, holder = token_of(probe, call, "LCK-02"), probe
            for later, later_call in waiting[waiting.index((probe, call)) + 1 :]:
                expect_waiting(later, later_call, "LCK-02")


@lock_case(
    "locks/wait-ends",
    "LCK-03",
    "LCK-04",
    why="A wait that leaves something behind when it ends makes a lock that nobody holds and nobody gets.",
    mend="End the wait with DeadlineExceeded after waitMs, and take who waited out of the queue, also on a cancel.",
)
def wait_ends(host: HostSubject) -> None:
    """A wait ends with its time or by a cancel, and leaves nothing behind.

    While one plugin holds a lock another one asks with waitMs 0, with waitMs 50, and is cancelled in a third wait.
    Expected: DeadlineExceeded twice, RequestCancelled once; after the release the lock is free.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        token = acquire(a)
        for name, wait in [("at-once", 0), ("after-its-time", 50)]:
            with host.checks(name):
                call = b.request("lock/acquire", {"name": "l", "waitMs": wait})
                b.expect_error(call, DEADLINE_EXCEEDED, rule="LCK-03")
        with host.checks("cancelled"):
            call = queue(b)
            b.notify("$/cancelRequest", {"id": call})
            b.expect_error(call, REQUEST_CANCELLED, rule="LCK-04")
        with host.checks("nothing-left-behind"):
            release(a, token)
            c.expect_result(c.request("lock/acquire", {"name": "l", "waitMs": 0}), rule="LCK-04")


@lock_case(
    "locks/other-slots",
    "LCK-05",
    why="Two plugins that disagree on how many may hold a lock would both be right and both be wrong.",
    mend="Refuse another number of slots while the lock is in use, name both, and allow it when it is free again.",
)
def other_slots(host: HostSubject) -> None:
    """A lock in use cannot be asked for with another number of slots.

    Sent: a lock with 2 slots; then the same with 3, and again after it was released.
    Expected: InvalidParams that names 2 and 3; then the lock.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        token = acquire(a, slots=2)
        answer = a.expect_error(a.request("lock/acquire", {"name": "l", "slots": 3}), INVALID_PARAMS, rule="LCK-05")
        said = str(answer.value["error"])
        if "2" not in said or "3" not in said:
            raise Broken("the error does not name both numbers", expected="2 and 3", got=said, requirement="LCK-05")
        release(a, token)
        a.expect_result(a.request("lock/acquire", {"name": "l", "slots": 3}), rule="LCK-05")
