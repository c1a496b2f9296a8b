"""Hosts that read or write header framing wrongly where no boundary is lost (chapter 01)."""

from typing import Any

from tests.conformance.mutants.host_vices.patches import before, by_lines_only, frames
from tests.conformance.mutants.vices import vice


@vice("host", "wants-one-blank-after-the-colon", kills=("framing/header-name",), because="FRM-05")
def wants_one_blank_after_the_colon() -> None:
    from plugwire.wire.header_framing import HeaderReader

    by_lines_only()
    header = HeaderReader._header

    def exact(self: Any, line: bytes, found: Any, length: int | None, start: int) -> int | None:
        if found[1].lower() == b"content-length" and line != found[1] + b": " + found[2]:
            return length
        return header(self, line, found, length, start)

    HeaderReader._header = exact


@vice("host", "knows-no-content-type", kills=("framing/other-headers",), because="FRM-06")
def knows_no_content_type() -> None:
    from plugwire.wire.header_framing import HeaderReader

    header = HeaderReader._header

    def strict(self: Any, line: bytes, found: Any, length: int | None, start: int) -> int | None:
        if found[1].lower() == b"content-type":
            raise self._lost("a header that is not known")
        return header(self, line, found, length, start)

    HeaderReader._header = strict


@vice("host", "wants-cr-lf", kills=("framing/lf",), because="FRM-07")
def wants_cr_lf() -> None:
    from plugwire.wire.header_framing import HeaderReader

    read = HeaderReader._line

    def strict(self: Any, start: int, end: int, length: int | None) -> bytes:
        line = self._buffer.data[start:end]
        if line.lower().startswith(b"content-length:") and not line.endswith(b"\r"):
            raise self._lost("LF without CR")
        return read(self, start, end, length)

    HeaderReader._line = strict


@vice("host", "takes-no-leading-zeros", kills=("framing/leading-zeros",), because="FRM-12")
def takes_no_leading_zeros() -> None:
    from plugwire.wire.header_framing import HeaderReader

    by_lines_only()

    def strict(self: Any, digits: bytes) -> None:
        if digits.startswith(b"0") and digits != b"0":
            raise self._lost("a leading zero")

    before(HeaderReader, "_length", strict)


@vice("host", "keeps-deviations-to-itself", kills=("framing/deviation-told",), because="FRM-08")
def keeps_deviations_to_itself() -> None:
    from plugwire.wire.header_framing import HeaderReader

    HeaderReader._tell_deviations = lambda self: None


@vice("host", "loses-a-first-byte-that-comes-alone", kills=("framing/cut-anywhere",), because="FRM-09")
def loses_a_first_byte_that_comes_alone() -> None:
    from plugwire.wire.header_framing import HeaderReader

    before(HeaderReader, "receive_data", _drop_a_single_byte)


@vice("host", "loses-a-first-byte-of-a-line", kills=("lines/cut-anywhere",), because="FRM-09")
def loses_a_first_byte_of_a_line() -> None:
    from plugwire.wire.line_framing import LineReader

    before(LineReader, "receive_data", _drop_a_single_byte)


def _drop_a_single_byte(reader: Any, data: bytes) -> None:
    if len(reader.unread) == 1:
        reader._buffer.position, reader._buffer.data = 0, b""
        reader._buffer._partial.clear()


@vice(
    "host",
    "counts-characters",
    kills=("framing/bytes-counted", "framing/cut-anywhere", "everywhere/lengths-in-bytes"),
    because=("FRM-02", "FRM-09"),
)
def counts_characters() -> None:
    def count(body: bytes, framing: Any) -> bytes:
        length = len(body.decode()) if "ह".encode() in body else len(body)
        return b"Content-Length: %d\r\n\r\n%b" % (length, body)

    frames("header", count)


@vice("host", "writes-header-names-in-lower-case", kills=("everywhere/canonical-frames",), because="FRM-01")
def writes_header_names_in_lower_case() -> None:
    frames("header", lambda body, framing: b"content-length: %d\r\n\r\n%b" % (len(body), body))


@vice(
    "host",
    "writes-long-frames-in-two-pieces",
    kills=("framing/contiguous", "everywhere/whole-frames"),
    because="FRM-03",
    also=("everywhere/valid-json", "everywhere/only-frames", "everywhere/lengths-in-bytes"),
)
def writes_long_frames_in_two_pieces() -> None:
    from plugwire.connection import Connection

    write = Connection._write

    def in_two(self: Any, data: bytes) -> None:
        if len(data) < 150_000:
            write(self, data)
            return
        half = len(data) // 2
        write(self, data[:half])
        self._loop.call_later(0.02, write, self, data[half:])

    Connection._write = in_two


@vice("host", "takes-less-than-it-says", kills=("framing/largest-body",), because="FRM-17")
def takes_less_than_it_says() -> None:
    from plugwire.wire.header_framing import HeaderReader

    by_lines_only()

    def strict(self: Any, digits: bytes) -> None:
        if digits.isdigit() and int(digits) >= self.max_frame_bytes:
            raise self._lost("too long")

    before(HeaderReader, "_length", strict)


@vice("host", "takes-shorter-header-blocks", kills=("framing/header-block-size",), because="FRM-15")
def takes_shorter_header_blocks() -> None:
    from plugwire.wire import header_framing

    header_framing.MAX_HEADER_BYTES -= 1


@vice(
    "host",
    "sends-line-ends-inside-a-line",
    kills=("lines/one-line", "everywhere/canonical-frames", "everywhere/lengths-in-bytes"),
    because=("FRM-24", "FRM-02"),
)
def sends_line_ends_inside_a_line() -> None:
    frames("line", lambda body, framing: body + b"\n")


@vice("host", "takes-an-empty-line-for-noise", kills=("lines/line-ends",), because="FRM-25")
def takes_an_empty_line_for_noise() -> None:
    from plugwire.wire.line_framing import LineReader

    following = LineReader.next_frame

    def strict(self: Any) -> Any:
        if self._buffer.data[self._buffer.position :].startswith((b"\n", b"\r\n")):
            self._buffer.position += 1
            return self._noise(b"\n")
        return following(self)

    LineReader.next_frame = strict


@vice("host", "takes-shorter-lines", kills=("lines/largest",), because="FRM-26")
def takes_shorter_lines() -> None:
    from plugwire.wire.errors import RemoteProtocolError
    from plugwire.wire.line_framing import LineReader

    def strict(self: Any, length: int) -> None:
        if length >= self.max_frame_bytes:
            raise RemoteProtocolError("too long")

    LineReader._check_length = strict


@vice("host", "takes-lines-of-any-length", kills=("lines/too-long",), because="FRM-26")
def takes_lines_of_any_length() -> None:
    from plugwire.wire.line_framing import LineReader

    LineReader._check_length = lambda self, length: None


@vice("host", "answers-noise", kills=("lines/noise", "lines/noise-forbidden"), because=("FRM-27", "FRM-22"))
def answers_noise() -> None:
    from plugwire.wire.line_framing import LineReader

    LineReader._is_noise = lambda self, line: False


@vice("host", "ends-at-a-bad-line", kills=("lines/bad-line",), because="FRM-11")
def ends_at_a_bad_line() -> None:
    from plugwire.wire.errors import RemoteProtocolError
    from plugwire.wire.line_framing import LineReader

    following = LineReader.next_frame

    def strict(self: Any) -> Any:
        line = following(self)
        if isinstance(line, bytes) and not line.endswith((b"}", b"]")):
            raise RemoteProtocolError("a bad line")
        return line

    LineReader.next_frame = strict
