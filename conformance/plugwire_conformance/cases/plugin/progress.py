"""Progress, as it binds plugins (chapter 04). That none has a wrong token or comes late is judged everywhere."""

from ...case import Broken, plugin_case
from ...connection import show
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk
from ...wire.messages import Json, Message, encode_json, same_id

_STEPS = 5


def _reports(talk: Talk) -> list[Message]:
    """The progress that has come; a ping later, none is still on its way."""
    talk.expect_alive()
    return [message for message in talk.taken() if message.method == "$/progress"]


@plugin_case(
    "progress/token",
    "CAL-25",
    why="A caller finds what progress belongs to by the token alone.",
    mend="Send $/progress with the token of meta.progress as it came, and a value that is an object.",
    needs=("conformance/progress",),
    declares=("meta",),
)
def token(plugin: PluginSubject) -> None:
    """Progress comes with the token of its request, in order, before the answer.

    Sent: conformance/progress for five steps, with tokens that are numbers and strings, 0 and "" among them.
    Expected: at least one $/progress with just that token, and what is done never goes back.
    """
    talk = plugin.ready(capabilities={"meta": True})
    kinds: dict[str, Json] = {"number": 7, "string": "seven", "zero": 0, "empty": "", "digits": "7"}
    for name, wanted in kinds.items():
        with plugin.checks(name):
            id = talk.request("conformance/progress", {"steps": _STEPS}, meta={"progress": wanted})
            talk.expect_result(id)
            _check_reports(_reports(talk), wanted)


def _check_reports(reports: list[Message], token: Json) -> None:
    if not reports:
        raise Broken(
            "no progress came", expected=f"$/progress with the token {encode_json(token).decode()}", got="none"
        )
    for report in reports:
        if not isinstance(report.params, dict) or not same_id(report.params.get("token"), token):
            raise Broken("another token", expected=f"the token {encode_json(token).decode()}", got=show(report))
    values = [report.params.get("value") for report in reports]
    done = [value.get("done", 0) for value in values if isinstance(value, dict)]
    if len(done) != len(values) or done != sorted(done):
        raise Broken("the values are not as they were reported", expected="objects whose done rises", got=str(values))


@plugin_case(
    "progress/without-token",
    "CAL-25",
    why="Who has not asked for progress cannot tell what it is about.",
    mend="Send no progress for a request without meta.progress.",
    needs=("conformance/progress",),
)
def without_token(plugin: PluginSubject) -> None:
    """Without a token no progress comes.

    Sent: conformance/progress for five steps, without meta, and with meta but without a token.
    Expected: null, and no $/progress.
    """
    talk = plugin.ready(capabilities={"meta": True})
    metas: dict[str, dict[str, Json]] = {"no-meta": {}, "empty-meta": {"meta": {}}}
    if not plugin.info.get("capabilities", {}).get("meta"):
        del metas["empty-meta"]
    for name, meta in metas.items():
        with plugin.checks(name):
            talk.expect_result(talk.request("conformance/progress", {"steps": _STEPS}, **meta))
            reports = _reports(talk)
            if reports:
                raise Broken("progress without a token", expected="no $/progress", got=show(reports[0]))


@plugin_case(
    "progress/unknown-token",
    "CAL-28",
    why="Progress and the answer may cross on their way, so a plugin gets progress for what it has forgotten.",
    mend="Drop progress whose token the plugin does not know.",
    declares=("meta",),
)
def unknown_token(plugin: PluginSubject) -> None:
    """Progress that belongs to nothing is ignored.

    Sent: $/progress with tokens that the plugin has never given, of several types, and a ping.
    Expected: no answer but that to ping.
    """
    talk = plugin.ready(capabilities={"meta": True})
    tokens: list[Json] = [1, "x", 0, "", -5, None, True, []]
    for unknown in tokens:
        talk.notify("$/progress", {"token": unknown, "value": {"done": 1}})
    talk.expect_alive("CAL-28")
    talk.refuse(lambda message: message.is_response, "an answer to progress", rule="CAL-28")
