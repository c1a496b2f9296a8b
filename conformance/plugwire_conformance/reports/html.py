"""A report as one self-contained page: it reads without a script and asks nothing of any other place.

Owns: the head of the page, the summary, and how the parts come together. Does not own: findings, tables, escapes.
"""

import base64
import hashlib
import shlex
from importlib.resources import files
from string import Template

from ..report import Report
from .html_findings import findings
from .html_tables import all_cases, requirements
from .markup import Child, Markup, joined, tag, text
from .outline import EXIT_CODES, OUTCOMES, WORDS, conclusion, count_outcomes, subject_name
from .visible import clipped, one_line

_SECTIONS = {
    "fail": "failures",
    "error": "errors",
    "warn": "warnings",
    "known": "known",
}


def render(report: Report) -> str:
    """The whole page."""
    script = _part("page.js")
    return Template(_part("page.html")).substitute(
        title=text(one_line(f"{subject_name(report.subject)}: conformance with plugwire {report.spec}")),
        style=_part("page.css"),
        script=script,
        # The page runs this script and no other, whatever the texts in it try.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        summary=_summary(report),
        contents=joined(findings(report), requirements(report), all_cases(report), _about(report)),
    )


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _summary(report: Report) -> Markup:
    subject = report.subject
    name = [tag("span", text(clipped(subject.name or subject_name(subject), 120), keep=""))]
    if subject.name and subject.version:
        name += [Markup(" "), tag("span", subject.version, class_="version")]
    judged = len(report.cases)
    scope = f"Profile {report.profile}, {judged} case{'' if judged == 1 else 's'} in {report.seconds:.1f} s."
    look = "good" if report.exit_code == 0 else "bad"
    return joined(
        tag("p", f"Conformance of a {subject.role} with plugwire {report.spec}", class_="eyebrow"),
        tag("h1", *name),
        tag("p", tag("strong", conclusion(report), ".", class_=look), " ", scope, class_="conclusion"),
        _bar(report),
        _links(report),
    )


def _bar(report: Report) -> Markup | None:
    counts = count_outcomes(report.cases)
    if not counts:
        return None
    order = sorted(counts, key=("pass", *OUTCOMES).index)
    parts = [tag("span", class_=name, style=f"flex-grow:{counts[name]}") for name in order]
    legend = [tag("li", _legend(name, counts[name]), class_=name) for name in order]
    label = ", ".join(f"{counts[name]} {WORDS[name]}" for name in order)
    return joined(tag("div", *parts, class_="bar", role="img", aria_label=label), tag("ul", *legend, class_="legend"))


def _legend(name: str, number: int) -> Markup:
    words = joined(tag("b", str(number)), " ", _plural(name, number))
    return tag("a", words, href=f"#{_SECTIONS[name]}") if name in _SECTIONS else words


def _plural(name: str, number: int) -> str:
    if number == 1:
        return WORDS[name]
    return {"warn": "warnings", "known": "known failures", "error": "faults of the suite"}.get(name, WORDS[name])


def _links(report: Report) -> Markup:
    links = [("#about", "About this run")]
    if report.cases:
        links.insert(0, ("#cases", "All cases"))
    if report.requirements:
        links.insert(0, ("#requirements", "Sentence by sentence"))
    return tag("nav", *(tag("a", words, href=href) for href, words in links), aria_label="Sections")


def _about(report: Report) -> Markup:
    subject = report.subject
    rows: list[tuple[str, Child]] = [("Command", tag("code", shlex.join(subject.command)))]
    if subject.protocol_version:
        rows.append(("Speaks", f"protocol {subject.protocol_version}"))
    if subject.capabilities:
        rows.append(("Capabilities", joined(*(tag("code", name, class_="item") for name in subject.capabilities))))
    rows += [
        ("Suite", f"plugin-conform {report.suite}, for spec {report.spec}"),
        ("Profile", report.profile),
        ("Seed", str(report.seed)),
        ("Began", report.started),
        ("Exit code", f"{report.exit_code}, {EXIT_CODES.get(report.exit_code, 'unknown')}"),
    ]
    if report.baseline is not None:
        rows.append(("Baseline", report.baseline.file))
    rows += [("Note", note) for note in report.notes]
    parts = (joined(tag("dt", name), tag("dd", content)) for name, content in rows)
    heading = tag("h2", "About this run", id="about-title")
    return tag("section", heading, tag("dl", *parts, class_="facts"), id="about", aria_labelledby="about-title")
