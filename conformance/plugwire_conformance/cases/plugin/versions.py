"""Versions of the protocol (LIF-05, LIF-07): what a plugin refuses, what it takes, and what it says of it."""

from ...case import Broken, plugin_case
from ...connection import show
from ...oracles.shapes import misfit
from ...plugins.subject import PluginSubject
from ...wire.codes import INVALID_PARAMS, METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION
from ...wire.messages import Json
from .messages import NOWHERE

#: A version that no plugin speaks.
_FAR = "99999.0"


@plugin_case(
    "lifecycle/other-major-version",
    "LIF-05",
    why="Only an answer that lists versions lets a newer host fall back to one that both speak.",
    mend="Answer UnsupportedProtocolVersion with data.supported, the list of versions; do not end the process.",
)
def other_major_version(plugin: PluginSubject) -> None:
    """A plugin refuses a major version that it does not speak, and says which it speaks.

    Sent: initialize with version 99999.0.
    Expected: UnsupportedProtocolVersion, with its own versions in data.supported.
    """
    answer = plugin.launch().initialize(protocolVersion=_FAR)
    if answer.error_code != UNSUPPORTED_PROTOCOL_VERSION:
        raise Broken("another answer", expected="UnsupportedProtocolVersion (-32017)", got=show(answer))
    data = answer.member("error").get("data")
    if misfit("UnsupportedProtocolVersionData", data) or not data["supported"]:
        expected = 'data with supported, a list of versions such as ["1.0"]'
        raise Broken("the versions that it speaks are not told", expected=expected, got=show(answer))


@plugin_case(
    "lifecycle/no-version",
    "LIF-05",
    why="A version that cannot be read may be any; going on would be a guess.",
    mend="Answer InvalidParams unless protocolVersion is a string of two numbers with a dot between.",
)
def no_version(plugin: PluginSubject) -> None:
    """A version that is no version is refused with InvalidParams.

    Sent: initialize with protocolVersion 1, "1", "1.0.0", "one", "", "01.0", "1.", "1.0 ", and without it.
    Expected: InvalidParams for each.
    """
    kinds: dict[str, Json] = {
        "number": 1.0,
        "major-only": "1",
        "three-numbers": "1.0.0",
        "word": "one",
        "empty": "",
        "leading-zero": "01.0",
        "no-minor": "1.",
        "space": "1.0 ",
        "absent": None,
    }
    talk = plugin.launch()
    for name, version in kinds.items():
        with plugin.checks(name):
            answer = talk.initialize(protocolVersion=version)
            if answer.has("result"):
                talk = plugin.launch()
            if answer.error_code != INVALID_PARAMS:
                raise Broken("another answer", expected="InvalidParams (-32602)", got=show(answer))


@plugin_case(
    "lifecycle/another-try",
    "LIF-05",
    why="A host that speaks several versions tries one after the other on the same connection.",
    mend="Go back to the first state after an initialize that was refused, and take the next one.",
)
def another_try(plugin: PluginSubject) -> None:
    """After a refused initialize the host may try another version.

    Sent: initialize with version 99999.0, with one that is no version, and with 1.0; then initialized.
    Expected: errors for the first two, after which the connection is as it was at first; then a plugin that is ready.
    """
    talk = plugin.launch()
    for version in (_FAR, "one"):
        answer = talk.initialize(protocolVersion=version)
        if answer.error_code is None:
            raise Broken("the version was taken", expected="an error", got=show(answer))
    answer = talk.initialize()
    if not answer.has("result"):
        raise Broken("another version was refused", expected="a result", got=show(answer))
    talk.notify("initialized")
    talk.expect_error(talk.request(NOWHERE), METHOD_NOT_FOUND, rule="LIF-05")


@plugin_case(
    "lifecycle/newer-minor-version",
    "LIF-07",
    why="Every host that is a little newer than the plugin would refuse to work with it, or it with the host.",
    mend="Compare the major version only.",
)
def newer_minor_version(plugin: PluginSubject) -> None:
    """A plugin works with a host of a newer minor version.

    Sent: initialize with the plugin's own major version and minor versions far above its own, and then initialized.
    Expected: a result of the same major version, and a plugin that is ready.
    """
    major = str(plugin.info.get("protocolVersion", "1.0")).partition(".")[0]
    for minor in ("1", "99", "99999"):
        with plugin.checks(minor):
            talk = plugin.launch()
            answer = talk.initialize(protocolVersion=f"{major}.{minor}")
            result = answer.result if isinstance(answer.result, dict) else {}
            if str(result.get("protocolVersion", "")).partition(".")[0] != major:
                raise Broken("a newer minor version was refused", expected=f"a result, {major}.x", got=show(answer))
            talk.notify("initialized")
            talk.expect_error(talk.request(NOWHERE), METHOD_NOT_FOUND, rule="LIF-07")
