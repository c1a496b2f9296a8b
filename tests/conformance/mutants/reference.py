"""The reference plugin: plain Python, without the SDK, with every fixture method. Its parts are methods, so that a vice
can change one of them.

    python -S -I tests/conformance/mutants/reference.py [VICE]

One thread reads and answers; a request that takes time has a thread of its own. Every message that goes out is written
as one frame under one lock.
"""

import json
import mmap
import os
import re
import signal
import sys
import threading
import time
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
NOT_INITIALIZED, CANCELLED, OVERLOADED, TOO_LARGE, UNSUPPORTED = -32002, -32800, -32013, -32016, -32017
SAFE = 2**53 - 1
MAX_HEADER = 4096


class Lost(Exception):
    """The frame boundary is lost."""


class Refused(Exception):
    """A request is answered with an error."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.error = {"code": code, "message": message} | ({} if data is None else {"data": data})


class Reference:
    """One instance lives in one process."""

    versions = ("1.0",)
    concurrency = 64

    def __init__(self):
        self.line_framing = os.environ.get("PLUGWIRE_FRAMING") == "line"
        self.state = "created"
        self.limits = {"maxFrameBytes": 4194304, "maxDepth": 128, "maxInFlight": 256}
        self.host = {}  # the host's capabilities
        self.buffer = b""
        self.taken = 0  # bytes of the stream before the buffer
        self.told = False  # a header that is not as FRM-01 has it
        self.ended = False
        self.lock = threading.RLock()
        self.writing = threading.Lock()
        self.incoming = {}  # open requests of the host: a key of the id -> an event that is set by a cancel
        self.calls = {}  # our open requests: id -> a list that gets the response, and an event
        self.last_id = 0
        self.noted = []
        self.served = threading.local()
        self.relays = {}  # subscription -> topic to publish on
        self.channels = {}  # (channel, role) -> Membership
        self.mappings = {}
        self.lost_locks = {}
        # The wire is ours alone: a print in some dependency goes to standard error.
        self.input, self.output = os.dup(0), os.dup(1)
        os.dup2(2, 1)

    # Framing.

    def read_some(self):
        data = os.read(self.input, 65536)
        self.ended = self.ended or not data
        self.buffer += data
        return bool(data)

    def read_line(self):
        """The next line with its end, or None at the end of the stream."""
        looked = 0
        while (end := self.buffer.find(b"\n", looked)) < 0:
            looked = len(self.buffer)
            self.check_line(looked)
            if not self.read_some():
                return None
        return self.take(end + 1)

    def take(self, size):
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        self.taken += size
        return data

    def check_line(self, size):
        limit = self.limits["maxFrameBytes"] if self.line_framing else MAX_HEADER
        if size > limit + 1:
            raise Lost("a line that is too long")

    def read_frame(self):
        """The next body; None at the end of the stream."""
        return self.read_line_frame() if self.line_framing else self.read_header_frame()

    def read_line_frame(self):
        while True:
            line = self.read_line()
            if line is None:
                if self.buffer:
                    raise Lost("the stream ended inside a line")
                return None
            body = line.removesuffix(b"\n").removesuffix(b"\r")
            if len(body) > self.limits["maxFrameBytes"]:
                raise Lost("a line that is too long")
            if body:
                return body

    def read_header_frame(self):
        headers, size, start = [], 0, self.taken
        while True:
            line = self.read_line()
            if line is None:
                if headers or self.buffer:
                    raise Lost("the stream ended inside a header")
                return None
            size += len(line)
            if size > MAX_HEADER:
                raise Lost("a header block that is too long")
            line = line.removesuffix(b"\n").removesuffix(b"\r")
            if not line:
                break
            headers.append(line)
        length = self.length_of(headers)
        if len(headers) > 1 or not headers[0].startswith(b"Content-Length: "):
            self.tell_deviation(start)
        return self.read_body(length)

    def tell_deviation(self, offset):
        """Reports a header that is not as FRM-01 has it, once (FRM-08)."""
        if not self.told:
            self.told = True
            sys.stderr.write(f"plugin: an unusual header at byte {offset}\n")
            sys.stderr.flush()

    def length_of(self, headers):
        lengths = []
        for line in headers:
            name, colon, value = line.partition(b":")
            if not colon or not self.is_header_name(name):
                raise Lost("a line that is no header")
            if self.is_length_name(name):
                lengths.append(value.strip(b" \t"))
        return self.choose_length(lengths)

    def is_header_name(self, name):
        return re.fullmatch(rb"[!-9;-~]+", name) is not None

    def is_length_name(self, name):
        return name.lower() == b"content-length"

    def choose_length(self, lengths):
        if len(lengths) != 1:
            raise Lost("not just one Content-Length")
        return self.parse_length(lengths[0])

    def parse_length(self, value):
        if not re.fullmatch(rb"[0-9]{1,10}", value):
            raise Lost("a length that is none")
        if int(value) > self.limits["maxFrameBytes"]:
            raise Lost("a length above the limit")
        return int(value)

    def read_body(self, length):
        while len(self.buffer) < length:
            if not self.read_some():
                raise Lost("the stream ended inside a body")
        return self.take(length)

    def write_frame(self, body):
        """Writes one whole frame; the lock keeps frames of several threads apart."""
        data = self.frame(body)
        with self.writing:
            while data:
                data = data[os.write(self.output, data) :]

    def frame(self, body):
        return body + b"\n" if self.line_framing else b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

    # Messages.

    def decode(self, body):
        """The JSON value of a body; raises ValueError."""
        self.check_depth(body)
        text = self.to_text(body)
        return self.parse(text)

    def to_text(self, body):
        if body.startswith(b"\xef\xbb\xbf"):
            raise ValueError("a byte order mark")
        return body.decode("utf-8")

    def parse(self, text):
        value = json.loads(
            text, parse_constant=self.refuse_constant, parse_int=self.parse_int, parse_float=self.parse_float
        )
        if "\\u" in text:
            self.check_surrogates(value)
        return value

    def parse_int(self, digits):
        return int(digits) if len(digits) < 4000 else self.parse_float(digits)

    def parse_float(self, digits):
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            raise ValueError("a number that cannot be held")
        return value

    def refuse_constant(self, name):
        raise ValueError(f"{name} is no JSON")

    def check_surrogates(self, value):
        json.dumps(value, ensure_ascii=False).encode("utf-8")

    def check_depth(self, body):
        if body.count(b"[") + body.count(b"{") <= self.limits["maxDepth"]:
            return  # far from it, strings or not
        depth, inside, escaped = 0, False, False
        for byte in body:
            if inside:
                if escaped:
                    escaped = False
                elif byte == 0x5C:
                    escaped = True
                elif byte == 0x22:
                    inside = False
            elif byte == 0x22:
                inside = True
            elif byte in b"[{":
                depth += 1
                if depth > self.limits["maxDepth"]:
                    raise ValueError("nested too deeply")
            elif byte in b"]}":
                depth -= 1

    def encode(self, message):
        return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")

    def send(self, message):
        body = self.encode(message)
        if len(body) > self.limits["maxFrameBytes"]:
            self.send_too_large(message)
        else:
            self.write_frame(body)

    def send_too_large(self, message):
        if "method" in message:
            raise Refused(TOO_LARGE, "the message is larger than maxFrameBytes")
        self.send_error(message["id"], {"code": TOO_LARGE, "message": "the result is larger than maxFrameBytes"})

    def send_result(self, id, result):
        self.send({"jsonrpc": "2.0", "id": id, "result": result})

    def send_error(self, id, error):
        self.send({"jsonrpc": "2.0", "id": id, "error": error})

    def is_id(self, value):
        if isinstance(value, str):
            return len(value) <= 128
        return type(value) is int and abs(value) <= SAFE

    def key(self, id):
        """Tells 1 and "1" apart."""
        return (type(id).__name__, id)

    # The loop.

    def run(self):
        try:
            while (body := self.read_frame()) is not None:
                self.take_body(body)
        except Lost as error:
            self.leave(str(error))
        self.end_of_input()

    def leave(self, why):
        """Ends the process after a lost frame boundary."""
        sys.stderr.write(f"plugin: {why}\n")
        sys.stderr.flush()
        os._exit(1)

    def end_of_input(self):
        os._exit(self.exit_code())

    def exit_code(self):
        return 0 if self.state == "stopping" else 1

    def take_body(self, body):
        try:
            message = self.decode(body)
        except (ValueError, RecursionError):
            self.send_error(None, {"code": PARSE_ERROR, "message": "the body is no JSON"})
            return
        self.take_message(message)

    def take_message(self, message):
        if isinstance(message, dict) and "method" not in message and ("result" in message or "error" in message):
            self.take_response(message)
            return
        problem = self.problem(message)
        if problem:
            self.refuse_message(message, problem)
        elif "id" in message:
            self.take_request(message)
        else:
            self.take_notification(message)

    def problem(self, message):
        if not isinstance(message, dict):
            return "a message is an object"
        if message.get("jsonrpc") != "2.0":
            return "jsonrpc is not 2.0"
        if not isinstance(message.get("method"), str) or not message["method"]:
            return "method is no name"
        if "params" in message and not isinstance(message["params"], dict):
            return "params is no object"
        if "id" in message and not self.is_id(message["id"]):
            return "id is no id"
        return ""

    def refuse_message(self, message, problem):
        id = message.get("id") if isinstance(message, dict) else None
        self.send_error(id if self.is_id(id) else None, {"code": INVALID_REQUEST, "message": problem})

    # Requests.

    def take_request(self, message):
        id, method = message["id"], message["method"]
        if self.key(id) in self.incoming:
            self.send_error(id, {"code": INVALID_REQUEST, "message": "the id is in flight"})
            return
        handler = self.protocol_method(method)
        if handler:
            self.answer(message, handler)
        elif self.state != "ready":
            self.send_error(id, {"code": NOT_INITIALIZED, "message": f"not in the state {self.state}"})
        elif len(self.incoming) >= self.limits["maxInFlight"]:
            self.send_error(id, {"code": OVERLOADED, "message": "too many requests in flight"})
        else:
            self.start(message)

    def protocol_method(self, method):
        return {"initialize": self.initialize, "shutdown": self.shutdown, "ping": self.ping}.get(method)

    def start(self, message):
        """Begins a request of the host's plugins: at once when it is quick, on a thread of its own when it takes
        time.
        """
        handler = self.handler(message["method"])
        cancelled = threading.Event()
        with self.lock:
            self.incoming[self.key(message["id"])] = cancelled
        if handler in (self.echo, self.fail, self.error, self.repeat, self.noted_values, self.unknown):
            self.serve(message, handler, cancelled)
        else:
            threading.Thread(target=self.serve, args=(message, handler, cancelled), daemon=True).start()

    def handler(self, method):
        return self.methods().get(method, self.unknown)

    def methods(self):
        return {
            "conformance/echo": self.echo,
            "conformance/sleep": self.sleep,
            "conformance/fail": self.fail,
            "conformance/error": self.error,
            "conformance/repeat": self.repeat,
            "conformance/call": self.call_host,
            "conformance/notify": self.notify_host,
            "conformance/noted": self.noted_values,
            "conformance/progress": self.progress,
            "conformance/relay": self.relay,
            "conformance/produce": self.produce,
            "conformance/consume": self.consume,
            "conformance/write": self.write_memory,
            "conformance/read": self.read_memory,
            "conformance/lock": self.hold_lock,
            "conformance/renew": self.renew_lock,
            "hook/call": self.hook,
        }

    def serve(self, message, handler, cancelled):
        self.served.request, self.served.cancelled = message, cancelled
        self.answer(message, handler, done=lambda: self.incoming.pop(self.key(message["id"]), None))

    def answer(self, message, handler, done=lambda: None):
        """Runs a handler and sends its one answer."""
        try:
            result = handler(message.get("params", {}))
            reply = {"result": result}
        except Refused as refused:
            reply = {"error": refused.error}
        except Exception as error:
            reply = {"error": self.internal(error)}
        with self.lock:
            done()
            self.reply(message, reply)
        if message["method"] == "shutdown" and "result" in reply:
            self.state = "stopping"

    def reply(self, message, reply):
        self.send({"jsonrpc": "2.0", "id": message["id"], **reply})

    def internal(self, error):
        return {"code": INTERNAL, "message": "the handler failed"}

    def unknown(self, params):
        raise Refused(METHOD_NOT_FOUND, "there is no such method")

    # Lifecycle.

    def initialize(self, params):
        if self.state != "created":
            raise Refused(INVALID_REQUEST, "initialize comes once")
        self.check_version(params.get("protocolVersion"))
        self.limits |= params.get("limits", {})
        self.host = params.get("capabilities", {})
        self.state = "initializing"
        return self.about()

    def check_version(self, version):
        if not isinstance(version, str) or not re.fullmatch(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})", version):
            raise Refused(INVALID_PARAMS, "no version", self.problems("protocolVersion", "a version such as 1.0"))
        if version.partition(".")[0] != "1":
            raise Refused(UNSUPPORTED, "only version 1 is spoken here", {"supported": list(self.versions)})

    def problems(self, name, expected):
        return {"problems": [{"path": f"$.{name}", "message": f"expected {expected}"}]}

    def about(self):
        names = [name.partition("/")[2] for name in self.methods() if name.startswith("conformance/")]
        return {
            "protocolVersion": "1.0",
            "plugin": {"name": "reference", "version": "1.0"},
            "capabilities": self.capabilities(),
            "provides": [{"service": "conformance", "version": "1.0", "methods": [*names, "note"]}],
            "hooks": [{"name": "conformance.shout", "mode": "change"}],
        }

    def capabilities(self):
        return {"meta": True, "concurrency": self.concurrency, "memory": True}

    def shutdown(self, params):
        if self.state != "ready":
            raise Refused(NOT_INITIALIZED, f"not in the state {self.state}")
        for cancelled in list(self.incoming.values()):
            cancelled.set()
        until = time.monotonic() + 5
        while self.incoming and time.monotonic() < until:
            time.sleep(0.002)
        return

    def ping(self, params):
        return None

    # Notifications.

    def take_notification(self, message):
        method, params = message["method"], message.get("params", {})
        if method == "exit":
            os._exit(self.exit_code())
        elif method == "initialized":
            if self.state == "initializing":
                self.state = "ready"
        elif method == "$/cancelRequest":
            self.cancel(params.get("id"))
        elif self.state == "ready":
            self.notified(method, params)

    def notified(self, method, params):
        if method == "conformance/note":
            self.noted.append(params.get("value"))
        elif method == "event/deliver":
            self.relayed(params)
        elif method == "channel/deliver" and (params.get("channel"), "consumer") in self.channels:
            self.channels[params["channel"], "consumer"].delivered(params)
        elif method in ("channel/credit", "channel/closed"):
            self.channel_told(method, params)
        elif method == "lock/lost":
            with self.lock:
                self.lost_locks.setdefault(params.get("name"), threading.Event()).set()

    def cancel(self, id):
        cancelled = self.incoming.get(self.key(id)) if self.is_id(id) else None
        if cancelled:
            cancelled.set()

    # Our own calls.

    def take_response(self, message):
        id = message.get("id")
        call = self.calls.get(id) if type(id) is int else None
        if call:
            call[0].append(self.checked(message))
            call[1].set()

    def checked(self, message):
        """The response, or an error of our own where it breaks MSG-05 or MSG-06."""
        error = message.get("error")
        good = isinstance(error, dict) and type(error.get("code")) is int and isinstance(error.get("message"), str)
        if ("result" in message) == ("error" in message) or ("error" in message and not good):
            return {"error": {"code": INTERNAL, "message": "the response is no response"}}
        return message

    def call(self, method, params, timeout=30):
        """Calls a method of the host on behalf of the request that is being served; its response."""
        with self.lock:
            self.last_id += 1
            id, call = self.last_id, ([], threading.Event())
            self.calls[id] = call
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params} | self.meta())
        until = time.monotonic() + timeout
        while not call[1].wait(0.01) and time.monotonic() < until and not self.is_given_up():
            pass
        del self.calls[id]
        return call[0][0] if call[0] else {"error": {"code": INTERNAL, "message": "no answer"}}

    def is_given_up(self):
        """The request for which this thread works was cancelled."""
        cancelled = getattr(self.served, "cancelled", None)
        return cancelled is not None and cancelled.is_set()

    def meta(self):
        request = getattr(self.served, "request", None)
        return {"meta": {"parent": self.parent(request)}} if request and self.host.get("meta") else {}

    def parent(self, request):
        return request["id"]

    def result_of(self, method, params):
        response = self.call(method, params)
        if "error" in response:
            raise Refused(response["error"]["code"], response["error"]["message"], response["error"].get("data"))
        return response["result"]

    def notify(self, method, params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    # The fixture methods.

    def echo(self, params):
        return params

    def sleep(self, params):
        if type(params.get("ms")) is not int:
            raise Refused(INVALID_PARAMS, "ms is no number", self.problems("ms", "milliseconds"))
        if self.served.cancelled.wait(params["ms"] / 1000):
            raise Refused(CANCELLED, "cancelled")

    def fail(self, params):
        raise RuntimeError("this handler fails")

    def error(self, params):
        raise Refused(params["code"], params["message"], params.get("data"))

    def repeat(self, params):
        return {"text": params["text"] * params["times"]}

    def call_host(self, params):
        response = self.call(params["method"], params.get("params", {}))
        return {name: response[name] for name in ("result", "error") if name in response}

    def notify_host(self, params):
        self.notify(params["method"], params.get("params", {}))

    def noted_values(self, params):
        values, self.noted = self.noted, []
        return {"values": values}

    def progress(self, params):
        token = self.served.request.get("meta", {}).get("progress")
        for step in range(params["steps"]):
            if token is not None:
                self.notify("$/progress", {"token": token, "value": {"done": step + 1, "total": params["steps"]}})

    def relay(self, params):
        answer = self.result_of("event/subscribe", {"topic": params["topic"]})
        self.relays[answer["subscription"]] = params["to"]

    def relayed(self, params):
        if params["subscription"] in self.relays:
            topic = self.relays[params["subscription"]]
            self.notify("event/publish", {"topic": topic, "data": params.get("data"), "hops": self.hops(params)})

    def hops(self, event):
        return event.get("hops", 0) + 1

    def hook(self, params):
        value = params["value"]
        return {"value": value.upper()} if isinstance(value, str) else {}

    # Channels.

    def channel_told(self, method, params):
        member = self.channels.get((params.get("channel"), params.get("role", "producer")))
        if member:
            member.told(method, params)

    def produce(self, params):
        member = Producer(self, params["channel"])
        return {"sent": member.run(params["items"])}

    def consume(self, params):
        member = Consumer(self, params["channel"])
        return {"items": member.run(params["count"])}

    # Memory.

    def write_memory(self, params):
        data = params["text"].encode("utf-8")
        made = self.result_of("memory/create", {"size": max(1, len(data))})
        with open(made["path"], "r+b") as file:
            mapping = mmap.mmap(file.fileno(), max(1, len(data)))
        mapping[: len(data)] = data
        self.mappings[made["memory"]] = mapping
        commit = {"memory": made["memory"], "length": len(data), "checksum": f"crc32:{zlib.crc32(data):08x}"}
        return {
            "memory": {"$memory": made["memory"]},
            "generation": self.result_of("memory/commit", commit)["generation"],
        }

    def read_memory(self, params):
        attached = self.result_of("memory/attach", {"memory": params["memory"]})
        with open(attached["path"], "rb") as file:
            data = self.committed_bytes(file.read(), attached)
        self.check_sum(data, attached)
        self.result_of("memory/attach", {"memory": params["memory"], "generation": attached["generation"]})
        return {"text": data.decode("utf-8"), "generation": attached["generation"]}

    def committed_bytes(self, data, attached):
        return data[: attached["length"]]

    def check_sum(self, data, attached):
        if attached.get("checksum", f"crc32:{zlib.crc32(data):08x}") != f"crc32:{zlib.crc32(data):08x}":
            raise Refused(INTERNAL, "the bytes do not fit their checksum")

    # Locks.

    def hold_lock(self, params):
        lost = self.lost_locks.setdefault(params["name"], threading.Event())
        sent = time.monotonic()
        self.result_of("lock/acquire", {"name": params["name"], "leaseMs": params["leaseMs"]})
        self.wait_for_loss(lost, sent + params["leaseMs"] / 1000 - time.monotonic())
        return {"lost": True}

    def wait_for_loss(self, lost, seconds):
        lost.wait(max(0, seconds))

    def renew_lock(self, params):
        lock = {"name": params["name"], "leaseMs": params["leaseMs"]}
        token = self.result_of("lock/acquire", lock)["token"]
        for _ in range(params["renewals"]):
            time.sleep(self.renewal_after(params["leaseMs"]))
            self.result_of("lock/renew", {"name": params["name"], "token": token})
        self.result_of("lock/release", {"name": params["name"], "token": token})
        return {"renewed": params["renewals"]}

    def renewal_after(self, lease_ms):
        return lease_ms / 3000


class Membership:
    """A membership of a channel; what the host says wakes whoever waits."""

    role = ""

    def __init__(self, plugin, channel):
        self.plugin, self.channel = plugin, channel
        self.changed = threading.Condition()
        self.closed = None
        plugin.channels[channel, self.role] = self

    def told(self, method, params):
        with self.changed:
            if method == "channel/closed":
                self.closed = params
            else:
                self.items += params.get("items", 0)
                self.bytes += params.get("bytes", 0)
            self.changed.notify_all()

    def wait(self, ready):
        with self.changed:
            self.changed.wait_for(lambda: ready() or self.closed, 30)

    def leave(self):
        self.plugin.channels.pop((self.channel, self.role), None)
        self.plugin.call("channel/leave", {"channel": self.channel, "role": self.role})


class Producer(Membership):
    role = "producer"
    items = bytes = 0

    def run(self, items):
        joined = self.plugin.result_of("channel/join", {"channel": self.channel, "role": self.role})
        with self.changed:
            self.items += joined["credit"]["items"]
            self.bytes += joined["credit"]["bytes"]
        self.largest = joined["maxItemBytes"]
        sent = 0
        for item in items:
            size = len(self.plugin.encode(item))
            if size > self.largest:
                self.too_large(item)
                continue
            self.wait(lambda: self.may_send(size))
            if self.closed:
                break
            sent += 1
            self.items -= 1
            self.bytes -= size
            self.send(sent, item)
        self.leave()
        return sent

    def too_large(self, item):
        """An item that no frame can carry is left out."""

    def may_send(self, size):
        return self.items > 0 and self.bytes > 0

    def send(self, seq, item):
        self.plugin.notify("channel/send", {"channel": self.channel, "seq": seq, "items": [item]})


class Consumer(Membership):
    role = "consumer"
    credit = 16

    def __init__(self, plugin, channel):
        super().__init__(plugin, channel)
        self.got = []

    def delivered(self, params):
        with self.changed:
            self.got += params["items"]
            self.acknowledge(params["seq"] + len(params["items"]) - 1)
            self.changed.notify_all()

    def acknowledge(self, seq):
        self.plugin.notify("channel/ack", {"channel": self.channel, "seq": seq})

    def give_credit(self, items):
        credit = {"channel": self.channel, "role": self.role, "items": items, "bytes": 0}
        self.plugin.notify("channel/credit", credit)

    def run(self, count):
        self.plugin.result_of(
            "channel/join", {"channel": self.channel, "role": self.role, "credit": self.first_credit()}
        )
        given = self.credit
        while len(self.got) < count and not self.closed:
            before = len(self.got)
            if given - before < self.credit // 2:
                self.give_credit(self.credit)
                given += self.credit
            self.wait(lambda: len(self.got) != before)
        self.leave()
        return self.got[:count]

    def first_credit(self):
        return {"items": self.credit, "bytes": 2**31 - 1}


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kind = Reference
    if len(sys.argv) > 1:
        sys.path.insert(0, str(HERE.parents[2]))
        from tests.conformance.mutants import vices

        kind = vices.load("plugin", "tests.conformance.mutants.plugin_vices")[sys.argv[1]].apply(Reference)
    kind().run()


if __name__ == "__main__":
    main()
