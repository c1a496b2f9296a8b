"""Plugins that cut the stream of line framing in another way than chapter 01 has it."""

import os

from tests.conformance.mutants.plugin_vices.framing import dropping, globals_of
from tests.conformance.mutants.vices import vice


@vice(
    "plugin",
    "breaks-lines-in-texts",
    kills=("lines/one-line-each", "everywhere/lengths-in-bytes"),
    because=("FRM-24", "FRM-02"),
    in_lines=True,
)
def breaks_lines_in_texts(reference):
    class Vice(reference):
        def frame(self, body):
            return body.replace(b"\\n", b"\n") + b"\n"

    return Vice


@vice(
    "plugin",
    "ends-lines-with-cr-lf",
    kills=("lines/one-line-each", "everywhere/canonical-frames"),
    because=("FRM-24", "FRM-01"),
    in_lines=True,
)
def ends_lines_with_cr_lf(reference):
    class Vice(reference):
        def frame(self, body):
            return body + b"\r\n"

    return Vice


@vice(
    "plugin",
    "keeps-the-carriage-return",
    kills=("lines/carriage-return", "lines/empty-line", "lines/longest"),
    because=("FRM-25", "FRM-26"),
    in_lines=True,
)
def keeps_the_carriage_return(reference):
    class Vice(reference):
        def read_line(self):
            line = super().read_line()
            if line and line.endswith(b"\r\n"):
                raise globals_of(reference)["Lost"]("a carriage return")
            return line

    return Vice


@vice("plugin", "refuses-empty-lines", kills=("lines/empty-line",), because="FRM-25", in_lines=True)
def refuses_empty_lines(reference):
    class Vice(reference):
        def read_line(self):
            line = super().read_line()
            return b" \n" if line in (b"\n", b"\r\n") else line

    return Vice


@vice(
    "plugin",
    "decodes-each-piece-of-a-line",
    kills=("lines/any-cut", "everywhere/ids-of-answers"),
    because=("FRM-09", "MSG-13"),
    in_lines=True,
)
def decodes_each_piece_of_a_line(reference):
    class Vice(reference):
        def read_some(self):
            before = len(self.buffer)
            more = super().read_some()
            self.buffer = self.buffer[:before] + self.buffer[before:].decode("utf-8", "ignore").encode()
            return more

    return Vice


@vice(
    "plugin",
    "has-a-queue-of-50-lines",
    kills=("lines/many-at-once", "robustness/flood-of-bad-bodies", "robustness/slow-reader"),
    because=("FRM-09", "MSG-26", "MSG-17"),
    in_lines=True,
)
def has_a_queue_of_50_lines(reference):
    return dropping(reference, 50)


@vice("plugin", "counts-the-end-of-a-line", kills=("lines/longest",), because="FRM-26", in_lines=True)
def counts_the_end_of_a_line(reference):
    class Vice(reference):
        def read_line(self):
            line = super().read_line()
            if line and len(line) > self.limits["maxFrameBytes"]:
                raise globals_of(reference)["Lost"]("a line that is too long")
            return line

    return Vice


@vice("plugin", "reads-lines-of-any-length", kills=("lines/too-long",), because="FRM-26", in_lines=True)
def reads_lines_of_any_length(reference):
    class Vice(reference):
        def check_line(self, size):
            pass

        def read_line_frame(self):
            self.limits["maxFrameBytes"] = 1 << 30
            return super().read_line_frame()

    return Vice


@vice("plugin", "waits-for-the-end-of-a-long-line", kills=("lines/too-long",), because="FRM-26", in_lines=True)
def waits_for_the_end_of_a_long_line(reference):
    class Vice(reference):
        def check_line(self, size):
            pass

    return Vice


@vice(
    "plugin",
    "skips-lines-without-brace",
    kills=("lines/no-message", "json/no-json-body", "json/other-encodings", "json/byte-order-mark"),
    because=("FRM-27", "MSG-22", "MSG-21"),
    in_lines=True,
)
def skips_lines_without_brace(reference):
    class Vice(reference):
        def take_body(self, body):
            if body.startswith((b"{", b"[", b" ")):
                super().take_body(body)

    return Vice


@vice("plugin", "takes-a-cut-line", kills=("lines/end-inside",), because="FRM-18", in_lines=True)
def takes_a_cut_line(reference):
    class Vice(reference):
        def read_line_frame(self):
            try:
                return super().read_line_frame()
            except globals_of(reference)["Lost"]:
                if not self.ended:
                    raise
                return self.take(len(self.buffer))

    return Vice


@vice(
    "plugin",
    "ends-well-inside-a-line",
    kills=("lines/end-inside",),
    because=("FRM-18", "FRM-10"),
    in_lines=True,
)
def ends_well_inside_a_line(reference):
    class Vice(reference):
        def leave(self, why):
            os._exit(0)

    return Vice
