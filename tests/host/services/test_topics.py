"""Topics and patterns: their shape, what matches what, and the tree against the plain rule."""

import re
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugwire_host.services.events.topics import PATTERN, TOPIC, TopicTree, matches, overlap

GOOD_TOPICS = ["a", "document.saved", "A-b_9.x", "host.plugin.ready", ".".join("a" * 16), "x" * 256]
BAD_TOPICS = [
    "", ".", "a.", ".a", "a..b", "a b", "a/b", "é", "a.*", "*", ">", "a.>", "a\n", ".".join("a" * 17), "x" * 257,
]  # fmt: skip


@pytest.mark.requirement("EVT-02")
def test_a_topic_is_1_to_16_parts_in_256_characters() -> None:
    assert [topic for topic in GOOD_TOPICS if not TOPIC.fullmatch(topic)] == []
    assert [topic for topic in BAD_TOPICS if TOPIC.fullmatch(topic)] == []


@pytest.mark.requirement("EVT-02")
def test_in_a_pattern_a_star_is_a_whole_part_and_the_rest_comes_last() -> None:
    good = [*GOOD_TOPICS, "*", ">", "*.*", "a.*.c", "a.>", "*.>", ".".join("*" * 16)]
    bad = ["", "a*", "*a", "a.**", ">.a", "a.>.b", "a>", ".".join("*" * 17), "a.", "*\n"]
    assert [pattern for pattern in good if not PATTERN.fullmatch(pattern)] == []
    assert [pattern for pattern in bad if PATTERN.fullmatch(pattern)] == []


@pytest.mark.requirement("EVT-01")
@pytest.mark.parametrize(
    ("pattern", "topic", "fits"),
    [
        ("a.b", "a.b", True), ("a.b", "a.B", False), ("a.b", "a", False), ("a", "a.b", False),
        ("a.*", "a.b", True), ("a.*", "a", False), ("a.*", "a.b.c", False), ("*.b", "a.b", True), ("*", "a", True),
        ("*", "a.b", False), ("a.*.c", "a.x.c", True), ("a.*.c", "a.x.y", False),
        ("a.>", "a.b", True), ("a.>", "a.b.c.d", True), ("a.>", "a", False), (">", "a", True), (">", "a.b", True),
        ("*.>", "a.b", True), ("*.>", "a", False), ("a.>", "b.c", False),
    ],
)  # fmt: skip
def test_a_star_is_exactly_one_part_and_the_rest_is_one_or_more(pattern: str, topic: str, fits: bool) -> None:
    assert matches(pattern, topic) is fits
    tree: TopicTree[Member] = TopicTree()
    tree.add(pattern, Member(1))
    assert tree.match(topic) == ((Member(1),) if fits else ())


class Member(NamedTuple):
    number: int


PARTS = st.lists(st.sampled_from("ab"), min_size=1, max_size=4)
TOPICS = PARTS.map(".".join)
PATTERNS = st.builds(
    lambda parts, rest: ".".join([*parts, *rest]),
    st.lists(st.sampled_from("ab*"), min_size=1, max_size=4),
    st.sampled_from([[], [">"]]),
) | st.just(">")


def regex(pattern: str) -> re.Pattern[str]:
    """The same rule in another language."""
    return re.compile(re.escape(pattern).replace(r"\*", "[^.]+").replace(">", ".+"))


@given(pattern=PATTERNS, topic=TOPICS)
def test_matching_is_what_a_regular_expression_says(pattern: str, topic: str) -> None:
    assert matches(pattern, topic) == bool(regex(pattern).fullmatch(topic))


EVERY_SHORT_TOPIC = [".".join(parts) for n in range(1, 7) for parts in product("ab", repeat=n)]


@settings(max_examples=200)
@given(first=PATTERNS, second=PATTERNS)
def test_patterns_overlap_when_some_topic_matches_both(first: str, second: str) -> None:
    both = [topic for topic in EVERY_SHORT_TOPIC if matches(first, topic) and matches(second, topic)]
    assert overlap(first, second) == overlap(second, first) == bool(both)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), PATTERNS),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.just("match"), TOPICS),
    ),
    max_size=40,
)


@pytest.mark.requirement("EVT-01")
@settings(max_examples=300)
@given(steps=STEPS)
def test_the_tree_finds_what_matches_through_all_changes(steps: list[tuple[str, str | int]]) -> None:
    tree: TopicTree[Member] = TopicTree()
    there: list[tuple[str, Member]] = []
    added = 0
    for step, what in steps:
        if step == "add":
            added += 1
            there.append((str(what), Member(added)))
            tree.add(*there[-1])
        elif step == "remove":
            if there:
                tree.remove(*there.pop(int(what) % len(there)))
        else:
            expected = tuple(member for pattern, member in there if matches(pattern, str(what)))
            assert tree.match(str(what)) == expected
    for pattern, member in there:
        tree.remove(pattern, member)
    assert tree.match("a") == ()
    assert vars(tree)["_root"].is_empty, "a place is left that nobody needs"


def test_a_flood_of_topics_does_not_fill_the_memory_of_matches() -> None:
    tree: TopicTree[Member] = TopicTree()
    tree.add(">", Member(1))
    for number in range(10_000):
        assert tree.match(f"a.{number}") == (Member(1),)
    assert len(vars(tree)["_found"]) <= 4096
