"""The bytes of one entry cut into headers and bodies, as far as they can be told apart, for people to read.

This is no reader of the protocol: it forgives everything, and shows what it does not understand as it stands.
"""

import re
from collections.abc import Iterator
from typing import Literal

from attrs import Factory, field, frozen

from ..report import Entry
from .layout import laid_out
from .visible import bytes_of, decoded, hex_lines, is_binary

_HEADERS = re.compile(rb"(?:[!-9;-~]+[ \t]*:[^\r\n]*\r?\n)+\r?\n")
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*([0-9]{1,10})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CANONICAL = re.compile(r"Content-Length: [0-9]+\r\n\r\n")
_MOST_HEX = 64 * 16


@frozen
class Piece:
    """Part of an entry, as it stands: "header", "json", "text" or "hex", a table of bytes. `laid` is it laid out."""

    kind: Literal["header", "json", "text", "hex"]
    text: str
    laid: str = field(default=Factory(lambda piece: piece.text, takes_self=True))

    @property
    def is_canonical(self) -> bool:
        """Whether it is a header just as the protocol writes it."""
        return self.kind == "header" and _CANONICAL.fullmatch(self.text) is not None


def pieces(entry: Entry) -> list[Piece]:
    """All that an entry holds, in order."""
    data = bytes_of(entry)
    if is_binary(entry):
        cut = [f"… {len(data) - _MOST_HEX} more bytes"] if len(data) > _MOST_HEX else []
        return [Piece("hex", "\n".join(hex_lines(data[:_MOST_HEX]) + cut))]
    if entry.kind not in ("sent", "received"):
        return [Piece("text", decoded(data))]
    return list(_cut(data))


def without_length(entry: Entry) -> str:
    """All that an entry holds on one line, but for canonical headers: they tell nothing that cannot be counted."""
    found = pieces(entry)
    if found and found[0].kind == "hex":
        return "".join(f"\\x{byte:02x}" for byte in bytes_of(entry)[:_MOST_HEX])
    return "".join(" " if piece.is_canonical else piece.text for piece in found).strip(" ")


def with_line_ends(text: str) -> str:
    """A header whose carriage returns and line feeds can be seen, each line on a line."""
    return text.replace("\r", r"\r").replace("\n", "\\n\n").removesuffix("\n")


def _cut(data: bytes) -> Iterator[Piece]:
    at = 0
    while at < len(data):
        header = _HEADERS.match(data, at)
        if header is None:
            yield _body(data[at:])
            return
        yield Piece("header", decoded(header[0]))
        length = _LENGTH.search(header[0])
        at = header.end() + int(length[1]) if length else len(data)
        if body := data[header.end() : at]:
            yield _body(body)


def _body(data: bytes) -> Piece:
    text = decoded(data)
    laid = laid_out(text)
    return Piece("text", text) if laid is None else Piece("json", text, laid)
