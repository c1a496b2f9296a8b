"""From the first message to a plugin that is ready (chapter 03)."""

from ...case import Broken, host_case, with_longer_times
from ...connection import show
from ...hosts.given import by_hand
from ...hosts.subject import HostSubject
from ...wire.codes import NOT_INITIALIZED
from ...wire.messages import Json
from ._between import expect_refused
from ._raw import ONCE, answer_of

_LINE_OF_STDERR = "Cassiopeia is missing"


@host_case(
    "lifecycle/ping",
    "LIF-18",
    why="A plugin that waits long has no other way to know that its host is alive.",
    mend="Answer ping with null in every state.",
)
def ping(host: HostSubject) -> None:
    """A host answers ping in every state.

    Sent by a plugin: ping before it answers initialize, when it is ready, and between shutdown and its answer to it.
    Expected: null to each.
    """
    with host.start(by_hand("a")) as run:
        probe = run["a"]
        opening = probe.expect_opening()
        with host.checks("initializing"):
            probe.expect_alive("LIF-18")
        probe.answer(opening, answer_of())
        probe.wait_ready()
        with host.checks("ready"):
            probe.expect_alive("LIF-18")
        probe.reflexes.pop("shutdown")
        run.ask_to_stop()
        request = probe.expect_request("shutdown", rule="LIF-14")
        with host.checks("stopping"):
            probe.expect_alive("LIF-18")
        probe.answer(request)


@host_case(
    "lifecycle/opening",
    "LIF-03",
    "LIF-08",
    why="A plugin that gets anything else first, or a request before initialized, has to refuse it.",
    mend="Send initialize, wait for its answer, send initialized, and only then anything else.",
)
def opening(host: HostSubject) -> None:
    """A host sends initialize, and nothing else until it is answered; then initialized, before any request.

    The plugin waits with its answer until the host has answered two pings. Expected before: initialize alone, with the
    host's version, its name, the instance name, capabilities and limits; after: initialized first.
    """
    with host.start(by_hand("a")) as run:
        probe = run["a"]
        request = probe.expect_opening()
        missing = {"protocolVersion", "host", "instance", "capabilities", "limits"} - request.params.keys()
        if missing:
            raise Broken(
                "initialize lacks members", expected="InitializeParams", got=f"no {', '.join(sorted(missing))}"
            )
        probe.expect_alive()
        probe.expect_alive()
        probe.refuse(lambda message: message.method not in ("ping", "exit"), "more than initialize", rule="LIF-03")
        probe.answer(request, answer_of())
        probe.expect_notification("initialized", rule="LIF-08")
        first = next(
            message
            for from_subject, message in probe.history
            if from_subject and message.method not in ("initialize", "ping") and not message.is_response
        )
        if first.method != "initialized":
            raise Broken("initialized came too late", expected="initialized", got=show(first), requirement="LIF-08")


@host_case(
    "lifecycle/early-request",
    "LIF-01",
    why="A host that works for a plugin which is not ready may call back into it, and finds nobody.",
    mend="Answer requests that the present state does not allow with NotInitialized (-32002).",
)
def early_request(host: HostSubject) -> None:
    """A host answers a request that comes too early, or too late, with NotInitialized.

    Sent by a plugin before it answers initialize, and again after shutdown: a request of the host's own, and one that
    nobody knows. Expected: -32002 to each; in between the plugin becomes ready.
    """
    with host.start(by_hand("a")) as run:
        probe = run["a"]
        opening = probe.expect_opening()
        for name, method in (("own-method", "service/list"), ("unknown-method", "zz/none")):
            with host.checks(name):
                probe.expect_error(probe.request(method), NOT_INITIALIZED, rule="LIF-01")
        probe.answer(opening, answer_of())
        probe.wait_ready()
        probe.reflexes.pop("shutdown")
        run.ask_to_stop()
        request = probe.expect_request("shutdown", rule="LIF-14")
        with host.checks("after-shutdown"):
            probe.expect_error(probe.request("zz/none"), NOT_INITIALIZED, rule="LIF-01")
        probe.answer(request)


@host_case(
    "lifecycle/early-notification",
    "LIF-02",
    declares=("services",),
    why="A notification of a plugin that is not ready reaches another one that knows nothing of it yet.",
    mend="Ignore notifications that the present state does not allow.",
)
def early_notification(host: HostSubject) -> None:
    """A host ignores a notification that comes before its sender is ready.

    Sent by a plugin before it answers initialize: a notification to another plugin; the same when it is ready. Expected
    there: the second alone.
    """
    with host.start(by_hand("a"), by_hand("b")) as run:
        openings = {name: run[name].expect_opening() for name in ("a", "b")}
        provides: Json = [{"service": "b", "methods": ["tell"]}]
        run["b"].answer(openings["b"], answer_of(provides=provides))
        run["a"].notify("b/tell", {"when": "early"})
        run["a"].expect_alive("LIF-02")
        run["a"].answer(openings["a"], answer_of())
        run["a"].wait_ready()
        run["b"].wait_ready()
        run["a"].notify("b/tell", {"when": "ready"})
        first = run["b"].expect_notification("b/tell")
        if first.params != {"when": "ready"}:
            raise Broken("the early one was forwarded", expected="the second alone", got=show(first))


@host_case(
    "lifecycle/other-major",
    "LIF-06",
    why="Two peers of different major versions misunderstand each other later, where it is hard to see.",
    mend="Compare the first number of protocolVersion with your own; refuse the plugin, and tell both versions.",
)
def other_major(host: HostSubject) -> None:
    """A host refuses a plugin of another major version, and says which versions met.

    Sent by one plugin each: the answer to initialize with protocolVersion 77.3, and with 0.9. Expected: no initialized,
    the end of the process, and a report with the plugin's name and both versions.
    """
    for version in ("77.3", "0.9"):
        with host.checks(version), host.start(by_hand("stranger", settings=ONCE)) as run:
            run["stranger"].answer(run["stranger"].expect_opening(), answer_of(version))
            expect_refused(run["stranger"], rule="LIF-06")
            own = str(run["stranger"].opening.get("protocolVersion", "?"))
            run.expect_told("stranger", version, own, lines=20, rule="LIF-06")


@host_case(
    "lifecycle/other-minor",
    "LIF-07",
    why="Every small addition to the protocol would need new releases of all plugins at once.",
    mend="Compare major versions only.",
)
def other_minor(host: HostSubject) -> None:
    """A host works with a plugin of another minor version.

    Sent by one plugin each: the answer to initialize with protocolVersion 1.0, 1.7 and 1.65535, with members that
    nobody knows. Expected: initialized, and an answer to a ping.
    """
    for version in ("1.0", "1.7", "1.65535"):
        with host.checks(version), host.start(by_hand("newer")) as run:
            opening = run["newer"].expect_opening()
            run["newer"].answer(opening, answer_of(version, later={"member": [1]}))
            run["newer"].expect_notification("initialized", rule="LIF-07")
            run["newer"].expect_alive("LIF-07")


@host_case(
    "lifecycle/unknown-capability",
    "LIF-11",
    why="A plugin that can more than its host would not start.",
    mend="Read the capabilities that you know, and leave the others alone.",
)
def unknown_capability(host: HostSubject) -> None:
    """A host ignores capabilities that it does not know.

    Sent by a plugin: capabilities with unknown names and values of all types. Expected: initialized, and a ping
    answered.
    """
    unknown: Json = {"zz": True, "teleport": {"range": 7}, "list": [1], "none": None, "Meta": True}
    with host.start(by_hand("a")) as run:
        run["a"].answer(run["a"].expect_opening(), answer_of(capabilities=unknown))
        run["a"].expect_notification("initialized", rule="LIF-11")
        run["a"].expect_alive("LIF-11")


@host_case(
    "lifecycle/smallest-answer",
    "LIF-12",
    why="A plugin of forty lines declares nothing, and is a plugin all the same.",
    mend="Take every absent member of the answer as the feature that is not there.",
)
def smallestanswer_of(host: HostSubject) -> None:
    """A host works with a plugin that declares nothing at all.

    Sent by a plugin: the smallest answer to initialize. Expected: initialized, and an answer to a ping.
    """
    with host.start(by_hand("smallest")) as run:
        smallest: dict[str, Json] = {"protocolVersion": "1.0", "plugin": {"name": "x", "version": "1"}}
        run["smallest"].answer(run["smallest"].expect_opening(), smallest)
        run["smallest"].expect_notification("initialized", rule="LIF-12")
        run["smallest"].expect_alive("LIF-12")


@host_case(
    "lifecycle/mute",
    "LIF-10",
    why="One plugin that hangs at its start would hang the whole application.",
    mend="Give initialize a bounded time; then end the process, and report all that you know of it.",
)
def mute(host: HostSubject) -> None:
    """A host gives up on a plugin that does not answer initialize, ends it and reports what it knows.

    The plugin writes a line to its standard error and stray bytes to its standard output, and then nothing. Its
    start_timeout is half a second; where it cannot write in that time, once more with 1.5 s. Expected: the end of its
    process, and a report with its name, its command, the line and the bytes.
    """

    def ask(times: int) -> None:
        with host.start(by_hand("mute", settings=ONCE | {"start_timeout": 0.5 * times})) as run:
            run["mute"].write_stderr(f"{_LINE_OF_STDERR}\n".encode())
            run["mute"].send(b"Welcome!\n")
            run["mute"].wait_gone(run["mute"].patience * times, rule="LIF-10")
            for word in ("probe.py", _LINE_OF_STDERR, "Welcome"):
                run.expect_told("mute", word, lines=30, rule="LIF-10")

    with_longer_times(ask)


@host_case(
    "lifecycle/dies-at-its-start",
    "LIF-10",
    why="The exit code and the last lines of standard error say what is wrong; without them the author has to guess.",
    mend="Report the exit code, or the signal, and the last lines of standard error of a plugin that did not start.",
)
def dies_at_its_start(host: HostSubject) -> None:
    """A host reports how a plugin ended that did not answer initialize.

    One plugin writes a line to its standard error and ends with code 43; another one is ended by SIGSEGV. Expected: a
    report with the name, the code and the line; one with the name and the signal.
    """
    with host.start(by_hand("quitter", settings=ONCE)) as run, host.checks("exit-code"):
        run["quitter"].expect_opening()
        run["quitter"].write_stderr(f"{_LINE_OF_STDERR}\n".encode())
        run["quitter"].wait_until_taken(stderr=True)
        run["quitter"].exit(43)
        run.expect_told("quitter", "43", lines=30, rule="LIF-10")
        run.expect_told("quitter", _LINE_OF_STDERR, lines=30, rule="LIF-10")
    with host.start(by_hand("crasher", settings=ONCE)) as run, host.checks("signal"):
        run["crasher"].expect_opening()
        run["crasher"].die(11)
        run.expect_more(
            lambda: any("SEGV" in line or "11" in line or "egmentation" in line for line in run.reports()),
            "a report with SIGSEGV or 11",
            rule="LIF-10",
        )
