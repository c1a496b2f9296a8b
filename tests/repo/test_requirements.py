"""Every demand of the spec has an id, and every id has a test or a reason why not."""

from collections import Counter
from pathlib import Path

import pytest
from prose import read_chapter, read_spec

from tests.repo.repository import ROOT
from tests.repo.requirements import ids_in_source, marked_ids, read_untested

UNTESTED = Path(__file__).with_name("untested.toml")


def spec_ids() -> list[str]:
    return [requirement.id for chapter in read_spec(ROOT) for requirement in chapter.requirements]


def test_the_spec_has_requirements() -> None:
    assert len(spec_ids()) > 100


def test_every_id_occurs_once() -> None:
    assert [name for name, count in Counter(spec_ids()).items() if count > 1] == []


def test_every_demand_carries_an_id() -> None:
    assert [problem for chapter in read_spec(ROOT) for problem in chapter.problems] == []


def test_every_id_has_a_test_or_a_reason() -> None:
    named = marked_ids((ROOT / "tests").rglob("*.py")).keys() | read_untested(UNTESTED).keys()
    missing = [name for name in spec_ids() if name not in named]
    assert not missing, f"{len(missing)} requirements without a test: {' '.join(missing)}"


def test_no_id_has_both_a_test_and_a_reason() -> None:
    both = marked_ids((ROOT / "tests").rglob("*.py")).keys() & read_untested(UNTESTED).keys()
    assert sorted(both) == []


def test_tests_name_only_ids_of_the_spec() -> None:
    marked = marked_ids((ROOT / "tests").rglob("*.py"))
    known = spec_ids()
    assert {name: places for name, places in marked.items() if name not in known} == {}


def test_reasons_are_given_only_for_ids_of_the_spec() -> None:
    untested = read_untested(UNTESTED)
    known = spec_ids()
    assert [name for name in untested if name not in known] == []
    assert [name for name, reason in untested.items() if len(reason) < 10] == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("A peer MUST do it.\n", ("x.md:1: a demand without an id: A peer MUST do it.",)),
        ("**[ABC-01]** It MUST.\n", ()),
        ("**[ABC-01]** It MUST.\n\nIt SHOULD.\n", ("x.md:3: a demand without an id: It SHOULD.",)),
        ("It MAY. **[ABC-01]** It MUST.\n", ("x.md:1: a demand without an id: It MAY.",)),
        ("**[ABC-01]** It must.\n", ("x.md:1: ABC-01 demands nothing: It must.",)),
        ("    MUST\n\n```\nMUST\n\nMUST\n```\n\n| MUST |\n", ()),
        ("```\ncode\n```\nIt MUST.\n", ("x.md:4: a demand without an id: It MUST.",)),
    ],
)
def test_the_reader_finds_demands_without_an_id(text: str, problems: tuple[str, ...]) -> None:
    assert read_chapter("x.md", text).problems == problems


def test_an_id_covers_the_text_up_to_the_next_id_or_blank_line() -> None:
    chapter = read_chapter("x.md", "**[ABC-01]** One MUST\ngo on.\n**[ABC-02]** Two MAY.\n\nThree.\n")
    assert [(row.id, row.text) for row in chapter.requirements] == [
        ("ABC-01", "One MUST go on."),
        ("ABC-02", "Two MAY."),
    ]


def test_markers_are_found_wherever_they_stand() -> None:
    source = (
        'pytestmark = [pytest.mark.requirement("ABC-01")]\n'
        '@pytest.mark.requirement("ABC-02", "ABC-03")\n'
        "def test_it(): ...\n"
        'ROW = pytest.param(1, marks=pytest.mark.requirement("ABC-04"))\n'
        "other = pytest.mark.requirement(NAME)\n"
    )
    assert sorted(name for name, _ in ids_in_source(source)) == ["ABC-01", "ABC-02", "ABC-03", "ABC-04", "NAME"]
