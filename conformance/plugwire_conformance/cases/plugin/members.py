"""The members of requests (chapter 02): what must be there, what is ignored, and how names are compared."""

from ...case import Broken, plugin_case
from ...connection import show
from ...plugins.refusals import check_refusal, expect_refusal, next_answer
from ...plugins.subject import PluginSubject
from ...wire.codes import INVALID_REQUEST, METHOD_NOT_FOUND
from ...wire.messages import Json
from .messages import NOWHERE, expect_unknown


@plugin_case(
    "messages/jsonrpc-member",
    "MSG-27",
    "MSG-01",
    why="A message of another protocol would be taken for one of this.",
    mend='Answer InvalidRequest, with the request\'s id, unless jsonrpc is the string "2.0".',
)
def jsonrpc_member(plugin: PluginSubject) -> None:
    """A request without jsonrpc 2.0 is refused with its id.

    Sent: requests whose jsonrpc is absent, another version, a number or null.
    Expected: InvalidRequest with the id of each.
    """
    talk = plugin.ready()
    kinds: dict[str, dict[str, Json]] = {
        "absent": {},
        "1.0": {"jsonrpc": "1.0"},
        "2.1": {"jsonrpc": "2.1"},
        "number": {"jsonrpc": 2.0},
        "null": {"jsonrpc": None},
    }
    for name, member in kinds.items():
        with plugin.checks(name):
            id = talk.new_id()
            expect_refusal(talk, {**member, "id": id, "method": "ping"}, id, INVALID_REQUEST, rule="MSG-27")


@plugin_case(
    "messages/method-member",
    "MSG-27",
    "MSG-02",
    why="A message without a method is nobody's; when it is not refused, its caller waits for ever.",
    mend="Answer InvalidRequest, with the request's id, unless method is a string that is not empty.",
)
def method_member(plugin: PluginSubject) -> None:
    """A request whose method is no name is refused with its id.

    Sent: requests whose method is absent, empty, a number, null, a list and an object.
    Expected: InvalidRequest with the id of each.
    """
    talk = plugin.ready()
    kinds: dict[str, dict[str, Json]] = {
        "absent": {},
        "empty": {"method": ""},
        "number": {"method": 1},
        "null": {"method": None},
        "list": {"method": ["ping"]},
        "object": {"method": {"name": "ping"}},
    }
    for name, member in kinds.items():
        with plugin.checks(name):
            id = talk.new_id()
            expect_refusal(talk, {"jsonrpc": "2.0", "id": id, **member}, id, INVALID_REQUEST, rule="MSG-27")


@plugin_case(
    "messages/params-member",
    "MSG-03",
    "MSG-27",
    why="With positional params or null each plugin would see something else in them.",
    mend="Answer InvalidRequest, with the request's id, when params are there and no object.",
)
def params_member(plugin: PluginSubject) -> None:
    """Params that are no object are refused.

    Sent: pings with params that are a list, null, a string, a number and true.
    Expected: InvalidRequest with the id of each.
    """
    talk = plugin.ready()
    kinds: dict[str, Json] = {"list": [], "list-of-one": [{}], "null": None, "string": "x", "number": 5, "true": True}
    for name, params in kinds.items():
        with plugin.checks(name):
            id = talk.new_id()
            message = {"jsonrpc": "2.0", "id": id, "method": "ping", "params": params}
            expect_refusal(talk, message, id, INVALID_REQUEST, rule="MSG-03")


@plugin_case(
    "messages/absent-params",
    "MSG-04",
    why="Many hosts leave params out where there are none.",
    mend="Take params that are absent for {}.",
)
def absent_params(plugin: PluginSubject) -> None:
    """Params that are absent are taken as an empty object.

    Sent: requests with params {} and without params, for ping and for a method that is not there.
    Expected: the same answer to both.
    """
    talk = plugin.ready()
    for method in ("ping", NOWHERE):
        with plugin.checks(method):
            empty, absent = talk.ask(method, {}), talk.ask(method)
            if (absent.error_code, absent.result) != (empty.error_code, empty.result):
                expected = f"the answer to params {{}}: {show(empty)}"
                raise Broken("absent params are taken another way", expected=expected, got=show(absent))


@plugin_case(
    "messages/unknown-members",
    "MSG-07",
    why="A newer host adds members; a plugin that refuses them cannot work with it.",
    mend="Ignore members that the plugin does not know, beside method as well as in params of the protocol's methods.",
)
def unknown_members(plugin: PluginSubject) -> None:
    """Members that a plugin does not know are ignored.

    Sent: a ping and a request for a method that is not there, with members and params that no version knows.
    Expected: the usual answers.
    """
    talk = plugin.ready()
    more: dict[str, Json] = {"_x": 1, "jsonrpc2": "3.0", "trace": {"a": [None]}, "results": [], "Error": {}}
    with plugin.checks("ping"):
        answer = talk.ask("ping", {"unheard-of": True}, **more)
        if answer.error_code not in (None, METHOD_NOT_FOUND):
            raise Broken("the request was refused", expected="the answer to ping", got=show(answer))
    with plugin.checks("request"):
        id = talk.new_id()
        expect_unknown(talk, {"jsonrpc": "2.0", "id": id, "method": NOWHERE, **more}, id, "MSG-07")


@plugin_case(
    "messages/names-of-members",
    "MSG-08",
    why="A reader that folds case sees another message than the host that has checked it, which opens holes.",
    mend="Compare member names byte by byte, after their escapes were resolved; switch case folding off in the parser.",
)
def names_of_members(plugin: PluginSubject) -> None:
    r"""Member names count as they are written, escapes aside.

    Sent: requests with Method, METHOD, JsonRpc and, in long s and Kelvin sign, look-alikes of params and of a member
    name; one message with ID, which is a notification; and one with the name "\u006dethod".
    Expected: InvalidRequest where method or jsonrpc is missing, nothing for the notification, and the usual answer
    for the escaped name.
    """
    talk = plugin.ready()
    for name, wrong in {"Method": "method", "METHOD": "method", "JsonRpc": "jsonrpc"}.items():
        with plugin.checks(name):
            id = talk.new_id()
            message = {"jsonrpc": "2.0", "id": id, "method": "ping"}
            message[name] = message.pop(wrong)
            expect_refusal(talk, message, id, INVALID_REQUEST, rule="MSG-08")
    with plugin.checks("long-s"):
        id = talk.new_id()
        expect_unknown(talk, {"jsonrpc": "2.0", "id": id, "method": NOWHERE, "paramſ": []}, id, "MSG-08")
    with plugin.checks("ID"):
        talk.send_message({"jsonrpc": "2.0", "ID": 900, "method": "ping"})
        talk.expect_alive("MSG-08")
        talk.refuse(
            lambda message: message.is_response, "an answer to a message with ID, which has no id", rule="MSG-08"
        )
        talk.taken()
    with plugin.checks("escaped"):
        id = talk.new_id()
        talk.send_body(b'{"jsonrpc":"2.0","\\u0069d":%d,"\\u006dethod":"%b"}' % (id, NOWHERE.encode()))
        check_refusal(next_answer(talk, "MSG-08"), id, METHOD_NOT_FOUND, rule="MSG-08")
