"""A report as a badge: the JSON that a badge service asks for, and an SVG that needs no service."""

import json
from xml.sax.saxutils import escape

from ..report import Report
from .outline import KNOWN, conclusion, count_outcomes, was_anything_checked
from .visible import counted, one_line

_COLORS = {"brightgreen": "#2c7a4b", "yellow": "#9a6a00", "red": "#b3261e", "lightgrey": "#6b6f76"}
_HEIGHT = 20
_PADDING = 6
# About how wide the characters of an 11 px sans-serif are; the text is then fitted to it exactly.
_NARROW, _WIDE = frozenset("fijlrtI.,:;|!'()[] 1"), frozenset("mwMW@%")


def endpoint(report: Report) -> str:
    """The JSON of an endpoint badge, with a line end after it."""
    label, message, color = _parts(report)
    value = {"schemaVersion": 1, "label": label, "message": message, "color": color}
    return json.dumps(value if color != "red" else {**value, "isError": True}, indent=2) + "\n"


def svg(report: Report) -> str:
    """The badge as an SVG document without any outside resource, with a line end after it."""
    label, message, color = _parts(report)
    left, right = _width(label), _width(message)
    title = escape(f"{label}: {message}", {'"': "&quot;"})
    shapes = [
        f"<title>{title}</title>",
        f'<clipPath id="round"><rect width="{left + right}" height="{_HEIGHT}" rx="3"/></clipPath>',
        '<g clip-path="url(#round)">',
        f'<rect width="{left}" height="{_HEIGHT}" fill="#3d4148"/>',
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_COLORS[color]}"/>',
        "</g>",
        '<g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">',
        _text(label, _PADDING, left),
        _text(message, left + _PADDING, right),
        "</g>",
    ]
    attributes = f'width="{left + right}" height="{_HEIGHT}" role="img" aria-label="{title}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>\n' + "\n".join(shapes) + "\n</svg>\n"


def _parts(report: Report) -> tuple[str, str, str]:
    """Label, message, color."""
    counts = count_outcomes(report.cases)
    label = one_line(f"plugwire {report.spec}", 40)
    profile = one_line(report.profile, 40)
    if failed := counts.get("fail"):
        return label, counted(failed, "failure"), "red"
    if report.exit_code in (1, 3):
        return label, conclusion(report).lower().removeprefix("not conformant "), "red"
    if not was_anything_checked(report) or counts.get("error"):
        return label, "not determined" if counts.get("error") else "nothing was checked", "lightgrey"
    if known := counts.get(KNOWN):
        return label, f"{counted(known, 'known failure')} · {profile}", "yellow"
    if report.exit_code == 5:
        return label, "stale baseline", "yellow"
    return label, f"conformant · {profile}", "brightgreen"


def _width(text: str) -> int:
    return round(sum(4 if char in _NARROW else 10 if char in _WIDE else 7 for char in text)) + 2 * _PADDING


def _text(text: str, x: int, width: int) -> str:
    fitted = f'textLength="{width - 2 * _PADDING}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x}" y="14" {fitted}>{escape(text)}</text>'
