"""Vices about the lifecycle (chapter 03)."""

import os
import re
import signal
import subprocess
import time

from . import spoil

INVALID_REQUEST, INVALID_PARAMS, UNSUPPORTED = -32600, -32602, -32017


def refusal(code, message, data=None):
    """The exception with which the reference plugin refuses; it is found in the plugin's own module."""
    import __main__

    return __main__.Refused(code, message, data)


@spoil("about", "version-as-a-number", kills="lifecycle/initialize", because="LIF-04")
def _(plugin, good):
    return good() | {"plugin": {"name": "reference", "version": 1}}


@spoil("shutdown", "shutdown-at-once", kills="lifecycle/before-initialize", because="LIF-01")
def _(plugin, good, params):
    return None if plugin.state == "created" else good(params)


@spoil("shutdown", "shutdown-while-initializing", kills="lifecycle/before-initialized", because="LIF-01")
def _(plugin, good, params):
    return None if plugin.state == "initializing" else good(params)


@spoil("take_request", "serves-after-shutdown", kills="lifecycle/after-shutdown", because="LIF-01")
def _(plugin, good, message):
    if plugin.state == "stopping" and not plugin.protocol_method(message["method"]):
        plugin.start(message)
    else:
        good(message)


@spoil("initialize", "initialize-again", kills="lifecycle/second-initialize", because="LIF-01")
def _(plugin, good, params):
    if plugin.state == "ready":
        plugin.state = "created"
    return good(params)


@spoil("take_notification", "initialized-at-any-time", kills="lifecycle/early-notifications", because="LIF-02")
def _(plugin, good, message):
    if message["method"] == "initialized" and plugin.state == "created":
        plugin.state = "ready"
    good(message)


@spoil("check_version", "no-versions-in-data", kills="lifecycle/other-major-version", because="LIF-05")
def _(plugin, good, version):
    if str(version).startswith("99999."):
        raise refusal(UNSUPPORTED, "another version")
    good(version)


@spoil("check_version", "loose-versions", kills="lifecycle/no-version", because="LIF-05")
def _(plugin, good, version):
    good("1.0" if re.fullmatch(r"1(\.\d+)*", str(version)) else version)


@spoil("check_version", "one-try", kills="lifecycle/another-try", because="LIF-05")
def _(plugin, good, version):
    if plugin.__dict__.get("refused"):
        raise refusal(INVALID_REQUEST, "a version was refused before")
    plugin.refused = str(version).startswith("99999.")
    good(version)


@spoil("check_version", "this-minor-version-only", kills="lifecycle/newer-minor-version", because="LIF-07")
def _(plugin, good, version):
    good(version)
    if version != "1.0":
        raise refusal(UNSUPPORTED, "only 1.0 is spoken here", {"supported": ["1.0"]})


@spoil("initialize", "known-capabilities-only", kills="lifecycle/unknown-capabilities", because="LIF-04")
def _(plugin, good, params):
    if "teleport" in params["capabilities"]:
        raise refusal(INVALID_PARAMS, "an unknown capability", plugin.problems("capabilities", "known names"))
    return good(params)


@spoil(
    "take_notification",
    "logs-where-log-is-false",
    kills=("lifecycle/capabilities-that-are-false", "everywhere/only-declared"),
    because="LIF-12",
)
def _(plugin, good, message):
    good(message)
    if message["method"] == "initialized" and "log" in plugin.host:
        plugin.notify("log/write", {"level": "info", "message": "ready"})


@spoil("take_notification", "logs-unasked", kills="everywhere/only-declared", because="LIF-12")
def _(plugin, good, message):
    good(message)
    if message["method"] == "initialized" and not plugin.host:
        plugin.notify("log/write", {"level": "info", "message": "ready"})


@spoil("initialize", "calls-before-ready", kills="everywhere/quiet-until-ready", because="LIF-09")
def _(plugin, good, params):
    result = good(params)
    plugin.send({"jsonrpc": "2.0", "id": "early", "method": "ping"})
    return result


@spoil("shutdown", "shutdown-with-an-object", kills="lifecycle/clean-end", because="LIF-13")
def _(plugin, good, params):
    good(params)
    return {}


@spoil("shutdown", "shutdown-before-the-rest", kills="lifecycle/shutdown-with-a-request-in-flight", because="LIF-13")
def _(plugin, good, params):
    flying, plugin.incoming = plugin.incoming, {}
    good(params)
    plugin.incoming = flying


@spoil("take_notification", "no-exit-at-first", kills="lifecycle/exit-without-shutdown", because="LIF-15")
def _(plugin, good, message):
    if message["method"] != "exit" or plugin.state != "created":
        good(message)


@spoil("take_notification", "exit-when-idle", kills="lifecycle/exit-while-busy", because="LIF-15")
def _(plugin, good, message):
    while message["method"] == "exit" and plugin.incoming:
        time.sleep(0.01)
    good(message)


@spoil("end_of_input", "end-of-input-is-fine", kills="lifecycle/end-of-input", because="LIF-16")
def _(plugin, good):
    if plugin.state == "initializing":
        os._exit(0)
    good()


@spoil("end_of_input", "end-of-input-when-idle", kills="lifecycle/end-of-input-while-busy", because="LIF-16")
def _(plugin, good):
    while plugin.incoming:
        time.sleep(0.01)
    good()


@spoil("take_request", "no-ping-at-first", kills="lifecycle/ping", because="LIF-18")
def _(plugin, good, message):
    if message["method"] == "ping" and plugin.state == "created":
        plugin.send_error(message["id"], {"code": -32002, "message": "not yet"})
    else:
        good(message)


@spoil(
    "take_notification",
    "aborts-on-exit",
    kills=("lifecycle/exit-without-shutdown", "everywhere/no-crash"),
    because="LIF-15",
)
def _(plugin, good, message):
    if message["method"] == "exit" and plugin.state == "initializing":
        os.kill(os.getpid(), signal.SIGABRT)
    good(message)


@spoil("shutdown", "leaves-a-child", kills="everywhere/nothing-left-behind", because="LIF-15")
def _(plugin, good, params):
    nowhere = subprocess.DEVNULL
    subprocess.Popen(["sleep", "60"], stdin=nowhere, stdout=nowhere, stderr=nowhere)
    return good(params)
