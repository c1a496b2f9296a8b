"""Hosts that go on after a lost frame boundary, or see one where there is none, and their handling of noise."""

import json
from typing import Any

from tests.conformance.mutants.host_vices.patches import before
from tests.conformance.mutants.vices import vice


@vice("host", "takes-a-plus-sign", kills=("framing/no-length",), because="FRM-12")
def takes_a_plus_sign() -> None:
    import re

    from plugwire.wire import header_framing

    header_framing._LENGTH = re.compile(rb"\+?[0-9]{1,10}")


@vice("host", "takes-the-last-of-two-lengths", kills=("framing/two-lengths",), because="FRM-13")
def takes_the_last_of_two_lengths() -> None:
    from plugwire.wire.header_framing import HeaderReader

    header = HeaderReader._header

    def last(self: Any, line: bytes, found: Any, length: int | None, start: int) -> int | None:
        is_length = found[1].lower() == b"content-length"
        return header(self, line, found, None if is_length else length, start)

    HeaderReader._header = last


@vice("host", "takes-headers-of-any-length", kills=("framing/header-block-too-long",), because="FRM-15")
def takes_headers_of_any_length() -> None:
    from plugwire.wire import header_framing

    header_framing.MAX_HEADER_BYTES = 1 << 20


@vice("host", "waits-for-a-body-of-any-length", kills=("framing/body-too-long",), because="FRM-17")
def waits_for_a_body_of_any_length() -> None:
    from plugwire.wire.header_framing import HeaderReader

    HeaderReader.max_frame_bytes = property(lambda self: 1 << 40, lambda self, limit: None)


@vice(
    "host",
    "takes-what-is-left-at-the-end",
    kills=("framing/end-inside-frame", "lines/end-inside-line"),
    because="FRM-18",
)
def takes_what_is_left_at_the_end() -> None:
    from plugwire.connection import Connection
    from plugwire.wire.framing import Buffer, frame

    def take_rest(self: Any) -> None:
        body = b"" if self.closed else self.peer.unread.rpartition(b"\r\n\r\n")[2]
        try:
            json.loads(body)
        except ValueError:
            return
        self.peer.reader._buffer = Buffer()
        self.data_received(frame(body, self.peer.framing))

    before(Connection, "_end_of_input", take_rest)


@vice("host", "takes-a-word-for-no-length", kills=("framing/calls-in-flight",), because="FRM-10")
def takes_a_word_for_no_length() -> None:
    from plugwire.wire.header_framing import HeaderReader

    header = HeaderReader._header

    def lenient(self: Any, line: bytes, found: Any, length: int | None, start: int) -> int | None:
        if found[1].lower() == b"content-length" and found[2].isalpha():
            return length
        return header(self, line, found, length, start)

    HeaderReader._header = lenient


@vice("host", "drops-empty-bodies", kills=("framing/empty-body",), because="FRM-11")
def drops_empty_bodies() -> None:
    from plugwire.wire.header_framing import HeaderReader

    following = HeaderReader.next_frame

    def dropping(self: Any) -> Any:
        while (found := following(self)) == b"":
            pass
        return found

    HeaderReader.next_frame = dropping


@vice("host", "ends-at-a-byte-order-mark", kills=("noise/between-frames",), because="FRM-19")
def ends_at_a_byte_order_mark() -> None:
    from plugwire.wire.header_framing import HeaderReader

    def strict(self: Any, stray: bytes) -> None:
        if stray.startswith(b"\xef\xbb\xbf"):
            raise self._lost("a byte order mark")

    before(HeaderReader, "_noise", strict)


@vice(
    "host",
    "wants-a-frame-first",
    kills=("noise/before-the-first-frame",),
    because="FRM-19",
)
def wants_a_frame_first() -> None:
    from plugwire.wire.header_framing import HeaderReader

    def strict(self: Any, stray: bytes) -> None:
        if self._buffer.offset == 0:
            raise self._lost("no frame at the start")

    before(HeaderReader, "_noise", strict)


@vice(
    "host",
    "says-nothing-of-noise",
    kills=("noise/told", "lines/noise", "ids/stray-response-told", "logging/control-characters"),
    because="FRM-19",
)
def says_nothing_of_noise() -> None:
    _leave_unsaid("Noise")


@vice("host", "says-nothing-of-stray-responses", kills=("ids/stray-response-told",), because="MSG-19")
def says_nothing_of_stray_responses() -> None:
    _leave_unsaid("MessageIgnored")


def _leave_unsaid(kind: str) -> None:
    from plugwire_host import host

    describe = host.describe_arrival
    host.describe_arrival = lambda arrival: None if type(arrival).__name__ == kind else describe(arrival)


@vice("host", "wants-frames-on-their-own-line", kills=("noise/glued",), because="FRM-20")
def wants_frames_on_their_own_line() -> None:
    import re

    from plugwire.wire import header_framing

    header_framing._GLUED_HEADER = re.compile(rb"(?!)()")


@vice("host", "stands-less-noise", kills=("noise/within-the-limit",), because="FRM-21")
def stands_less_noise() -> None:
    from plugwire.wire import header_framing

    header_framing.MAX_NOISE_BYTES = 60_000


@vice("host", "stands-any-noise", kills=("noise/too-much",), because="FRM-21")
def stands_any_noise() -> None:
    from plugwire.wire import header_framing

    header_framing.MAX_NOISE_BYTES = 1 << 30


@vice("host", "knows-no-strict-setting", kills=("noise/forbidden", "lines/noise-forbidden"), because="FRM-22")
def knows_no_strict_setting() -> None:
    from plugwire_host.supervision import launching

    launching.Peer = _Tolerant(launching.Peer)


class _Tolerant:
    """Makes peers that tolerate noise; stands for the class, also where its parameter is given."""

    def __init__(self, good: Any) -> None:
        self._good = good

    def __getitem__(self, parameter: Any) -> Any:
        return self

    def __call__(self, *args: Any, **more: Any) -> Any:
        return self._good(*args, **more | {"tolerate_noise": True})
