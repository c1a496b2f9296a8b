"""Text of a subject made fit to be shown: what a terminal, a browser or an XML parser would obey is spelled out.

Owns: escapes of control characters, of what changes the direction of writing and of lone bytes, and how much is shown
of a long text. Does not own: the escapes of a format (markup, XML, JSON), which come on top.
"""

import base64
import binascii
import re

from ..report import Entry

#: Bytes that are no UTF-8 are decoded to these by "surrogateescape".
_LONE_BYTES = range(0xDC80, 0xDD00)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_HEX_WIDTH = 16


def escape_of(char: str) -> str:
    """How a character is spelled out that cannot be shown."""
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str, keep: str = "\n") -> str:
    """The text with all that cannot be printed spelled out, but for the characters to ``keep``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else escape_of(char) for char in text)


def one_line(text: str, most: int = 300) -> str:
    """The text on one line, cut where it is long."""
    return visible(clipped(text, most), keep="")


def clipped(text: str, most: int) -> str:
    """The beginning of a long text, with how much is missing."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({counted(len(text) - most, 'more character')})"


def pair_clipped(expected: str, got: str, most: int) -> tuple[str, str]:
    """Two texts cut alike, and so that the place where they begin to differ is shown."""
    pairs = zip(expected, got, strict=False)
    alike = next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(got)))
    start = alike - most // 4
    if max(len(expected), len(got)) <= most or start <= most // 4:
        return clipped(expected, most), clipped(got, most)
    head = f"({counted(start, 'character')} alike) …"
    return head + clipped(expected[start:], most), head + clipped(got[start:], most)


def counted(number: int, noun: str) -> str:
    """``1 warning``, ``12 000 warnings``: thin spaces between thousands would not survive every terminal."""
    return f"{number:,}".replace(",", " ") + f" {noun}{'' if number == 1 else 's'}"


def decoded(data: bytes) -> str:
    """Bytes as text; those that are no UTF-8 are spelled as they are in Python."""
    text = data.decode("utf-8", "surrogateescape")
    return "".join(f"\\x{ord(char) - 0xDC00:02x}" if ord(char) in _LONE_BYTES else char for char in text)


def bytes_of(entry: Entry) -> bytes:
    """What an entry holds, as bytes. What is no base64 is taken as text: a report may have been written by anyone."""
    if not entry.base64:
        return entry.text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(entry.base64, validate=True)
    except (binascii.Error, ValueError):
        return entry.base64.encode("utf-8", "replace")


def is_binary(entry: Entry) -> bool:
    """Whether an entry is better read as a table of bytes than as text with escapes."""
    if not entry.base64:
        return False
    data = bytes_of(entry)
    return len(re.findall(rb"[\x20-\x7e\r\n\t]", data)) < 0.7 * len(data)


def hex_lines(data: bytes) -> list[str]:
    """Sixteen bytes a line: offset, hexadecimal, ASCII."""
    lines = []
    for offset in range(0, len(data), _HEX_WIDTH):
        row = data[offset : offset + _HEX_WIDTH]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        lines.append(f"{offset:08x}  {row.hex(' '):<{3 * _HEX_WIDTH - 1}}  {shown}")
    return lines
