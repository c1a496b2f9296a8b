"""Plugins that cut the stream of header framing in another way than chapter 01 has it."""

import os
import re

from tests.conformance.mutants.vices import vice

#: Every case about a header that loses the boundary.
_REJECTING = (
    "framing/lost-boundary",
    "framing/lost-boundary-first",
    "framing/odd-length",
    "framing/two-lengths",
    "framing/no-length",
    "framing/bad-header-line",
    "framing/above-limit",
    "framing/body-above-limit",
    "framing/stray-bytes",
    "framing/wrong-length",
)
_REASONS = ("FRM-10", "FRM-12", "FRM-13", "FRM-14", "FRM-15", "FRM-16", "FRM-17", "FRM-23")


@vice(
    "plugin",
    "knows-one-letter-case",
    kills=("framing/name-in-any-case", "framing/deviations-reported", "framing/two-lengths"),
    because=("FRM-05", "FRM-13"),
)
def knows_one_letter_case(reference):
    class Vice(reference):
        def is_length_name(self, name):
            return name == b"Content-Length"

    return Vice


@vice("plugin", "wants-one-blank", kills=("framing/blanks-around-length",), because="FRM-05")
def wants_one_blank(reference):
    class Vice(reference):
        def length_of(self, headers):
            for line in headers:
                if self.is_length_name(line.partition(b":")[0]) and not re.search(rb": [^ \t]*$", line):
                    raise _lost(reference)("another blank")
            return super().length_of(headers)

    return Vice


@vice("plugin", "reads-headers-as-ascii", kills=("framing/other-headers",), because="FRM-06")
def reads_headers_as_ascii(reference):
    class Vice(reference):
        def length_of(self, headers):
            if any(max(line) > 0x7F for line in headers):
                raise _lost(reference)("no ASCII")
            return super().length_of(headers)

    return Vice


@vice("plugin", "splits-at-the-last-colon", kills=("framing/other-headers",), because="FRM-06")
def splits_at_the_last_colon(reference):
    class Vice(reference):
        def is_header_name(self, name):
            return super().is_header_name(name) and not any(
                name in line and line.count(b":") > 1 for line in self.block
            )

        def length_of(self, headers):
            self.block = headers
            return super().length_of(headers)

    return Vice


@vice("plugin", "waits-for-cr-lf", kills=("framing/line-feed-alone",), because="FRM-07")
def waits_for_cr_lf(reference):
    class Vice(reference):
        def read_line(self):
            while (end := self.buffer.find(b"\r\n")) < 0:
                self.check_line(len(self.buffer))
                if not self.read_some():
                    return None
            return self.take(end + 2)

    return Vice


@vice("plugin", "has-room-for-1024-bytes", kills=("framing/longest-header",), because="FRM-15")
def has_room_for_1024_bytes(reference):
    class Vice(reference):
        def length_of(self, headers):
            if sum(map(len, headers)) > 1024:
                raise _lost(reference)("a long header")
            return super().length_of(headers)

    return Vice


@vice("plugin", "tolerates-in-silence", kills=("framing/deviations-reported",), because="FRM-08")
def tolerates_in_silence(reference):
    class Vice(reference):
        def tell_deviation(self, offset):
            pass

    return Vice


@vice("plugin", "tells-the-same-again", kills=("framing/deviations-reported",), because="FRM-08")
def tells_the_same_again(reference):
    class Vice(reference):
        def tell_deviation(self, offset):
            self.told = False
            super().tell_deviation(offset)

    return Vice


@vice(
    "plugin", "decodes-each-piece", kills=("framing/any-cut", "everywhere/ids-of-answers"), because=("FRM-09", "MSG-13")
)
def decodes_each_piece(reference):
    class Vice(reference):
        def read_body(self, length):
            first = len(self.buffer)
            body = super().read_body(length)
            if first >= length:
                return body
            return (body[:first].decode("utf-8", "replace") + body[first:].decode("utf-8", "replace")).encode()

    return Vice


@vice(
    "plugin",
    "has-a-queue-of-100",
    kills=("framing/many-at-once", "robustness/flood-of-bad-bodies", "robustness/slow-reader"),
    because=("FRM-09", "MSG-26", "MSG-17"),
)
def has_a_queue_of_100(reference):
    return dropping(reference)


@vice(
    "plugin",
    "writes-characters-as-length",
    kills=("framing/length-in-bytes", "framing/any-cut", "json/texts-kept", "everywhere/lengths-in-bytes"),
    because=("FRM-02", "FRM-09", "MSG-21"),
)
def writes_characters_as_length(reference):
    class Vice(reference):
        def frame(self, body):
            return b"Content-Length: %d\r\n\r\n%b" % (len(body.decode()), body)

    return Vice


@vice("plugin", "mixes-frames", kills=("framing/whole-frames", "everywhere/whole-frames"), because="FRM-03")
def mixes_frames(reference):
    """Two threads that write at the same time, as it may happen without a lock."""

    class Vice(reference):
        first = b""

        def write_frame(self, body):
            data = self.frame(body)
            if not 100_000 < len(body) < 101_000:
                super().write_frame(body)
            elif self.first:
                first, self.first = self.first, b""
                self.write_all(first[:50_000] + data + first[50_000:])
            else:
                self.first = data

        def write_all(self, data):
            while data:
                data = data[os.write(self.output, data) :]

    return Vice


@vice("plugin", "drops-an-empty-body", kills=("framing/empty-body",), because="FRM-11")
def drops_an_empty_body(reference):
    class Vice(reference):
        def take_body(self, body):
            if body:
                super().take_body(body)

    return Vice


@vice("plugin", "refuses-the-largest-body", kills=("framing/largest-body",), because="FRM-17")
def refuses_the_largest_body(reference):
    class Vice(reference):
        def parse_length(self, value):
            length = super().parse_length(value)
            if length >= self.limits["maxFrameBytes"]:
                raise _lost(reference)("a length at the limit")
            return length

    return Vice


@vice(
    "plugin",
    "ends-well-after-a-lost-boundary",
    kills=(
        "framing/lost-boundary",
        "framing/lost-boundary-first",
        "framing/end-inside-frame",
        "robustness/changed-bytes",
    ),
    because=("FRM-10", "FRM-18"),
)
def ends_well_after_a_lost_boundary(reference):
    class Vice(reference):
        def leave(self, why):
            os._exit(0)

    return Vice


@vice(
    "plugin",
    "aborts-after-a-lost-boundary",
    kills=("framing/lost-boundary", "framing/lost-boundary-first", "robustness/changed-bytes", "everywhere/no-crash"),
    because=("FRM-10", "LIF-15"),
)
def aborts_after_a_lost_boundary(reference):
    class Vice(reference):
        def leave(self, why):
            os.abort()

    return Vice


@vice("plugin", "takes-the-last-body-again", kills=("framing/lost-boundary",), because="FRM-10")
def takes_the_last_body_again(reference):
    class Vice(reference):
        last = b""

        def take_body(self, body):
            self.last = body
            super().take_body(body)

        def leave(self, why):
            if self.last:
                self.take_body(self.last)
            super().leave(why)

    return Vice


@vice("plugin", "waits-for-a-good-beginning", kills=("framing/lost-boundary-first",), because="FRM-10")
def waits_for_a_good_beginning(reference):
    class Vice(reference):
        def read_header_frame(self):
            return _read_on(self, super().read_header_frame, self.state == "created")

    return Vice


@vice("plugin", "looks-for-the-next-frame", kills=(*_REJECTING, "framing/long-header"), because=_REASONS)
def looks_for_the_next_frame(reference):
    class Vice(reference):
        def read_header_frame(self):
            return _read_on(self, super().read_header_frame, True)

    return Vice


@vice("plugin", "converts-with-int", kills=("framing/odd-length",), because="FRM-12")
def converts_with_int(reference):
    return _parsing(reference, lambda value: int(value.decode()))


@vice("plugin", "takes-leading-digits", kills=("framing/odd-length",), because="FRM-12")
def takes_leading_digits(reference):
    return _parsing(reference, lambda value: int(re.match(rb"[0-9]+", value)[0]))


@vice("plugin", "takes-hexadecimal", kills=("framing/odd-length",), because="FRM-12")
def takes_hexadecimal(reference):
    return _parsing(reference, lambda value: int(value, 16 if value.startswith(b"0x") else 10))


@vice("plugin", "takes-the-last-length", kills=("framing/two-lengths",), because="FRM-13")
def takes_the_last_length(reference):
    return _choosing(reference, lambda lengths: lengths[-1:])


@vice("plugin", "takes-the-first-length", kills=("framing/two-lengths",), because="FRM-13")
def takes_the_first_length(reference):
    return _choosing(reference, lambda lengths: lengths[:1])


@vice("plugin", "merges-equal-lengths", kills=("framing/two-lengths",), because="FRM-13")
def merges_equal_lengths(reference):
    return _choosing(reference, lambda lengths: list(dict.fromkeys(lengths)))


@vice(
    "plugin", "takes-no-length-as-0", kills=("framing/no-length", "framing/wrong-length"), because=("FRM-14", "FRM-10")
)
def takes_no_length_as_0(reference):
    return _choosing(reference, lambda lengths: lengths or [b"0"])


@vice(
    "plugin",
    "looks-at-the-end-of-a-name",
    kills=("framing/no-length", "framing/other-headers", "framing/wrong-length"),
    because=("FRM-14", "FRM-06", "FRM-10"),
)
def looks_at_the_end_of_a_name(reference):
    class Vice(reference):
        def is_length_name(self, name):
            return name.lower().endswith(b"content-length")

    return Vice


@vice("plugin", "skips-empty-blocks", kills=("framing/no-length",), because="FRM-14")
def skips_empty_blocks(reference):
    class Vice(reference):
        def read_header_frame(self):
            while self.buffer or self.read_some():
                if not self.buffer.startswith(b"\r\n"):
                    return super().read_header_frame()
                self.read_line()
            return None

    return Vice


@vice("plugin", "reads-headers-of-any-length", kills=("framing/long-header",), because="FRM-15")
def reads_headers_of_any_length(reference):
    class Vice(reference):
        def read_header_frame(self):
            globals_of(reference)["MAX_HEADER"] = 1 << 30
            return super().read_header_frame()

    return Vice


@vice("plugin", "waits-for-the-end-of-a-line", kills=("framing/long-header",), because="FRM-15")
def waits_for_the_end_of_a_line(reference):
    class Vice(reference):
        def check_line(self, size):
            pass

    return Vice


@vice("plugin", "takes-any-name", kills=("framing/bad-header-line",), because="FRM-16")
def takes_any_name(reference):
    class Vice(reference):
        def is_header_name(self, name):
            return True

    return Vice


@vice(
    "plugin",
    "skips-lines-without-colon",
    kills=("framing/bad-header-line", "framing/stray-bytes"),
    because=("FRM-16", "FRM-23"),
)
def skips_lines_without_colon(reference):
    class Vice(reference):
        def length_of(self, headers):
            return super().length_of([line for line in headers if b":" in line])

    return Vice


@vice("plugin", "drops-a-mark-before-a-header", kills=("framing/stray-bytes",), because="FRM-23")
def drops_a_mark_before_a_header(reference):
    class Vice(reference):
        def length_of(self, headers):
            return super().length_of([line.removeprefix(b"\xef\xbb\xbf") for line in headers])

    return Vice


@vice("plugin", "reads-the-body-before-it-looks", kills=("framing/above-limit",), because="FRM-17")
def reads_the_body_before_it_looks(reference):
    class Vice(reference):
        def parse_length(self, value):
            length = _without_limit(self, super().parse_length, value)
            if length > self.limits["maxFrameBytes"]:
                self.read_body(length)
                raise _lost(reference)("a length above the limit")
            return length

    return Vice


@vice("plugin", "counts-in-32-bits", kills=("framing/above-limit",), because="FRM-17")
def counts_in_32_bits(reference):
    class Vice(reference):
        def parse_length(self, value):
            length = _without_limit(self, super().parse_length, value)
            return super().parse_length(b"%d" % (length % 2**32))

    return Vice


@vice("plugin", "has-a-limit-of-its-own", kills=("framing/above-limit", "framing/body-above-limit"), because="FRM-17")
def has_a_limit_of_its_own(reference):
    class Vice(reference):
        def parse_length(self, value):
            length = _without_limit(self, super().parse_length, value)
            if length > 4194304:
                raise _lost(reference)("a length above my limit")
            return length

    return Vice


@vice("plugin", "takes-a-cut-body", kills=("framing/end-inside-frame",), because="FRM-18")
def takes_a_cut_body(reference):
    class Vice(reference):
        def read_body(self, length):
            while len(self.buffer) < length:
                if not self.read_some():
                    break
            return self.take(length)

    return Vice


@vice("plugin", "looks-for-a-header-after-no-json", kills=("framing/wrong-length",), because="FRM-10")
def looks_for_a_header_after_no_json(reference):
    class Vice(reference):
        def send_error(self, id, error):  # noqa: A002 - as the reference has it
            super().send_error(id, error)
            place = self.buffer.find(b"Content-Length")
            if error["code"] == -32700 and place > 0:
                self.take(place)

    return Vice


def dropping(reference, most=100):
    """Takes out all frames of a read, and forgets the first ones when they are too many."""

    class Vice(reference):
        def __init__(self):
            super().__init__()
            self.queue = []

        def read_frame(self):
            if not self.queue:
                body = super().read_frame()
                if body is None:
                    return None
                self.queue = [body]
                while self.next_is_whole():
                    self.queue.append(super().read_frame())
                del self.queue[:-most]
            return self.queue.pop(0)

        def next_is_whole(self):
            if self.line_framing:
                return b"\n" in self.buffer
            header = re.match(rb"Content-Length: ([0-9]+)\r\n\r\n", self.buffer)
            return header is not None and len(self.buffer) >= header.end() + int(header[1])

    return Vice


def globals_of(reference):
    """The module that the reference plugin is run from, which has no name to import it by."""
    return reference.read_header_frame.__globals__


def _lost(reference):
    return globals_of(reference)["Lost"]


def _read_on(plugin, read, forgives):
    """Reads a frame; forgets what is none, up to the next header, if it may."""
    while True:
        try:
            return read()
        except _lost(type(plugin).__mro__[1]):
            if not forgives or plugin.ended:
                raise
            while (place := plugin.buffer.find(b"Content-Length")) < 0 and plugin.read_some():
                pass
            plugin.take(max(0, place))


def _parsing(reference, convert):
    class Vice(reference):
        def parse_length(self, value):
            try:
                length = convert(value)
            except (ValueError, TypeError):
                raise _lost(reference)("a length that is none") from None
            return super().parse_length(b"%d" % max(0, length))

    return Vice


def _choosing(reference, choose):
    class Vice(reference):
        def choose_length(self, lengths):
            return super().choose_length(choose(lengths))

    return Vice


def _without_limit(plugin, parse, value):
    limit = plugin.limits["maxFrameBytes"]
    plugin.limits["maxFrameBytes"] = 10**10
    try:
        return parse(value)
    finally:
        plugin.limits["maxFrameBytes"] = limit
