"""Hosts that read JSON too generously, or change it on its way (chapter 02)."""

import re
from typing import Any

from tests.conformance.mutants.host_vices.patches import decoding
from tests.conformance.mutants.vices import vice


@vice("host", "drops-a-byte-order-mark", kills=("json/utf-8",), because="MSG-21")
def drops_a_byte_order_mark() -> None:
    decoding(lambda good, body, depth: good(body.removeprefix(b"\xef\xbb\xbf"), depth))


@vice(
    "host",
    "does-not-look-at-payloads",
    kills=("json/utf-8", "json/utf-8-of-a-call", "everywhere/valid-json"),
    because="MSG-21",
)
def does_not_look_at_payloads() -> None:
    from plugwire.wire import codec

    class Careless(bytes):
        def decode(self, *args: Any) -> str:
            return ""

    read = codec._decode_envelope
    codec._decode_envelope = lambda body: read(bytes(body))
    decoding(lambda good, body, depth: good(Careless(body), depth))


@vice("host", "forgives-trailing-commas", kills=("json/syntax", "json/syntax-of-a-call"), because="MSG-22")
def forgives_trailing_commas() -> None:
    _mending(lambda body: body.replace(b",]", b"]"))


@vice("host", "repairs-lone-surrogates", kills=("json/surrogates",), because="MSG-23")
def repairs_lone_surrogates() -> None:
    _mending(lambda body: re.sub(rb"(?i)\\ud[89a-f][0-9a-f]{2}", b"?", body))


def _mending(mend: Any) -> None:
    from plugwire.wire import codec

    def lenient(good: Any, body: bytes, depth: int) -> Any:
        try:
            return good(body, depth)
        except codec.MalformedJson:
            return good(mend(body), depth)

    decoding(lenient)


@vice("host", "wants-a-brace-first", kills=("json/unusual",), because="MSG-22")
def wants_a_brace_first() -> None:
    from plugwire.wire import codec

    def strict(good: Any, body: bytes, depth: int) -> Any:
        if body[:1].isspace():
            raise codec.MalformedJson("blanks")
        return good(body, depth)

    decoding(strict)


@vice("host", "allows-one-level-more", kills=("json/depth",), because="MSG-24")
def allows_one_level_more() -> None:
    decoding(lambda good, body, depth: good(body, depth + 1))


@vice("host", "writes-params-anew", kills=("json/forwarded",), because="MSG-25")
def writes_params_anew() -> None:
    import json

    from plugwire.wire.codec import Raw
    from plugwire_host.routing.link import PluginLink

    send = PluginLink.send

    def anew(self: Any, call: Any) -> None:
        if call.params is not None:
            call.params = Raw(json.dumps(json.loads(bytes(call.params)), ensure_ascii=False).encode())
        send(self, call)

    PluginLink.send = anew
