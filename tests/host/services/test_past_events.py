"""What a host keeps of events that have been, and how much of it."""

import pytest

from plugwire_host import RequestError
from plugwire_host.services.events.past import RecentEvents, RetainedEvents
from plugwire_host.services.events.subscriptions import Published

MIB = 1024 * 1024


def event(number: int, topic: str, *, sender: str = "a", size: int = 10) -> Published:
    return Published(number, topic, None, sender, b"." * size)


def keep(retained: RetainedEvents, *events: Published) -> None:
    for each in events:
        retained.check(each)
        retained.keep(each)


def numbers(events: list[Published]) -> list[int]:
    return [each.number for each in events]


def refused(retained: RetainedEvents, each: Published) -> str:
    with pytest.raises(RequestError) as caught:
        retained.check(each)
    assert caught.value.code == -32023
    return caught.value.message


@pytest.mark.requirement("EVT-29")
def test_the_last_of_each_topic_is_kept_in_the_order_of_publication() -> None:
    retained = RetainedEvents()
    keep(retained, event(1, "x.a"), event(2, "x.b"), event(3, "y"), event(4, "x.a"))
    assert numbers(retained.matching("x.*")) == [2, 4]
    assert numbers(retained.matching(">")) == [2, 3, 4]


@pytest.mark.requirement("EVT-30")
def test_a_topic_can_be_cleared() -> None:
    retained = RetainedEvents()
    keep(retained, event(1, "x"))
    retained.clear("x")
    retained.clear("x")
    assert (numbers(retained.matching(">")), len(retained)) == ([], 0)


@pytest.mark.requirement("EVT-31")
def test_one_publisher_keeps_at_most_half_of_the_events() -> None:
    retained = RetainedEvents()
    keep(retained, *(event(number, f"a.{number}") for number in range(2048)))
    assert refused(retained, event(1, "a.more")).startswith("'a' may have at most 2048 retained events")
    keep(retained, event(9, "a.0"))  # in place of its own one
    keep(retained, *(event(number, f"b.{number}", sender="b") for number in range(2048)))
    assert refused(retained, event(1, "c", sender="c")).startswith("the host keeps at most 4096 retained events")
    keep(retained, event(9, "a.1", sender="c"))
    retained.clear("b.0")
    keep(retained, event(9, "a.more"))  # a topic that another one has taken over is no longer counted
    assert len(retained) == 4096


@pytest.mark.requirement("EVT-31")
def test_one_publisher_keeps_at_most_half_of_the_bytes() -> None:
    retained = RetainedEvents()
    keep(retained, event(1, "a.1", size=4 * MIB), event(1, "a.2", size=4 * MIB))
    assert refused(retained, event(1, "a.3", size=1)).endswith("clear topics by retaining them without data")
    keep(retained, event(1, "a.1", size=4 * MIB))
    keep(retained, event(1, "b.1", sender="b", size=8 * MIB))
    refused(retained, event(1, "c", sender="c", size=1))
    retained.clear("b.1")
    keep(retained, event(1, "c", sender="c", size=8 * MIB))


@pytest.mark.requirement("EVT-32")
def test_the_last_so_many_that_match_are_given_the_oldest_first() -> None:
    recent = RecentEvents()
    for number in range(1, 11):
        recent.add(event(number, "even.x" if number % 2 == 0 else "odd.x"))
    assert numbers(recent.last("even.*", 3)) == [6, 8, 10]
    assert numbers(recent.last(">", 2)) == [9, 10]
    assert numbers(recent.last(">", 0)) == []
    assert numbers(recent.last("even.>", 100)) == [2, 4, 6, 8, 10]


@pytest.mark.requirement("EVT-32")
def test_1024_events_within_8_mib_are_kept_for_a_replay() -> None:
    recent = RecentEvents()
    for number in range(2000):
        recent.add(event(number, "x"))
    assert numbers(recent.last("x", 1024)) == list(range(976, 2000))
    for number in range(2000, 2009):
        recent.add(event(number, "x", size=MIB))
    assert numbers(recent.last("x", 1024)) == list(range(2001, 2009))
    recent.add(event(3000, "x", size=9 * MIB))
    assert numbers(recent.last("x", 1024)) == []
