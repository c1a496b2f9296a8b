"""Writes values as TOML, which the standard library only reads. Owns no file, and not what stands in one."""

import json
from typing import Any


def toml(value: Any) -> str:
    """A value as it stands behind a `=`: a text, a number, true or false, a list, or a mapping, which is inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    # JSON's numbers, true and false are TOML's as well.
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """A basic string with escapes for what cannot be printed. TOML has none for half a pair, which is spelled out."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    escaped = json.dumps(whole, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in escaped)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
