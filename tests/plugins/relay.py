"""An honest plugin for tests of routing: it calls whatever it is told to call, and says in its log how far it is.

Arguments: ``service=NAME`` (relay), ``version=1.0``, ``concurrency=1``, ``meta``, ``requires=NAME:RANGE`` and
``wants=NAME:RANGE`` (optional). It never waits for one request while another comes in.
"""

import sys

import raw

options = dict(option.partition("=")[::2] for option in sys.argv[1:])
HAS_META = "meta" in options
METHODS = ["call", "cancel", "echo", "hold", "journal", "progress", "seen", "say"]

held = {}  # requests that wait for a release, by id
parked = {}  # requests whose calls wait for a go, by id
calls = {}  # our calls, by our id: the request for which each was made
journal = []
last_id = 100


def token_of(request):
    return request.get("meta", {}).get("progress")


def tell(request, value):
    if token_of(request) is not None:
        raw.send(method="$/progress", params={"token": token_of(request), "value": value})


def call(request):
    if request["params"].get("wait"):
        parked[request["id"]] = request
        raw.log("parked")
    else:
        make_call(request)


def make_call(request):
    global last_id
    params = request["params"]
    last_id += 1
    calls[last_id] = request
    meta = {"parent": request["id"]} if HAS_META else {}
    if token_of(request) is not None:
        meta["progress"] = f"token {last_id}"
    meta |= params.get("meta", {})
    message = {"id": last_id, "method": params["method"], "params": params.get("params", {})}
    raw.send(**message, **({"meta": meta} if meta else {}))
    raw.log(f"sent {params['method']}")


def go(message):
    while parked:
        make_call(parked.pop(next(iter(parked))))


def hold(request):
    held[request["id"]] = request
    raw.log("holding")
    tell(request, {"message": "holding"})


def release(message):
    while held:
        raw.answer(held.pop(next(iter(held))), "released")


def cancelled(message):
    wanted = message["params"]["id"]
    if held.get(wanted, {}).get("params", {}).get("stubborn"):
        raw.log("not cancelled")
        return
    mine = [number for number, request in calls.items() if request["id"] == wanted]
    ended = held.pop(wanted, None) or parked.pop(wanted, None) or (calls.pop(mine[0]) if mine else None)
    if ended is not None:
        raw.log(f"cancelled {ended['method']}")
        raw.refuse(ended, -32800, "stopped")


def progress(request):
    for done in range(1, 4):
        tell(request, {"done": done, "total": 3})
    raw.answer(request, "told")
    tell(request, {"message": "too late"})


def cancel(request):
    raw.send(method="$/cancelRequest", params=request["params"])
    raw.answer(request, None)


def say(request):
    """Each message as it stands; the notifications, requests and answers of a test."""
    for message in request["params"]["messages"]:
        raw.send(**message)
    raw.answer(request, "said")


def other(message):
    method = message.get("method")
    if method == "$/cancelRequest":
        cancelled(message)
    elif method == "$/progress":
        number = int(str(message["params"]["token"]).rpartition(" ")[2])
        if number in calls:
            tell(calls[number], message["params"]["value"])
    elif method is None:
        if message["id"] in calls:
            came = {key: message[key] for key in ("result", "error") if key in message}
            raw.send(id=calls.pop(message["id"])["id"], **came)
    elif "id" in message:
        raw.refuse(message, -32601, "no such method")
    elif method != "initialized":
        journal.append([method, message.get("params")])


def required(option, optional):
    wanted = [entry.partition(":") for entry in options.get(option, "").split("+") if entry]
    entries = [{"service": service, "optional": optional} for service, _, _ in wanted]
    return [
        entry | ({"version": version} if version else {})
        for entry, (_, _, version) in zip(entries, wanted, strict=True)
    ]


service = {
    "service": options.get("service", "relay"),
    "version": options.get("version", "1.0"),
    "methods": [*METHODS, "note", "go", "release"],
}
raw.begin(
    {
        "protocolVersion": "1.0",
        "plugin": {"name": "relay", "version": "1"},
        "capabilities": {"meta": HAS_META, "concurrency": int(options.get("concurrency", 1))},
        "provides": [service],
        "requires": required("requires", False) + required("wants", True),
    }
)
raw.serve(
    other,
    call=call,
    cancel=cancel,
    echo=lambda request: raw.answer(request, request.get("params", {})),
    hold=hold,
    journal=lambda request: raw.answer(request, journal),
    progress=progress,
    seen=lambda request: raw.answer(request, raw.body.decode()),
    say=say,
    go=go,
    release=release,
)
