"""Hosts that lose, or let through, what plugins say to people (chapter 11)."""

from typing import Any

from tests.conformance.mutants.host_vices.patches import before
from tests.conformance.mutants.vices import vice


@vice("host", "drops-unknown-levels", kills=("logging/unknown-level",), because="LOG-02")
def drops_unknown_levels() -> None:
    from plugwire.wire.codec import decode_value
    from plugwire_host.services.log import LEVELS, LogService

    write = LogService._write

    def strict(self: Any, participant: Any, params: Any) -> None:
        if decode_value(params).get("level") in LEVELS:
            write(self, participant, params)

    LogService._write = strict


@vice("host", "takes-no-records-before-it-is-ready", kills=("logging/while-starting",), because="LIF-02")
def takes_no_records_before_it_is_ready() -> None:
    from plugwire.wire import MessageIgnored, State
    from plugwire.wire.peer import Peer

    check = Peer._check_received

    def strict(self: Any, request_id: Any, method: str) -> Any:
        if method == "log/write" and self.state is State.INITIALIZING:
            return MessageIgnored("too early")
        return check(self, request_id, method)

    Peer._check_received = strict


@vice(
    "host",
    "reads-only-a-part-of-standard-error",
    kills=("logging/stderr-is-read", "logging/long-line"),
    because=("LOG-03", "LOG-04"),
)
def reads_only_a_part_of_standard_error() -> None:
    from plugwire_host.process.stderr import StderrDrain

    def pause(self: Any, data: bytes) -> None:
        self.taken = getattr(self, "taken", 0) + len(data)
        if self.taken > 1 << 20:
            self._transport.pause_reading()

    before(StderrDrain, "data_received", pause)


@vice("host", "drops-a-line-without-an-end", kills=("logging/stderr-is-told",), because="LOG-04")
def drops_a_line_without_an_end() -> None:
    from plugwire_host.process.stderr import StderrDrain

    before(StderrDrain, "_finish", lambda self: self._line.clear())


@vice("host", "keeps-lines-of-any-length", kills=("logging/long-line",), because="LOG-05")
def keeps_lines_of_any_length() -> None:
    from plugwire_host.process import stderr

    stderr.LINE_BYTES = stderr.FORWARDED_BYTES = 1 << 30


@vice("host", "cuts-lines-and-does-not-say-so", kills=("logging/long-line",), because="LOG-05")
def cuts_lines_and_does_not_say_so() -> None:
    from plugwire_host.process import stderr

    stderr._text = lambda line, cut: line.decode("utf-8", "replace")


@vice("host", "shows-everything-as-it-is", kills=("logging/control-characters",), because="LOG-06")
def shows_everything_as_it_is() -> None:
    from plugwire_host.cli import output

    output.printable = lambda text: text
