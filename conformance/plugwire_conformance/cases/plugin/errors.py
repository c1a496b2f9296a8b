"""Errors, as they bind plugins (chapter 05)."""

import re

from ...case import Broken, plugin_case
from ...connection import show
from ...oracles.shapes import misfit
from ...plugins.subject import PluginSubject
from ...report import Level
from ...wire.codes import INTERNAL_ERROR, INVALID_PARAMS, PAYLOAD_TOO_LARGE
from ...wire.messages import Json, Message

_LIMIT = 8192
#: What stack traces of the languages in use look like.
_TRACES = (
    r"Traceback \(most recent call last\)",
    r'File ".*", line \d+',
    r"\n\s+at .+[(:]",
    r"goroutine \d+ \[",
    r"stack backtrace:",
    r"\.(rs|go|c|cc|cpp|java|cs|js|py|rb|pl)[: ]+(line )?\d+(:\d+)?",
)


@plugin_case(
    "errors/failing-handler",
    "ERR-03",
    why="One handler that fails must not take the others and the process with it.",
    mend="Catch whatever a handler throws, answer InternalError (-32603), and go on.",
    needs=("conformance/fail",),
)
def failing_handler(plugin: PluginSubject) -> None:
    """A handler that fails is answered with InternalError, and the plugin goes on.

    Sent: conformance/fail, twice, and a ping.
    Expected: InternalError both times, and the answer to ping.
    """
    talk = plugin.ready()
    for _ in range(2):
        talk.expect_error(talk.request("conformance/fail"), INTERNAL_ERROR, rule="ERR-03")
    talk.expect_alive("ERR-03")


@plugin_case(
    "errors/no-stack-trace",
    "ERR-04",
    why="The message is shown to people, who can do nothing with a trace; and it tells others about the inside.",
    mend="Put a short text into the message and write the trace to standard error.",
    needs=("conformance/fail",),
    level=Level.SHOULD,
)
def no_stack_trace(plugin: PluginSubject) -> None:
    """The message of InternalError has no stack trace.

    Sent: conformance/fail.
    Expected: a message that does not look like a trace.
    """
    talk = plugin.ready()
    answer = talk.expect_error(talk.request("conformance/fail"))
    text = str(answer.member("error").get("message"))
    if any(re.search(trace, text) for trace in _TRACES):
        raise Broken("the message has a stack trace", expected="a text for people", got=show(answer))


@plugin_case(
    "errors/errors-of-handlers",
    "MSG-06",
    why="Callers decide by code and data; what is changed on the way they cannot use.",
    mend="Send the code, the message and the data of a handler's error as the handler gave them.",
    needs=("conformance/error",),
)
def errors_of_handlers(plugin: PluginSubject) -> None:
    """An error that a handler gives arrives as it was given.

    Sent: conformance/error with positive codes, messages and data of several JSON types.
    Expected: that code, message and data.
    """
    talk = plugin.ready()
    kinds: dict[str, dict[str, Json]] = {
        "plain": {"code": 1, "message": "no such file"},
        "large-code": {"code": 2**31 - 1, "message": "x"},
        "accents": {"code": 2, "message": "größer als 漢😀\n"},
        "empty-message": {"code": 3, "message": ""},
        "object": {"code": 4, "message": "x", "data": {"path": "a/b", "nested": {"list": [1, None, True]}}},
        "list": {"code": 5, "message": "x", "data": [1, "two"]},
        "string": {"code": 6, "message": "x", "data": "why"},
        "number": {"code": 7, "message": "x", "data": 0},
        "false": {"code": 8, "message": "x", "data": False},
    }
    for name, error in kinds.items():
        with plugin.checks(name):
            answer = talk.ask("conformance/error", error)
            if answer.member("error") != error:
                raise Broken("the error is another one", expected=str(error), got=show(answer))


@plugin_case(
    "errors/problems-of-initialize",
    "ERR-05",
    why="A person who reads only that params are wrong has to guess which.",
    mend="Give data.problems: a list of objects with path, such as $.protocolVersion, and message.",
    level=Level.SHOULD,
)
def problems_of_initialize(plugin: PluginSubject) -> None:
    """InvalidParams to initialize says what was wrong.

    Sent: initialize with a version that is none.
    Expected: data.problems, which names protocolVersion in a path.
    """
    _check_problems(plugin.launch().initialize(protocolVersion="one"), "protocolVersion")


@plugin_case(
    "errors/problems-of-params",
    "ERR-05",
    why="A person who reads only that params are wrong has to guess which.",
    mend="Check params before the handler runs and give data.problems: objects with path, such as $.ms, and message.",
    needs=("conformance/sleep",),
    level=Level.SHOULD,
)
def problems_of_params(plugin: PluginSubject) -> None:
    """Params of the wrong type are answered with InvalidParams that says what was wrong.

    Sent: conformance/sleep whose ms is a word, and without ms.
    Expected: InvalidParams with data.problems, which names ms in a path or a message.
    """
    talk = plugin.ready()
    for name, params in {"type": {"ms": "soon"}, "absent": {}}.items():
        with plugin.checks(name):
            _check_problems(talk.ask("conformance/sleep", params), "ms")


def _check_problems(answer: Message, name: str) -> None:
    if answer.error_code != INVALID_PARAMS:
        raise Broken("no InvalidParams", expected="InvalidParams (-32602)", got=show(answer))
    data = answer.member("error").get("data")
    problem = misfit("InvalidParamsData", data)
    if problem:
        raise Broken(
            "the data says nothing of the problems", expected="data.problems", got=f"{problem}: {show(answer)}"
        )
    if not any(name in one["path"] or name in one["message"] for one in data["problems"]):
        raise Broken(f"no problem names {name}", expected=f"a path with {name}", got=show(answer))


@plugin_case(
    "errors/too-large-results",
    "ERR-06",
    why="A frame above the limit loses the boundary at the host, which ends the connection and all calls with it.",
    mend="Measure the body before it is sent; replace a result that does not fit by PayloadTooLarge (-32016).",
    needs=("conformance/repeat",),
)
def too_large_results(plugin: PluginSubject) -> None:
    """A result that does not fit into maxFrameBytes is replaced by PayloadTooLarge.

    Sent: with a limit of 8192 bytes, conformance/repeat for results far above it, just above it (in bytes, not in
    characters), and below it.
    Expected: PayloadTooLarge where it does not fit, else the text; and no frame above the limit.
    """
    talk = plugin.ready(limits={"maxFrameBytes": _LIMIT, "maxDepth": 128, "maxInFlight": 16})
    kinds = {"far-above": ("x", 100_000), "just-above": ("x", _LIMIT), "wide-characters": ("漢", _LIMIT // 2)}
    for name, (text, times) in kinds.items():
        with plugin.checks(name):
            id = talk.request("conformance/repeat", {"text": text, "times": times})
            talk.expect_error(id, PAYLOAD_TOO_LARGE, rule="ERR-06")
    with plugin.checks("below"):
        result = talk.expect_result(talk.request("conformance/repeat", {"text": "x", "times": _LIMIT - 512}))
        if result != {"text": "x" * (_LIMIT - 512)}:
            raise Broken("a result that fits is another one", expected="the text", got=str(result)[:200])
