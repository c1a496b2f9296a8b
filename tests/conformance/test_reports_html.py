"""The page: well formed, self-contained, and with nothing in it that a subject could have put there."""

import re
from html.parser import HTMLParser

import pytest
from attrs import evolve

from plugwire_conformance.report import CaseResult, Entry, Level, Report, Verdict
from plugwire_conformance.reports import html
from plugwire_conformance.reports.html_parts import element_id
from plugwire_conformance.reports.markup import tag
from tests.conformance.sample import BAD_LENGTH, CLEAN, REPORT

VOID = {"meta", "input", "br", "hr"}


class Page(HTMLParser):
    """Reads a page as a browser would, as far as what matters here."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.misplaced: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data


@pytest.fixture(scope="module", params=[REPORT, CLEAN, evolve(CLEAN, cases=(), requirements=())])
def page(request: pytest.FixtureRequest) -> Page:
    return Page(html.render(request.param))


@pytest.fixture(scope="module")
def hostile() -> Page:
    return Page(html.render(REPORT))


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []
    assert page.misplaced == []


def test_only_elements_of_ours_are_there(page: Page) -> None:
    ours = (
        "html head meta title style body header main script section article nav h1 h2 h3 h4 p span div ul ol li dl dt "
        "dd a b strong code pre blockquote details summary table caption thead tbody tr th td form label input output"
    )
    assert page.tags <= set(ours.split())


def test_the_page_has_one_script_and_no_handlers(page: Page) -> None:
    assert [name for _, name, _ in page.attributes if name.startswith("on")] == []
    assert html.render(REPORT).count("<script") == 1


def test_ids_are_unique_and_every_link_leads_somewhere(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    links = [value for _, name, value in page.attributes if name == "href"]
    assert [link for link in links if not link.startswith("#") or link[1:] not in page.ids] == []


def test_nothing_is_asked_of_another_place(page: Page) -> None:
    assert {name for _, name, _ in page.attributes} & {"src", "srcset", "action", "data", "poster"} == set()
    assert "url(" not in html.render(REPORT)
    assert "@import" not in html.render(REPORT)


def test_only_the_script_of_the_page_may_run(page: Page) -> None:
    [policy] = [value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value]
    assert policy.startswith("default-src 'none'; ")
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}=';", policy)


def test_hostile_text_is_shown_and_not_obeyed(hostile: Page) -> None:
    shown = (
        r"""<script>alert(1)</script><img src=x onerror=alert(2)>]]>&amp;"' \x00\x08\x7f\x85\ufeff\ufffe \u202etfel"""
    )
    assert shown in hostile.text


def test_an_attribute_cannot_be_left() -> None:
    assert tag("p", "<b>", title='">\x1b\n<b>') == r"""<p title="&quot;&gt;\x1b\n&lt;b&gt;">&lt;b&gt;</p>"""


def test_a_page_holds_no_control_characters() -> None:
    assert html.render(REPORT).replace("\n", "").isprintable()


def test_a_failure_has_all_that_its_author_needs(hostile: Page) -> None:
    for told in (
        "A length that does not match ^[0-9]{1,10}$ in ASCII MUST be rejected",
        "the plugin took 0x28 as a length",
        r"Content-Length: 0x28\r\n",
        "the process ends, code not 0",
        "Two readers that take such a length differently see different messages in the same bytes.",
        "Match the value against ^[0-9]{1,10}$ before you turn it into a number",
        "plugin-conform run --only framing/bad-length --keep-traces t -- node dist/plugin.js",
        "✗ here hex: the plugin took 0x28 as a length",
        "70 000 more bytes not kept",
    ):
        assert told in hostile.text


def test_the_mark_stands_after_the_entry_at_which_it_was_noticed(hostile: Page) -> None:
    before = hostile.text.index('"id": 2, "result": {}')
    mark = hostile.text.index("✗ here hex")
    after = hostile.text.rindex(r"content-length:+40\n")
    assert before < mark < after


def test_every_sentence_of_the_spec_has_its_verdict(hostile: Page) -> None:
    assert (
        "Of 9 sentences of the spec 6 were observed; 1 skipped or not declared; 1 cannot be seen from outside; "
        "1 without a case."
    ) in hostile.text
    assert "Excluded: how a host is configured is its own affair" in hostile.text
    assert {element_id("req", requirement.id) for requirement in REPORT.requirements} <= set(hostile.ids)


def test_every_case_has_its_row(hostile: Page) -> None:
    assert {element_id("case", case.id) for case in REPORT.cases} <= set(hostile.ids)


def test_different_names_have_different_ids() -> None:
    names = ["a/b", "a.b", "a-b", "a b", "a_20_b", "a/B", "ä"]
    assert len({element_id("case", name) for name in names}) == len(names)


def test_a_long_log_is_cut_in_its_middle() -> None:
    wire = tuple(Entry(float(number), "c1", "event", f"entry {number:04}") for number in range(1000))
    report = evolve(REPORT, cases=(evolve(BAD_LENGTH, wire=wire),))
    text = Page(html.render(report)).text
    assert "800 entries left out here" in text
    assert "entry 0039" in text
    assert "entry 0040" not in text
    assert "entry 0839" not in text
    assert "entry 0840" in text


@pytest.mark.parametrize(
    ("report", "conclusion"),
    [
        (CLEAN, "Conformant."),
        (REPORT, "Not conformant: 3 failures."),
        (evolve(CLEAN, cases=()), "Nothing was checked."),
        (evolve(CLEAN, cases=(CaseResult("a/b", "", Level.MUST, (), Verdict.SKIP),)), "Nothing was checked."),
    ],
)
def test_the_page_begins_with_what_it_comes_to(report: Report, conclusion: str) -> None:
    assert conclusion in Page(html.render(report)).text
