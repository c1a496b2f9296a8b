"""A report as JSON, and back. Its form is report.schema.json; the members are those of the classes in report.py.

The text is ASCII: whatever a subject said stands in it as ``\\u`` escapes, so that it is safe to print.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import cattrs
from cattrs.errors import ForbiddenExtraKeysError

from ..report import Level, Report, Role, Verdict

#: How a report names its schema, which is shipped beside report.py.
SCHEMA = "plugwire-conformance/report.schema.json"


class NotAReport(ValueError):
    """The text is no report that this version of the suite can read."""


def dumps(report: Report) -> str:
    """The report as JSON, with a line end after it."""
    value = {"$schema": SCHEMA, **_converter().unstructure(report)}
    return json.dumps(value, indent=2) + "\n"


def loads(text: str) -> Report:
    """The report in a JSON text. Raises NotAReport, which says where it does not fit."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAReport(f"this is no JSON: {error}") from None
    if not isinstance(value, dict) or value.pop("$schema", None) != SCHEMA:
        raise NotAReport(f'this is no report: the member "$schema" with the value "{SCHEMA}" was expected')
    try:
        return _converter().structure(value, Report)
    except Exception as error:
        raise NotAReport("this report cannot be read: " + cattrs.transform_error(error, "report", _worded)[0]) from None


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for scalar in (str, int, bool):
        converter.register_structure_hook(scalar, _strict(scalar))
    converter.register_structure_hook(float, _number)
    # The hook of `str` would take these too, which are strings, and leave them strings.
    for enumeration in (Verdict, Level, Role):
        converter.register_structure_hook(enumeration, lambda value, kind: kind(value))
    return converter


def _strict(kind: type) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _Misfit(f"a value of type {kind.__name__} was expected")
        return value

    return structure


def _number(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise _Misfit("a number was expected")
    return float(value)


class _Misfit(ValueError):
    pass


def _worded(error: BaseException, _: Any) -> str:
    match error:
        case KeyError():
            return f"the member {error.args[0]!r} is missing"
        case ForbiddenExtraKeysError():
            return "unknown members: " + ", ".join(sorted(error.extra_fields))
        case _:
            return str(error) or type(error).__name__
