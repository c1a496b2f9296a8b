"""Vices about events, hooks, channels, memory and locks (chapters 06 to 10)."""

import zlib

from . import spoil, vice

LARGEST = 2**31 - 1


def member_vice(name, role, kills, because, **changes):
    """Makes a vice that changes what a producer or a consumer does."""

    def apply(reference):
        class Vice(reference):
            def produce(self, params):
                return super().produce(params)

        kind = f"{role.capitalize()}"

        def run(self, params):
            import __main__

            good = getattr(__main__, kind)
            member = type(kind, (good,), changes)(self, params["channel"])
            return (
                {"sent": member.run(params["items"])} if role == "producer" else {"items": member.run(params["count"])}
            )

        return type("Vice", (reference,), {"produce" if role == "producer" else "consume": run})

    vice("plugin", name, kills=kills, because=because)(apply)


@spoil("hops", "hops-stay", kills=("events/hops",), because="EVT-08")
def _(plugin, good, event):
    return max(1, event.get("hops", 0))


@spoil("about", "two-links-for-a-hook", kills="hooks/one-link-for-a-hook", because="HOK-01")
def _(plugin, good):
    about = good()
    about["hooks"].append({"name": "conformance.shout", "mode": "observe"})
    return about


@spoil("methods", "no-links", kills=("hooks/links-are-served", "hooks/answers"), because=("HOK-02", "HOK-10"))
def _(plugin, good):
    return {name: handler for name, handler in good().items() if name != "hook/call"}


@spoil("hook", "value-and-stop", kills="hooks/answers", because="HOK-10")
def _(plugin, good, params):
    return {"value": params["value"], "stop": None}


member_vice(
    "no-count-of-items", "producer", ("channels/credit-of-items",), "CHN-12", may_send=lambda self, size: self.bytes > 0
)
member_vice(
    "no-count-of-bytes", "producer", ("channels/credit-of-bytes",), "CHN-12", may_send=lambda self, size: self.items > 0
)


def send_with_wrapped_number(self, seq, item):
    number = (seq - 1) % 16 + 1
    self.plugin.notify("channel/send", {"channel": self.channel, "seq": number, "items": [item]})


member_vice("numbers-that-wrap", "producer", ("channels/numbers-of-batches",), "CHN-15", send=send_with_wrapped_number)


def send_too_large(self, item):
    if isinstance(item, str) and len(item) <= self.largest:
        self.plugin.notify("channel/send", {"channel": self.channel, "seq": 2, "items": [item]})


member_vice("items-by-characters", "producer", ("channels/largest-item",), "CHN-13", too_large=send_too_large)


def give_all_credit(self, items):
    credit = {"channel": self.channel, "role": self.role, "items": LARGEST, "bytes": 0}
    for _ in range(2):  # the first alone is no vice when nothing is left of what was given before
        self.plugin.notify("channel/credit", credit)


member_vice("credit-without-end", "consumer", ("channels/credit-of-a-consumer",), "CHN-25", give_credit=give_all_credit)
member_vice(
    "credit-once", "consumer", ("channels/credit-of-a-consumer",), "CHN-25", give_credit=lambda self, items: None
)
member_vice(
    "no-acknowledgement", "consumer", ("channels/acknowledgements",), "CHN-29", acknowledge=lambda self, seq: None
)


def acknowledge_too_much(self, seq):
    self.plugin.notify("channel/ack", {"channel": self.channel, "seq": seq + 1})


member_vice(
    "acknowledges-what-comes",
    "consumer",
    ("channels/acknowledgements", "channels/credit-of-a-consumer"),
    "CHN-29",
    acknowledge=acknowledge_too_much,
)


@spoil("result_of", "commits-first", kills="memory/written-before-the-commit", because="MEM-12")
def _(plugin, good, method, params):
    if method != "memory/commit":
        return good(method, params)
    mapping = plugin.mappings[params["memory"]]
    data, mapping[:] = mapping[:], bytes(len(mapping))
    params.pop("checksum")
    result = good(method, params)
    mapping[:] = data
    return result


@spoil("result_of", "another-checksum", kills="memory/checksum-of-a-commit", because="MEM-11")
def _(plugin, good, method, params):
    if method == "memory/commit":
        params["checksum"] = f"crc32:{zlib.adler32(plugin.mappings[params['memory']][: params['length']]):08x}"
    return good(method, params)


@spoil("committed_bytes", "reads-the-whole-file", kills="memory/within-the-length", because="MEM-10")
def _(plugin, good, data, attached):
    return data


@spoil("check_sum", "no-checksum", kills="memory/checksum-of-a-reader", because="MEM-11")
def _(plugin, good, data, attached):
    return None


@spoil("notified", "hears-nothing-of-a-loss", kills="locks/lost-when-told", because="LCK-14")
def _(plugin, good, method, params):
    if method != "lock/lost":
        good(method, params)


@spoil(
    "wait_for_loss",
    "waits-to-be-told",
    kills=("locks/lost-when-the-lease-has-passed", "locks/lease-begins-with-the-request"),
    because="LCK-14",
)
def _(plugin, good, lost, seconds):
    lost.wait(60)


@spoil("hold_lock", "lease-from-the-answer", kills="locks/lease-begins-with-the-request", because="LCK-14")
def _(plugin, good, params):
    plugin.result_of("lock/acquire", {"name": params["name"], "leaseMs": params["leaseMs"]})
    lost = plugin.lost_locks.setdefault(params["name"], __import__("threading").Event())
    plugin.wait_for_loss(lost, params["leaseMs"] / 1000)
    return {"lost": True}


@spoil("renewal_after", "renews-at-the-end", kills="locks/renewed-in-time", because="LCK-15")
def _(plugin, good, lease_ms):
    return lease_ms * 0.95 / 1000
