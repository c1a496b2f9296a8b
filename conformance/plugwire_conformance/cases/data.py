"""Sample bodies from the YAML files beside the cases: many bodies with one expectation each.

A section of a file is `samples`, a mapping of names to bodies, and perhaps `around`, a text in which each sample
takes the place of `@`. A body is a text, or a list of parts: a text, a byte as a number, or `{repeat: PARTS, times:
N}`.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from attrs import frozen

_PLACE = "@"


@frozen
class Sample:
    """One body; `name` is the name of its check."""

    name: str
    body: bytes


class _Loader(yaml.SafeLoader):
    """Refuses two entries of one name, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two entries have the name {twice.pop()}{node.start_mark}")
        return super().construct_mapping(node, deep)


@cache
def samples(file: str, section: str, package: str = "plugwire_conformance.cases.plugin") -> tuple[Sample, ...]:
    """The samples of a section of a file of that package, in the order of the file; there is at least one."""
    content = _document(file, package)[section]
    if not content["samples"] or content.keys() - {"around", "samples"}:
        raise ValueError(f"the section {section} of {file} is not as it must be")
    before, place, after = content.get("around", _PLACE).partition(_PLACE)
    if not place:
        raise ValueError(f"the text around the samples of {section} has no place for them")
    return tuple(
        Sample(name, before.encode() + _bytes(part) + after.encode()) for name, part in content["samples"].items()
    )


@cache
def _document(file: str, package: str) -> dict[str, Any]:
    text = files(package).joinpath(file).read_text("utf-8")
    document = yaml.load(text, _Loader)
    if not isinstance(document, dict):
        raise ValueError(f"{file} has no sections")
    return document


def _bytes(part: object) -> bytes:
    """The bytes of a body or of a part of one."""
    if isinstance(part, str):
        return part.encode("utf-8")
    if type(part) is int:
        return bytes((part,))
    if isinstance(part, list):
        return b"".join(map(_bytes, part))
    if isinstance(part, dict) and part.keys() == {"repeat", "times"}:
        return _bytes(part["repeat"]) * int(part["times"])
    raise ValueError(f"{part!r} is no part of a body")
