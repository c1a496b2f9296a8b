"""Vices about messages and ids (chapter 02)."""

import os

from . import spoil

INVALID_REQUEST = -32600


@spoil("is_id", "ids-of-127-characters", kills="messages/ids", because="MSG-13")
def _(plugin, good, value):
    return good(value) and (not isinstance(value, str) or len(value) <= 127)


@spoil(
    "reply",
    "negative-ids-as-text",
    kills=("messages/ids", "everywhere/ids-of-answers"),
    because=("MSG-13", "MSG-12"),
)
def _(plugin, good, message, reply):
    target = message["id"]
    good({"method": message["method"], "id": str(target) if isinstance(target, int) and target < 0 else target}, reply)


@spoil("is_id", "whole-fractions-as-ids", kills=("messages/bad-ids", "everywhere/valid-ids"), because="MSG-11")
def _(plugin, good, value):
    return good(value) or (type(value) is float and value.is_integer())


@spoil(
    "reply",
    "ids-by-their-text",
    kills=("messages/number-and-string-ids", "everywhere/one-answer"),
    because=("MSG-12", "MSG-17"),
)
def _(plugin, good, message, reply):
    seen = plugin.__dict__.setdefault("seen", {})
    good({"method": message["method"], "id": seen.setdefault(str(message["id"]), message["id"])}, reply)


@spoil("take_request", "ids-only-once", kills="messages/ids-are-free-again", because="MSG-15")
def _(plugin, good, message):
    seen = plugin.__dict__.setdefault("seen", set())
    if type(message["id"]) is int and plugin.key(message["id"]) in seen:
        plugin.refuse_message(message, "it was used before")
    else:
        seen.add(plugin.key(message["id"]))
        good(message)


@spoil("problem", "jsonrpc-as-a-number", kills="messages/jsonrpc-member", because="MSG-27")
def _(plugin, good, message):
    if isinstance(message, dict) and message.get("jsonrpc") == 2.0:
        message["jsonrpc"] = "2.0"
    return good(message)


@spoil("problem", "empty-methods", kills="messages/method-member", because="MSG-27")
def _(plugin, good, message):
    problem = good(message)
    return "" if problem and isinstance(message, dict) and message.get("method") == "" else problem


@spoil("problem", "params-of-null", kills="messages/params-member", because="MSG-03")
def _(plugin, good, message):
    if isinstance(message, dict) and message.get("params", 1) is None:
        del message["params"]
    return good(message)


@spoil("take_request", "ping-needs-params", kills="messages/absent-params", because="MSG-04")
def _(plugin, good, message):
    if message["method"] == "ping" and "params" not in message and type(message["id"]) is int:
        plugin.send_error(message["id"], {"code": -32602, "message": "params are missing"})
    else:
        good(message)


@spoil("problem", "members-with-an-underscore", kills="messages/unknown-members", because="MSG-07")
def _(plugin, good, message):
    strange = isinstance(message, dict) and any(name.startswith("_") for name in message)
    return "a member that is not known" if strange else good(message)


@spoil("take_message", "folds-the-case-of-members", kills="messages/names-of-members", because="MSG-08")
def _(plugin, good, message):
    good({name.casefold(): value for name, value in message.items()} if isinstance(message, dict) else message)


@spoil("take_message", "carries-batches-out", kills="messages/batches", because="MSG-10")
def _(plugin, good, message):
    for part in message if isinstance(message, list) else [message]:
        good(part)


@spoil("refuse_message", "drops-what-is-no-object", kills="messages/no-object", because="MSG-27")
def _(plugin, good, message, problem):
    if isinstance(message, dict | list):
        good(message, problem)


@spoil("refuse_message", "answers-only-ids", kills="messages/malformed-notifications", because="MSG-27")
def _(plugin, good, message, problem):
    if not isinstance(message, dict) or "id" in message:
        good(message, problem)


@spoil("take_notification", "dies-of-dollar-notifications", kills="messages/unknown-notifications", because="MSG-18")
def _(plugin, good, message):
    if message["method"].startswith("$/") and message["method"] not in ("$/cancelRequest", "$/progress"):
        os._exit(3)
    good(message)


@spoil("notified", "answers-notifications", kills="everywhere/nothing-unasked", because="MSG-18")
def _(plugin, good, method, params):
    if "nowhere" in method:
        plugin.send_error(None, {"code": -32601, "message": "there is no such method"})
    good(method, params)


@spoil("take_response", "dies-of-errors-without-id", kills="messages/stray-responses", because="MSG-19")
def _(plugin, good, message):
    if "error" in message and message.get("id", 0) is None:
        os._exit(3)
    good(message)


@spoil("take_response", "answers-malformed-responses", kills="messages/malformed-responses", because="MSG-28")
def _(plugin, good, message):
    if message.get("jsonrpc") != "2.0" or (
        "result" in message and "error" in message and message["id"] not in plugin.calls
    ):
        plugin.send_error(None, {"code": INVALID_REQUEST, "message": "no valid response"})
    good(message)


@spoil("checked", "takes-broken-answers", kills="messages/broken-answer-ends-the-call", because="MSG-20")
def _(plugin, good, message):
    return message


@spoil("take_response", "loose-ids-of-answers", kills="messages/answers-of-another-type", because="MSG-12")
def _(plugin, good, message):
    target = message.get("id")
    if isinstance(target, float) or (isinstance(target, str) and target.isdecimal()):
        message["id"] = int(target)
    good(message)


@spoil("take_response", "answers-in-order", kills="messages/answers-in-another-order", because="MSG-13")
def _(plugin, good, message):
    waiting = [target for target, call in plugin.calls.items() if not call[0]]
    if type(message.get("id")) is int and message["id"] in waiting:
        message["id"] = waiting[0]
    good(message)


@spoil("take_request", "serves-ids-in-flight", kills="messages/id-in-flight", because="MSG-15")
def _(plugin, good, message):
    plugin.incoming = {} if plugin.key(message["id"]) in plugin.incoming else plugin.incoming
    good(message)
