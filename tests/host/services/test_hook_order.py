"""The order of a hook's links: against every order that there is, and in the words that people get."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugwire_host.services.hooks.order import Contradiction, Demand, Link, links_of, order, reasons

NAMES = "abcdef"


def names(links: list[Link]) -> str:
    return "".join(link.instance for link in links)


def meets(way: tuple[Link, ...], links: list[Link]) -> bool:
    """Whether an order is what every link has asked for, read from the spec and not from the code."""
    at = {link.instance: place for place, link in enumerate(way)}
    for link in links:
        for other in links:
            if other is link:
                continue
            called = {other.instance, other.plugin}
            if called & set(link.before) and at[link.instance] > at[other.instance]:
                return False
            if called & set(link.after) and at[link.instance] < at[other.instance]:
                return False
    return True


def is_said(demand: Demand, links: list[Link]) -> bool:
    """Whether somebody has really asked for this."""
    of = {link.instance: link for link in links}
    first, second = of[demand.first], of[demand.second]
    if demand.by == demand.first:
        return bool({second.instance, second.plugin} & set(first.before))
    return demand.by == demand.second and bool({first.instance, first.plugin} & set(second.after))


# Names of instances, of programs that several instances share, and of nobody.
SOMEBODY = st.lists(st.sampled_from([*NAMES, "P", "Q", "nobody"]), max_size=2).map(tuple)


@st.composite
def chains(draw: st.DrawFn) -> list[Link]:
    loaded = draw(st.permutations(NAMES))[: draw(st.integers(0, 6))]
    programs = st.sampled_from(["P", "Q", "R"])
    return [Link(name, draw(programs), before=draw(SOMEBODY), after=draw(SOMEBODY)) for name in loaded]


@pytest.mark.requirement("HOK-04", "HOK-05", "HOK-06")
@settings(max_examples=400, deadline=None)
@given(links=chains())
def test_the_order_is_the_first_of_all_that_meet_the_demands_or_the_circle_is_real(links: list[Link]) -> None:
    # Permutations come in the order of loading, compared place by place.
    first = next((way for way in permutations(links) if meets(way, links)), None)
    try:
        ordered = order(links)
    except Contradiction as contradiction:
        assert first is None
        demands = contradiction.demands
        assert len(demands) >= 2
        assert all(is_said(demand, links) for demand in demands)
        ends = [demand.second for demand in demands]
        assert [demand.first for demand in demands] == [ends[-1], *ends[:-1]]
        assert len(set(ends)) == len(ends)
    else:
        assert tuple(ordered) == first


@pytest.mark.requirement("HOK-05")
def test_without_demands_the_order_is_that_of_loading() -> None:
    assert names(order([Link("c"), Link("a"), Link("b")])) == "cab"


@pytest.mark.requirement("HOK-04", "HOK-05")
def test_one_demand_moves_no_more_than_it_has_to() -> None:
    assert names(order([Link("a", after=("d",)), Link("b"), Link("c"), Link("d"), Link("e")])) == "bcdae"
    assert names(order([Link("a"), Link("b"), Link("c"), Link("d", before=("b",)), Link("e")])) == "acdbe"


@pytest.mark.requirement("HOK-04")
def test_a_name_stands_for_an_instance_and_for_every_plugin_that_calls_itself_so() -> None:
    links = [Link("one", "lint"), Link("lint", "other"), Link("two", "lint"), Link("last", before=("lint",))]
    assert [link.instance for link in order(links)] == ["last", "one", "lint", "two"]


@pytest.mark.requirement("HOK-04")
def test_a_plugin_that_names_itself_or_nobody_asks_for_nothing() -> None:
    assert names(order([Link("a", "A", before=("a", "A", "x"), after=("a", "y")), Link("b")])) == "ab"


@pytest.mark.requirement("HOK-06")
def test_two_of_one_program_that_both_want_to_be_before_their_program_go_round() -> None:
    with pytest.raises(Contradiction) as caught:
        order([Link("a", "P", before=("P",)), Link("b", "P", before=("P",))])
    assert str(caught.value) == "a before b (a says so), b before a (b says so)"


@pytest.mark.requirement("HOK-06")
def test_the_circle_is_told_from_the_one_loaded_first_and_without_those_that_only_wait_for_it() -> None:
    links = [
        Link("x", after=("c",)),
        Link("a", before=("b",)),
        Link("b"),
        Link("c", after=("b",), before=("a",)),
        Link("y", before=("a",)),
    ]
    with pytest.raises(Contradiction) as caught:
        order(links)
    assert caught.value.demands == (Demand("a", "b", "a"), Demand("b", "c", "c"), Demand("c", "a", "c"))
    assert str(caught.value) == "a before b (a says so), b before c (c says so), c before a (c says so)"


def test_a_thousand_links_in_a_row_are_ordered_however_they_were_loaded() -> None:
    links = [Link(f"n{number}", after=(f"n{number + 1}",)) for number in range(1000)]
    assert [link.instance for link in order(links)] == [f"n{number}" for number in range(999, -1, -1)]


@pytest.mark.requirement("HOK-07")
def test_each_link_has_a_reason_in_words() -> None:
    links = order([Link("a", after=("c",)), Link("b"), Link("c", before=("d",)), Link("d")])
    assert list(zip(names(links), reasons(links), strict=True)) == [
        ("b", "in the order of loading"),
        ("c", "before d (c says so), before a (a says so)"),
        ("a", "after c (a says so)"),
        ("d", "after c (c says so)"),
    ]


@pytest.mark.requirement("HOK-07")
def test_a_long_reason_says_how_much_it_leaves_out_and_fits_the_spec() -> None:
    many = [Link("x" * 62 + f"{number:02}", before=("z" * 64,)) for number in range(30)]
    because = reasons([*many, Link("z" * 64)])[-1]
    assert because.endswith(", and 25 more")
    assert len(because) <= 1024


def test_what_an_answer_leaves_out_has_the_defaults_of_the_spec() -> None:
    answer = {
        "plugin": {"name": "tidy", "version": "1"},
        "hooks": [
            {"name": "x"},
            {"name": "y", "before": ["b"], "after": ["c"], "timeoutMs": 20, "onError": "fail", "mode": "observe"},
        ],
    }
    assert links_of("a", answer) == {
        "x": Link("a", "tidy", (), (), 5.0, fails=False, observes=False),
        "y": Link("a", "tidy", ("b",), ("c",), 0.02, fails=True, observes=True),
    }
    assert links_of("host", {}) == {}
