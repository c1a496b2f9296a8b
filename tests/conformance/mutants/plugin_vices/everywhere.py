"""Vices that no case asks for, and that the oracles see in any conversation."""

import os

from . import spoil

_LOG = {"jsonrpc": "2.0", "method": "log/write", "params": {"level": "info", "message": "all is well"}}


def once_ready(plugin, message):
    """The plugin becomes ready with this notification, at a host that takes logs."""
    return message["method"] == "initialized" and plugin.state == "ready" and plugin.host.get("log") is True


@spoil("take_notification", "logs-in-a-batch", kills="everywhere/one-object", because="MSG-10")
def _(plugin, good, message):
    good(message)
    if once_ready(plugin, message):
        plugin.send([_LOG])


@spoil("send", "notifications-without-jsonrpc", kills="everywhere/jsonrpc-member", because="MSG-01")
def _(plugin, good, message):
    if "method" in message and "id" not in message:
        message.pop("jsonrpc")
    good(message)


@spoil("take_notification", "message-without-method", kills="everywhere/method-member", because="MSG-02")
def _(plugin, good, message):
    good(message)
    if once_ready(plugin, message):
        plugin.send({"jsonrpc": "2.0", "params": {}})


@spoil("take_notification", "params-in-a-list", kills="everywhere/params-member", because="MSG-03")
def _(plugin, good, message):
    good(message)
    if once_ready(plugin, message):
        plugin.send({"jsonrpc": "2.0", "method": "log/write", "params": ["info", "all is well"]})


@spoil("send", "error-null-beside-the-result", kills="everywhere/result-or-error", because="MSG-05")
def _(plugin, good, message):
    good(message | {"error": None} if "result" in message else message)


@spoil("internal", "error-without-message", kills="everywhere/error-members", because="MSG-06")
def _(plugin, good, error):
    return {"code": -32603}


@spoil("result_of", "buffer-of-none", kills="everywhere/types-of-params", because="MSG-03")
def _(plugin, good, method, params):
    return good(method, params | {"buffer": 0} if method == "event/subscribe" else params)


@spoil("check_sum", "code-without-meaning", kills="everywhere/codes-of-the-protocol", because="ERR-01")
def _(plugin, good, data, attached):
    refuse_with(good, data, attached, -32025)


@spoil("check_sum", "cancelled-by-nobody", kills="everywhere/codes-of-the-protocol", because="ERR-01")
def _(plugin, good, data, attached):
    refuse_with(good, data, attached, -32800)


@spoil("check_sum", "reserved-code", kills="everywhere/own-codes", because="ERR-02")
def _(plugin, good, data, attached):
    refuse_with(good, data, attached, -32099)


def refuse_with(good, data, attached, code):
    """Does what the good method does, with another code."""
    try:
        good(data, attached)
    except Exception as refused:
        refused.error["code"] = code
        raise


@spoil("notify", "parent-of-nobody", kills="everywhere/true-parents", because="CAL-17")
def _(plugin, good, method, params):
    if method == "$/progress":
        plugin.send({"jsonrpc": "2.0", "method": method, "params": params, "meta": {"parent": "nobody"}})
    else:
        good(method, params)


@spoil(
    "call",
    "two-ids-for-all",
    kills=("everywhere/fresh-ids", "messages/answers-in-another-order"),
    because=("MSG-14", "MSG-13"),
)
def _(plugin, good, method, params, *more):
    plugin.last_id %= 2
    return good(method, params, *more)


@spoil("frame", "content-type-too", kills="everywhere/canonical-frames", because="FRM-01")
def _(plugin, good, body):
    return b"Content-Type: application/json\r\n" + good(body)


@spoil("initialize", "prints-a-greeting", kills="everywhere/only-frames", because="FRM-04")
def _(plugin, good, params):
    os.write(plugin.output, b"Loading the model...\n")
    return good(params)
