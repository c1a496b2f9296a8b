"""Vices about calls, cancel, progress and errors (chapters 04 and 05)."""

import os
import threading
import traceback

from . import spoil, vice
from .lifecycle import refusal

INVALID_REQUEST, INVALID_PARAMS, INTERNAL, CANCELLED = -32600, -32602, -32603, -32800


@spoil("about", "provides-state", kills="calls/reserved-names", because="CAL-01")
def _(plugin, good):
    about = good()
    about["provides"].append({"service": "state", "methods": []})
    return about


@spoil("start", "internal-error-without-a-service", kills="calls/unknown-methods", because="CAL-06")
def _(plugin, good, message):
    if "/" in message["method"]:
        good(message)
    else:
        plugin.send_error(message["id"], {"code": INTERNAL, "message": "no service in the name"})


@spoil("about", "declares-what-is-not-there", kills="calls/declared-methods", because="CAL-06")
def _(plugin, good):
    about = good()
    about["provides"][0]["methods"].append("teleport")
    return about


@spoil("noted_values", "notifications-last-in-first-out", kills="calls/notifications-in-order", because="CAL-12")
def _(plugin, good, params):
    plugin.noted.reverse()
    return good(params)


@vice("plugin", "notifies-later", kills=("calls/order-before-the-answer",), because="CAL-11")
def notifies_later(reference):
    class Vice(reference):
        def notify_host(self, params):
            self.served.later = params

        def reply(self, message, reply):
            super().reply(message, reply)
            later = self.served.__dict__.pop("later", None)
            if later:
                super().notify_host(later)

    return Vice


@spoil("take_request", "no-bound-in-flight", kills="calls/above-max-in-flight", because="CAL-14")
def _(plugin, good, message):
    plugin.limits["maxInFlight"] = 65536
    good(message)


@spoil("meta", "no-parent", kills="calls/parent", because="CAL-17")
def _(plugin, good):
    return {}


@spoil("parent", "parents-as-text", kills=("calls/parent", "everywhere/true-parents"), because="CAL-17")
def _(plugin, good, request):
    return str(request["id"])


@spoil("problem", "known-meta-only", kills="calls/unknown-meta", because="MSG-07")
def _(plugin, good, message):
    strange = isinstance(message, dict) and "x-more" in message.get("meta", {})
    return "unknown members of meta" if strange else good(message)


@spoil("take_response", "dies-of-late-answers", kills="calls/late-answers", because="CAL-39")
def _(plugin, good, message):
    if type(message.get("id")) is int and message["id"] <= plugin.last_id and message["id"] not in plugin.calls:
        os._exit(3)
    good(message)


@vice("plugin", "second-cancel-drops-the-answer", kills=("cancel/answered",), because="CAL-20")
def second_cancel_drops_the_answer(reference):
    class Vice(reference):
        def __init__(self):
            super().__init__()
            self.dropped, self.again = (), threading.Event()

        def cancel(self, target):
            cancelled = self.incoming.get(self.key(target)) if self.is_id(target) else None
            if cancelled and cancelled.is_set():
                self.dropped = self.key(target)
                self.again.set()
            super().cancel(target)

        def sleep(self, params):
            try:
                super().sleep(params)
            finally:
                self.again.wait(10)  # so that the second cancel comes before the answer

        def reply(self, message, reply):
            if self.key(message["id"]) != self.dropped:
                super().reply(message, reply)

    return Vice


@spoil("cancel", "cancel-answers-at-once-too", kills="everywhere/one-answer", because="MSG-17")
def _(plugin, good, target):
    if plugin.is_id(target) and plugin.key(target) in plugin.incoming:
        plugin.send_error(target, {"code": CANCELLED, "message": "cancelled"})
    good(target)


@spoil("cancel", "cancels-nothing", kills=("cancel/soon", "cancel/call-that-is-open"), because="CAL-20")
def _(plugin, good, target):
    return


@spoil("is_given_up", "waits-for-its-own-calls", kills="cancel/call-that-is-open", because="CAL-20")
def _(plugin, good):
    return False


@spoil("cancel", "dies-of-odd-ids", kills="cancel/not-in-flight", because="CAL-21")
def _(plugin, good, target):
    if isinstance(target, list | dict):
        os._exit(3)
    good(target)


@vice("plugin", "remembers-cancels", kills=("cancel/before-the-request",), because="CAL-21")
def remembers_cancels(reference):
    class Vice(reference):
        def __init__(self):
            super().__init__()
            self.remembered = set()

        def cancel(self, target):
            if self.is_id(target) and self.key(target) not in self.incoming:
                self.remembered.add(self.key(target))
            super().cancel(target)

        def take_request(self, message):
            if self.state == "ready" and self.key(message["id"]) in self.remembered:
                self.send_error(message["id"], {"code": CANCELLED, "message": "cancelled"})
            else:
                super().take_request(message)

    return Vice


@spoil("cancel", "cancels-by-text", kills="cancel/id-of-another-type", because="CAL-21")
def _(plugin, good, target):
    for kind, own in list(plugin.incoming):
        if str(own) == str(target):
            plugin.incoming[kind, own].set()


@spoil("cancel", "cancels-its-own-calls", kills="cancel/calls-of-the-plugin", because="CAL-22")
def _(plugin, good, target):
    call = plugin.calls.get(target) if type(target) is int else None
    if call:
        call[0].append({"error": {"code": CANCELLED, "message": "cancelled"}})
        call[1].set()
    good(target)


@spoil("serve", "tires-of-cancels", kills="cancel/storm", because="MSG-17")
def _(plugin, good, message, handler, cancelled):
    plugin.served_so_far = plugin.__dict__.get("served_so_far", 0) + 1
    if plugin.served_so_far != 60 or not message["method"].endswith("sleep"):
        good(message, handler, cancelled)


@spoil(
    "progress",
    "tokens-as-text",
    kills=("progress/token", "everywhere/progress-tokens"),
    because="CAL-25",
)
def _(plugin, good, params):
    request = plugin.served.request
    if "progress" in request.get("meta", {}):
        meta = {"progress": str(request["meta"]["progress"])}
        plugin.served.request = request | {"meta": meta}
    good(params)


@spoil(
    "progress",
    "progress-by-request-id",
    kills=("progress/without-token", "everywhere/progress-tokens"),
    because="CAL-25",
)
def _(plugin, good, params):
    if "progress" not in plugin.served.request.get("meta", {}):
        plugin.served.request = plugin.served.request | {"meta": {"progress": plugin.served.request["id"]}}
    good(params)


@spoil("reply", "progress-after-the-answer", kills="everywhere/progress-ends", because="CAL-26")
def _(plugin, good, message, reply):
    good(message, reply)
    if message["method"] == "conformance/progress" and "progress" in message.get("meta", {}):
        plugin.notify("$/progress", {"token": message["meta"]["progress"], "value": {"done": 99}})


@spoil("take_notification", "dies-of-unknown-progress", kills="progress/unknown-token", because="CAL-28")
def _(plugin, good, message):
    if message["method"] == "$/progress":
        os._exit(3)
    good(message)


@spoil("internal", "own-code-for-failures", kills="errors/failing-handler", because="ERR-03")
def _(plugin, good, error):
    return {"code": 1, "message": "the handler failed"}


@spoil("internal", "shows-the-trace", kills="errors/no-stack-trace", because="ERR-04")
def _(plugin, good, error):
    return good(error) | {"message": "".join(traceback.format_exception(error))}


@spoil("error", "drops-data-that-is-false", kills="errors/errors-of-handlers", because="MSG-06")
def _(plugin, good, params):
    good({name: value for name, value in params.items() if value or name != "data"})


@spoil("check_version", "no-problems-told", kills="errors/problems-of-initialize", because="ERR-05")
def _(plugin, good, version):
    if version == "one":
        raise refusal(INVALID_PARAMS, "no version")
    good(version)


@spoil("sleep", "fails-on-wrong-params", kills="errors/problems-of-params", because="ERR-05")
def _(plugin, good, params):
    if type(params.get("ms")) is not int:
        raise TypeError("ms")
    good(params)


@spoil("send", "measures-characters", kills="errors/too-large-results", because="ERR-06")
def _(plugin, good, message):
    body = plugin.encode(message)
    if len(body.decode()) <= plugin.limits["maxFrameBytes"]:
        plugin.write_frame(body)
    else:
        good(message)


@spoil("send_too_large", "size-in-words", kills="everywhere/error-data", because="ERR-05")
def _(plugin, good, message):
    data = {"size": "too large", "limit": plugin.limits["maxFrameBytes"]}
    plugin.send_error(message["id"], {"code": -32016, "message": "too large", "data": data})
