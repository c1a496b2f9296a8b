"""In which order messages arrive, and how many requests one end may have open (chapter 04)."""

from ...case import Broken, Skipped, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import OVERLOADED
from ...wire.frames import encode
from ...wire.messages import Json, Message, encode_json
from ._between import always, error_data, expect_no_request, held, room, settle

#: More requests than this at a time are left to other tests than these.
_MANY = 20_000
#: So many may wait for one plugin (CAL-13).
_LONGEST_QUEUE = 16384
_NOTES = 100
_MEBIBYTE = 1 << 20
#: Requests of that size: more than may wait for one plugin (CAL-13).
_LARGE = 72


@host_case(
    "calls/order",
    "CAL-11",
    declares=("services",),
    why="A plugin that says `open` and then `write` means it in this order.",
    mend="Keep one queue for each receiver, through which requests and notifications of one sender go together.",
)
def order(host: HostSubject) -> None:
    """What one plugin sends to another arrives in the order in which it was sent.

    Sent: 100 notifications with a request after every tenth, numbered, to a plugin that takes many requests at a time.
    Expected: all of them, in the order of their numbers.
    """
    with host.start(plugin("a"), plugin("b", "b/take", "b/ask", capabilities={"concurrency": 100})) as run:
        a, b = run["a"], run["b"]
        for number in range(_NOTES):
            a.notify("b/take", {"n": number})
            if number % 10 == 9:
                a.request("b/ask", {"n": number})
        last = b.wait_for(lambda message: message.method == "b/take" and message.params == {"n": 99}, "the last one")
        settle(a, b)
        expected = [n for number in range(_NOTES) for n in ([number] * 2 if number % 10 == 9 else [number])]
        expect_equal(_numbers(b, "b/take", "b/ask"), expected, "the order of arrival is another")
        expect_equal(last.params, {"n": 99}, "the params of the last one are others")


@host_case(
    "calls/order-while-waiting",
    "CAL-11",
    declares=("services",),
    why="A notification that overtakes a request which waits at the host tells of things that have not happened yet.",
    mend="Let a notification wait behind the requests of its sender that wait for the same receiver.",
)
def order_while_waiting(host: HostSubject) -> None:
    """A notification does not overtake a request that waits at the host.

    Given: a receiver that takes one request at a time. Sent: request 1, request 2, notification 3, request 4,
    notification 5. Expected: the receiver gets them in this order, each request after it has answered the one before.
    """
    with host.start(plugin("a"), plugin("b", "b/take", "b/ask")) as run:
        a, b = run["a"], run["b"]
        for number, method in enumerate(("ask", "ask", "take", "ask", "take"), 1):
            send = a.request if method == "ask" else a.notify
            send(f"b/{method}", {"n": number})
        for number in (1, 2, 4):
            request = b.expect_request("b/ask")
            expect_equal(request.params, {"n": number}, "the number of the request is another")
            settle(a, b)
            b.answer(request)
        b.wait_for(lambda message: message.params == {"n": 5}, "the notification 5")
        expect_equal(_numbers(b, "b/take", "b/ask"), [1, 2, 3, 4, 5], "the order of arrival is another")


@host_case(
    "calls/order-before-answer",
    "CAL-11",
    declares=("services",),
    why="A caller that has its answer believes that it has heard everything that was said before.",
    mend="Send on what a plugin sent to another before its response, before you send on the response.",
)
def order_before_answer(host: HostSubject) -> None:
    """What a callee sends before its response arrives before it.

    Sent by the callee to its caller: three notifications, then the response, in one write; 20 times over.
    Expected: the caller gets the notifications, in their order, and then the response.
    """
    with host.start(plugin("a", "a/hear"), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        for turn in range(20):
            id, request = held(a, b, "b/ask")
            notes = [{"method": "a/hear", "params": {"n": 3 * turn + number}} for number in range(3)]
            messages = [*notes, {"id": request.id, "result": None}]
            b.send(b"".join(encode(encode_json({"jsonrpc": "2.0"} | one), b.framing) for one in messages))
            answer = a.expect_answer(id)
            before = [message for theirs, message in a.history if theirs]
            before = before[: before.index(answer)]
            numbers = [message.params["n"] for message in before if message.method == "a/hear"]
            expect_equal(numbers, list(range(3 * turn + 3)), "what came before the answer is another")


def _numbers(probe: ProbeTalk, *methods: str) -> list[Json]:
    """The numbers of what has come with one of these methods, in the order of arrival."""
    return [message.params["n"] for theirs, message in probe.history if theirs and message.method in methods]


@host_case(
    "calls/concurrency",
    "CAL-13",
    declares=("services",),
    why="A plugin that works on one thing at a time has no place for a second: it breaks, or answers the wrong one.",
    mend="Count the requests that are open at each plugin; hold back what is more than its concurrency, in order.",
)
def concurrency(host: HostSubject) -> None:
    """A host does not have more requests open at a plugin than it said it can work on.

    Given: a plugin without concurrency, which means 1, and one with 2. Sent by another plugin: six requests to each.
    Expected: one, or two, at a time; the next when one was answered, in the order in which they were sent.
    """
    one, two = plugin("one", "one/ask"), plugin("two", "two/ask", capabilities={"concurrency": 2})
    with host.start(plugin("a"), one, two) as run:
        for name, limit in (("one", 1), ("two", 2)):
            with host.checks(name):
                _check_limit(run["a"], run[name], f"{name}/ask", limit)


def _check_limit(a: ProbeTalk, b: ProbeTalk, method: str, limit: int) -> None:
    ids = [a.request(method, {"n": number}) for number in range(6)]
    waiting: list[Message] = []
    for number in range(6):
        while len(waiting) < min(limit, 6 - number):
            waiting.append(b.expect_request(method))
        settle(a, b)
        expect_no_request(b, method)
        request = waiting.pop(0)
        expect_equal(request.params, {"n": number}, "the params of the request are others")
        b.answer(request, number)
    for number, id in enumerate(ids):
        expect_equal(a.expect_result(id), number, "the result is another")


@host_case(
    "calls/bounded-queue",
    "CAL-13",
    declares=("services",),
    why="A queue without an end eats the memory of the host, and those in it wait for answers that come too late.",
    mend="Bound what waits for one plugin; answer what does not fit with -32013 at once, and the bound in data.limit.",
)
def bounded_queue(host: HostSubject) -> None:
    """Requests that find the queue of a plugin full are answered with Overloaded at once.

    Given: a plugin that answers nothing, and others that together send it ten times maxInFlight requests, or 20000.
    Expected: after some of them each is answered with -32013 and a limit in data; the plugin has still got just one.
    """
    callers = [f"a{number}" for number in range(10)]
    with host.start(*(plugin(name) for name in callers), plugin("b", "b/ask")) as run:
        b = run["b"]
        room_of_each = min(run["a0"].limits["maxInFlight"], _MANY // len(callers))
        refused: list[tuple[ProbeTalk, Message]] = []
        for name in callers:
            caller = run[name]
            for _ in range(room_of_each):
                caller.request("b/ask")
            settle(caller)
            refused += [(caller, message) for message in caller.taken() if message.is_response]
        sent = room_of_each * len(callers)
        if not refused and sent <= _LONGEST_QUEUE:
            raise Skipped(f"no more than {sent} requests can be open at a time, and they may find room in its queue")
        if not refused:
            raise Broken("the host lets everything wait", expected="-32013 for some", got=f"{sent} requests wait for b")
        for _, answer in refused:
            if answer.error_code != OVERLOADED or type(error_data(answer).get("limit")) is not int:
                raise Broken("a request was not taken", expected="-32013 with data.limit", got=show(answer))
        b.expect_request("b/ask")
        expect_no_request(b, "b/ask")


@host_case(
    "calls/bounded-bytes",
    "CAL-13",
    declares=("services",),
    why="A queue that is bounded in number alone holds gigabytes when each request is large.",
    mend="Bound what waits for one plugin in bytes, too; answer what does not fit with -32013 at once.",
)
def bounded_bytes(host: HostSubject) -> None:
    """Requests that find many bytes in the queue of a plugin are answered with Overloaded at once.

    Given: a plugin that answers nothing. Sent to it: 72 requests with 1 MiB of params each.
    Expected: after some of them each is answered with -32013 and a limit in data; a small call to another plugin works.
    """
    with host.start(plugin("a"), plugin("b", "b/ask"), plugin("c", "c/ask")) as run:
        a, c = run["a"], run["c"]
        c.reflexes["c/ask"] = always("served")
        needed, limit = _MEBIBYTE + 4096, a.limits.get("maxFrameBytes", 0)
        if limit < needed or a.limits["maxInFlight"] < _LARGE:
            raise Skipped(f"needs {_LARGE} requests in flight with frames of {needed} bytes")
        for _ in range(_LARGE):
            a.request("b/ask", {"text": "x" * _MEBIBYTE})
        settle(a)
        refused = [message for message in a.taken() if message.is_response]
        if not refused:
            raise Broken("the host lets everything wait", expected="-32013 for some", got=f"{_LARGE} MiB wait for b")
        for answer in refused:
            if answer.error_code != OVERLOADED or type(error_data(answer).get("limit")) is not int:
                raise Broken("a request was not taken", expected="-32013 with data.limit", got=show(answer))
        expect_equal(a.ask_result("c/ask"), "served", "the result of a small call is another")


@host_case(
    "calls/in-flight",
    "CAL-14",
    declares=("services",),
    why="A plugin that floods its host must hear so, and nothing that it was promised may be lost for it.",
    mend="Count the open requests of each plugin; answer one above maxInFlight with -32013, but always answer ping.",
)
def in_flight(host: HostSubject) -> None:
    """A request above maxInFlight is answered with Overloaded; ping is always answered.

    Sent: as many requests as limits.maxInFlight allows, to plugins that do not answer them; then one more to a plugin
    that would answer it, then ping. Expected: -32013, and null; and when one was answered there is room for one again.
    """
    with host.start(plugin("a"), plugin("c", "c/hello"), plugin("b", "b/ask", capabilities=room(65536))) as run:
        a, b = run["a"], run["b"]
        run["c"].reflexes["c/hello"] = always("hello")
        limit = a.limits["maxInFlight"]
        if limit > _MANY:
            raise Skipped(f"maxInFlight is {limit}, more than is tried here")
        ids = [a.request("b/ask") for _ in range(limit)]
        requests = [b.expect_request("b/ask") for _ in range(limit)]
        with host.checks("one-more"):
            a.expect_error(a.request("c/hello"), OVERLOADED)
        with host.checks("ping"):
            a.expect_alive("CAL-14")
        b.answer(requests[0], "done")
        expect_equal(a.expect_result(ids[0]), "done", "the result of the first is another")
        with host.checks("room-again"):
            expect_equal(a.ask_result("c/hello"), "hello", "the result is another")
