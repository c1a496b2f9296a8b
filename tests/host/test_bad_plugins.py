"""Plugins with one vice each: what is said of it, and to whom, and that a good plugin beside them is served.

F07 to F12, F15, F16, F25 and F26. Each row names a plugin of tests/plugins, what its caller gets, and what the host
says about it.
"""

import asyncio
from typing import Any

import pytest

from plugwire_host import (
    DeadlineExceeded,
    Host,
    IncompatibleVersion,
    PluginCrashed,
    PluginLogged,
    RequestError,
    StartupFailed,
)

from .support import LIMIT, SOON, Watch, launch, plugin, relay, run


async def ask(host: Host, timeout: float) -> Any:
    """What the plugin ``x`` makes of a call: its result, or the error."""
    try:
        return await host.call("liar/ask", timeout=timeout)
    except RequestError as error:
        return error


def outcome_of(command: list[str], timeout: float = LIMIT, **options: Any) -> tuple[Any, Watch]:
    """Launch a bad plugin beside a good one, call it, and see that the good one is served before and after."""

    async def main() -> tuple[Any, Watch]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, r=relay("relay"))
            await host.launch("x", command, restart="never", **options)
            outcome = await ask(host, timeout)
            for number in range(3):
                assert await host.call("relay/echo", {"number": number}) == {"number": number}
            assert watch.warnings("r") == []
            return outcome, watch

    return run(main())


# What is wrong and does no harm


@pytest.mark.requirement("FRM-19", "FRM-20", "MSG-19", "MSG-12", "FRM-11")
@pytest.mark.parametrize(
    ("command", "result", "warning"),
    [
        (
            plugin("prints_before_handshake"),
            "asked",
            "22 stray bytes on standard output at byte 0: 'Loading the model ...\\n'; standard output belongs to the",
        ),
        (plugin("prints_between_frames"), "asked", r"'\x1b[31mgot it\x1b[0m\n'; standard output belongs to the"),
        (plugin("prints_without_newline"), "asked", "6 stray bytes on standard output at byte "),
        (plugin("prints_without_newline"), "asked", "'50%...'; standard output belongs to the protocol"),
        (plugin("answers_twice"), "first", "a response with an id 2, which is not in flight: ignored"),
        (plugin("bad_json", "cut"), [None, -32700], "a bad message: Input data was truncated"),
    ],
)
def test_what_leaves_no_doubt_is_told_and_the_call_is_served(command: list[str], result: Any, warning: str) -> None:
    outcome, watch = outcome_of(command)
    assert outcome == result
    (told,) = watch.warnings("x")
    assert warning in told


@pytest.mark.requirement("FRM-06", "FRM-07", "FRM-08")
def test_a_line_that_could_be_a_header_is_told_once() -> None:
    outcome, watch = outcome_of(plugin("prints_between_frames", "header"))
    assert outcome == "asked"
    told = [warning.partition(" (at byte ")[0] for warning in watch.warnings("x")]
    assert told == ["a header line ends with LF alone", "a header other than Content-Length"]
    assert watch.warnings("x")[0].endswith("): tolerated, and told once")


@pytest.mark.requirement("MSG-21", "MSG-22", "MSG-23", "MSG-24", "MSG-26", "FRM-11")
@pytest.mark.parametrize(
    "case", ["cut", "empty", "nan", "comma", "two", "utf-8", "surrogate", "byte-order-mark", "deep"]
)
def test_a_body_that_is_no_json_is_answered_and_the_next_one_works(case: str) -> None:
    outcome, watch = outcome_of(plugin("bad_json", case))
    assert outcome == [None, -32700]
    (told,) = watch.warnings("x")
    assert told.startswith("a bad message: ")


@pytest.mark.requirement("CAL-41", "MSG-01", "MSG-02", "MSG-03", "MSG-10", "MSG-11", "MSG-27")
@pytest.mark.parametrize(
    ("case", "request_id", "told"),
    [
        ("batch", None, "a bad message: Expected `object`, got `array`"),
        ("version", 7, 'a bad message: jsonrpc: "2.0" was expected'),
        ("method", 7, "a bad message: method: a string was expected"),
        ("params", 7, "a bad message: params: an object was expected"),
        ("id", None, "a bad message: an id is a string or an integer"),
        ("meta", 7, "a bad message: meta: "),
    ],
)
def test_json_that_is_no_message_is_answered_and_the_next_one_works(
    case: str, request_id: int | None, told: str
) -> None:
    outcome, watch = outcome_of(plugin("bad_message", case))
    assert outcome == [request_id, -32600]
    (warning,) = watch.warnings("x")
    assert warning.startswith(told)


@pytest.mark.requirement("MSG-14", "MSG-15")
def test_an_id_that_is_in_flight_is_refused_and_the_first_call_goes_on() -> None:
    outcome, watch = outcome_of(plugin("reuses_an_open_id"))
    assert outcome == {"first": "released", "id": 7, "second": -32600}
    assert watch.warnings("x") == ["a bad message: id 7 is in flight (MSG-15)"]


@pytest.mark.requirement("LIF-01", "LIF-09")
def test_a_call_before_initialized_is_refused() -> None:
    outcome, watch = outcome_of(plugin("calls_before_initialized"))
    assert outcome == [7, -32002]
    assert watch.warnings("x") == [
        "a bad message: relay/echo may not be sent while the connection is initializing",
    ]


# What the caller has to be told


@pytest.mark.requirement("MSG-05", "MSG-06", "MSG-20")
@pytest.mark.parametrize(
    ("command", "told"),
    [
        (plugin("answers_with_result_and_error"), "an answer with both result and error (MSG-05)"),
        (plugin("answers_with_neither"), "an answer with neither result nor error (MSG-05)"),
        (
            plugin("answers_with_bad_error", "text"),
            "an answer with an invalid error (MSG-06): error: Expected `object`",
        ),
        (plugin("answers_with_bad_error", "code"), "an answer with an invalid error (MSG-06): error: Expected `int`"),
        (
            plugin("answers_with_bad_error", "wide"),
            "an answer with an invalid error (MSG-06): error: a code within 32 bits",
        ),
        (
            plugin("answers_with_bad_error", "message"),
            "an answer with an invalid error (MSG-06): error: Object missing",
        ),
    ],
)
def test_an_answer_that_is_none_ends_the_call_with_an_error(command: list[str], told: str) -> None:
    outcome, _ = outcome_of(command)
    assert type(outcome) is RequestError
    assert outcome.code == -32603
    assert outcome.message.startswith(f"plugin 'x' gave {told}")
    assert outcome.data["instance"] == "x"
    assert outcome.data["violation"].startswith(told)


@pytest.mark.requirement("CAL-30", "MSG-13", "MSG-19")
@pytest.mark.parametrize(
    ("command", "told"),
    [
        (plugin("never_answers"), None),
        (plugin("answers_with_wrong_id"), "a response with an id 1002, which is not in flight: ignored"),
        (plugin("answers_with_wrong_id", "string"), "a response with an id '2', which is not in flight: ignored"),
        (plugin("answers_with_wrong_id", "float"), "a response with an id of the type float, which is not in flight"),
        (plugin("answers_with_wrong_id", "true"), "a response with an id of the type bool, which is not in flight"),
        (plugin("batch"), "a bad message: Expected `object`, got `array`"),
        (plugin("prints_inside_frame"), "a bad message: "),
    ],
)
def test_a_call_whose_answer_never_comes_runs_out_of_time(command: list[str], told: str | None) -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, r=relay("relay"))
            await host.launch("x", command, restart="never")
            if told is None:
                outcome = await ask(host, SOON)
            else:
                call = asyncio.ensure_future(ask(host, 1.0))
                await watch.log("x", told)
                outcome = await call
            assert await host.call("relay/echo", {"x": 1}) == {"x": 1}
            return outcome, watch.warnings("x")

    outcome, warnings = run(main())
    assert type(outcome) is DeadlineExceeded
    assert outcome.data["instance"] == "x"
    assert bool(warnings) == (told is not None)


# What ends the connection


@pytest.mark.requirement("FRM-10", "FRM-12", "FRM-13", "FRM-15", "FRM-17", "FRM-21", "LIF-19")
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (plugin("huge_length"), "broke the protocol: a body of 9999999999 bytes was announced; the limit is 4194304"),
        (
            plugin("flood_of_noise", "lines"),
            "broke the protocol: more than 65536 bytes of stray output, the last of it",
        ),
        (plugin("flood_of_noise", "one"), "broke the protocol: more than 65536 bytes of stray output, the last of it"),
        (plugin("bad_header", "plus"), "broke the protocol: Content-Length '+4"),
        (plugin("bad_header", "minus"), "broke the protocol: Content-Length '-4"),
        (plugin("bad_header", "fraction"), "broke the protocol: Content-Length '4"),
        (plugin("bad_header", "hexadecimal"), "broke the protocol: Content-Length '0x4"),
        (plugin("bad_header", "underscore"), "broke the protocol: Content-Length '1_4"),
        (plugin("bad_header", "blank"), "broke the protocol: Content-Length '1 4"),
        (plugin("bad_header", "eleven-digits"), "broke the protocol: Content-Length '000000000"),
        (plugin("bad_header", "other-digits"), r"broke the protocol: Content-Length '\xd9\xa4\xd9\xa0' is not 1 to 10"),
        (plugin("bad_header", "twice"), "broke the protocol: two Content-Length headers in one block"),
        (plugin("bad_header", "too-long"), "broke the protocol: a header block of more than 4096 bytes"),
        (plugin("bad_header", "no-colon"), "broke the protocol: 'X' is not a header line"),
        (plugin("closes_stdout"), "closed its standard output"),
        (plugin("closes_stdin"), "closed its standard input"),
    ],
)
def test_who_cannot_be_understood_any_more_is_ended_and_its_callers_are_told(command: list[str], status: str) -> None:
    outcome, _ = outcome_of(command)
    assert type(outcome) is PluginCrashed
    assert (outcome.data["instance"], outcome.data["delivered"]) == ("x", "maybe")
    assert outcome.data["status"].startswith(status)
    assert len(outcome.data["status"]) <= 128
    assert outcome.message.startswith(f"plugin 'x' ended ({status}")


@pytest.mark.requirement("FRM-22")
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("prints_between_frames", r"broke the protocol: not a header line: '\x1b[31mgot it\x1b[0m\n' (at byte "),
        (
            "prints_without_newline",
            "broke the protocol: a header block without Content-Length: '50%...Content-Length: ",
        ),
    ],
)
def test_where_noise_is_not_tolerated_it_ends_the_connection(name: str, status: str) -> None:
    outcome, _ = outcome_of(plugin(name), stdout_noise="fail")
    assert type(outcome) is PluginCrashed
    assert outcome.data["status"].startswith(status)


@pytest.mark.requirement("LOG-03", "LOG-04", "LOG-05")
def test_a_flood_on_standard_error_is_read_bounded_and_counted() -> None:
    outcome, watch = outcome_of(plugin("floods_stderr"))
    assert outcome == "asked"
    lines = [event.message for event in watch.of(PluginLogged, "x") if event.source == "stderr"]
    assert lines[0].startswith("line 0 xxx")
    assert "bytes more)" in lines[0]
    assert len(lines[0]) < 70_000
    left_out = [line for line in lines if "of standard error left out" in line]
    assert left_out
    assert sum(len(line) for line in lines) < 10_000_000


# What does not start


@pytest.mark.requirement("LIF-10", "LIF-06", "LIF-05", "CAL-01")
@pytest.mark.parametrize(
    ("command", "stage", "cause", "hint"),
    [
        (
            plugin("exits_at_once", "3", "no disk"),
            "exited",
            "it ended (exit code 3) before it answered initialize",
            "its standard error usually says why",
        ),
        (
            plugin("exits_at_once", "1", "ModuleNotFoundError: No module named 'numpy'"),
            "exited",
            "it ended (exit code 1) before it answered initialize",
            "a library is missing where it runs",
        ),
        (
            ["/bin/sh", "-c", "kill -SEGV $$"],
            "exited",
            "it ended (signal SIGSEGV) before it answered initialize",
            "run the command by hand",
        ),
        (
            ["/bin/sh", "-c", "echo hello; exit 4"],
            "exited",
            "it ended (exit code 4) before it answered initialize",
            "standard output belongs to the protocol",
        ),
        (
            ["/bin/sh", "-c", "exec >&-; exec sleep 600"],
            "exited",
            "it closed its standard output and did not end",
            "standard output belongs to the protocol",
        ),
        (
            ["/bin/sh", "-c", "yes | head -c 200000; exec sleep 600"],
            "noise",
            "what it wrote to standard output is no frame: more than 65536 bytes of stray output",
            "standard output belongs to the protocol",
        ),
        (
            plugin("wrong_version"),
            "version",
            "it answered with protocol version 2.0, this host speaks 1.0",
            "use a version of the plugin that was made for this major version",
        ),
        (
            plugin("wrong_version", "refuse"),
            "version",
            "it speaks 2.0, 3.1 of the protocol, this host 1.0",
            "use a version of the plugin that was made for this major version",
        ),
        (
            plugin("garbage_version"),
            "handshake",
            "its answer to initialize is wrong at $.protocolVersion: ",
            "see InitializeResult",
        ),
        (
            plugin("bad_initialize_result", "error"),
            "handshake",
            "it answered initialize with error -32602: tone is missing",
            "usually the config",
        ),
        (
            plugin("bad_initialize_result", "neither"),
            "protocol",
            "it gave an answer with neither result nor error",
            "exactly one of result and error",
        ),
        (["./missing"], "executable", "", ""),
    ],
)
def test_a_start_that_fails_says_how_far_it_came_and_what_to_do(
    command: list[str], stage: str, cause: str, hint: str
) -> None:
    report = failed_start(command).report
    assert (report.plugin, report.argv, report.stage) == ("x", tuple(command), stage)
    assert report.cause.startswith(cause)
    assert hint in report.hint


def failed_start(command: list[str], **options: Any) -> StartupFailed:
    """The error of a launch beside a good plugin."""

    async def main() -> StartupFailed:
        async with Host() as host:
            await launch(host, r=relay("relay"))
            with pytest.raises(StartupFailed) as caught:
                await host.launch("x", command, **options)
            assert await host.call("relay/echo", {"x": 1}) == {"x": 1}
            assert [entry["instance"] for entry in host.services] == ["r"]
            return caught.value

    return run(main())


@pytest.mark.requirement("LIF-10")
def test_the_report_of_a_failed_start_holds_the_last_words_and_the_first_stray_bytes() -> None:
    error = failed_start(["/bin/sh", "-c", "echo 'hello, world'; echo one >&2; echo two >&2; exit 4"])
    report = error.report
    assert (report.status, report.stderr_tail, report.stray_stdout) == (
        "exit code 4",
        ("one", "two"),
        b"hello, world\n",
    )
    assert report.resolved is not None
    text = str(error)
    assert "  command:  /bin/sh -c 'echo" in text
    assert "  exit:     exit code 4 after " in text
    assert "  stderr:   one\n            two\n" in text
    assert "|hello, world.|" in text


@pytest.mark.requirement("LIF-10")
def test_a_plugin_that_says_nothing_is_given_up_after_its_time() -> None:
    report = failed_start(plugin("mute"), start_timeout=0.5).report
    assert (report.stage, report.status) == ("timeout", None)
    assert report.cause == "it did not answer initialize within 0.5 s"
    assert "does not speak this protocol with header framing" in report.hint


@pytest.mark.requirement("LIF-10")
@pytest.mark.parametrize("text", ["hello", "Content-Length: 5"])
def test_a_plugin_that_says_something_else_is_given_up_and_its_words_are_shown(text: str) -> None:
    command = ["/bin/sh", "-c", f"printf '{text}\\n'; exec sleep 600"]
    report = failed_start(command, start_timeout=1.0).report
    assert report.stage == "noise"
    assert report.cause == "it wrote to standard output what is no frame, and did not answer initialize within 1 s"
    assert report.stray_stdout == text.encode() + b"\n"


@pytest.mark.requirement("FRM-22", "LIF-10")
def test_where_noise_is_not_tolerated_it_ends_the_start() -> None:
    report = failed_start(plugin("prints_before_handshake"), stdout_noise="fail").report
    assert report.stage == "noise"
    assert report.cause.startswith(
        "what it wrote to standard output is no frame: not a header line: 'Loading the model"
    )


def test_a_plugin_that_needs_longer_gets_it() -> None:
    outcome, _ = outcome_of(plugin("slow_to_start", "0.3"), start_timeout=LIMIT)
    assert outcome == "asked"


@pytest.mark.requirement("LIF-06")
@pytest.mark.parametrize("how", ["", "refuse"])
def test_another_major_version_is_an_error_of_its_own(how: str) -> None:
    assert type(failed_start(plugin("wrong_version", how))) is IncompatibleVersion


@pytest.mark.requirement("CAL-01")
@pytest.mark.parametrize("service", ["event", "hook", "channel", "memory", "state", "lock", "log", "service", "host"])
def test_a_plugin_that_provides_a_reserved_service_is_refused(service: str) -> None:
    report = failed_start(plugin("reserved_service", service)).report
    assert (report.stage, report.cause) == ("handshake", f"it provides the reserved service '{service}'")


@pytest.mark.requirement("LIF-04", "LIF-10")
@pytest.mark.parametrize(
    ("case", "cause"),
    [
        ("null", "wrong at $: "),
        ("list", "wrong at $: "),
        ("no-plugin", 'wrong at $: "plugin" is a required property'),
        ("no-version", 'wrong at $: "protocolVersion" is a required property'),
        ("name", "wrong at $.plugin.name: 1 is not of type"),
        ("provides", 'wrong at $.provides: "liar" is not of type'),
        ("service", 'wrong at $.provides[0].service: "Liar" does not match'),
        ("service-version", 'wrong at $.provides[0].version: "1.2.3-rc1" does not match'),
        ("concurrency", "wrong at $.capabilities.concurrency: 0 is less than the minimum of 1"),
        ("range", 'wrong at $.requires[0].version: "newest" does not match'),
        ("number", "cannot be read: Number out of range"),
    ],
)
def test_an_answer_to_initialize_that_is_none_is_refused_with_the_place(case: str, cause: str) -> None:
    report = failed_start(plugin("bad_initialize_result", case)).report
    assert report.stage == "handshake"
    assert report.cause.startswith(f"its answer to initialize {'' if case == 'number' else 'is '}{cause}")


def test_a_service_is_provided_once() -> None:
    report = failed_start(plugin("bad_initialize_result", "twice")).report
    assert (report.stage, report.cause) == ("handshake", "it provides the service 'liar' twice")
