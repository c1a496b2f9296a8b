"""Who is told of which event, and what bad input and slow subscribers do to others."""

import asyncio
import json
from typing import Any

import pytest

from plugwire.wire import RequestError
from tests.host.services.event_desk import Desk, Someone
from tests.host.support import run
from tests.wire.transcript import Message, load


def problem(path: str) -> tuple[int, str]:
    return -32602, path


def refused_at(desk: Desk, who: Someone, method: str, **params: Any) -> tuple[int, str]:
    code, data = desk.refusal(who, method, **params)
    (wrong,) = data["problems"]
    return code, wrong["path"]


@pytest.mark.requirement("EVT-01", "EVT-04", "EVT-06")
def test_an_event_goes_to_every_subscription_that_matches_and_tells_how_many() -> None:
    async def main() -> Any:
        desk = Desk()
        a, b, c = (desk.someone(name) for name in "abc")
        first, second = await desk.subscribe(a, "x.*"), await desk.subscribe(a, ">")
        third = await desk.subscribe(b, "x.y")
        await desk.subscribe(b, "X.y")
        counts = desk.publish(c, "x.y", 1), desk.publish(c, "z", 2), desk.publish(c, "x.y", 3)
        assert {first, second, third} == {1, 2, 3}
        return counts, a.events("subscription", "topic", "data", "from"), b.events("subscription", "data")

    assert run(main()) == (
        (3, 1, 3),
        [
            (1, "x.y", 1, "c"), (2, "x.y", 1, "c"),
            (2, "z", 2, "c"),
            (1, "x.y", 3, "c"), (2, "x.y", 3, "c"),
        ],
        [(3, 1), (3, 3)],
    )  # fmt: skip


@pytest.mark.requirement("EVT-05", "EVT-18")
def test_the_params_of_a_delivery_are_written_as_the_spec_says() -> None:
    async def main() -> list[bytes]:
        desk = Desk()
        a = desk.someone("a")
        await desk.subscribe(a, ">", buffer=1)
        desk.call(a, "event/publish", topic="x", hops=3)
        for number in range(3):
            a.congested = number > 0
            desk.service.notifications["event/publish"](
                a, _raw(b'{ "topic":"x","data":[ 1.0,"\\u00e9\xc3\xa9" ],"retain":true,"from":"liar"}')
            )
        a.drain()
        await desk.subscribe(a, "x")
        return a.bodies

    assert run(main()) == [
        b'{"subscription":1,"seq":1,"topic":"x","from":"a","hops":3}',
        b'{"subscription":1,"seq":2,"topic":"x","data":[ 1.0,"\\u00e9\xc3\xa9" ],"from":"a"}',
        b'{"subscription":1,"seq":4,"missed":1,"topic":"x","data":[ 1.0,"\\u00e9\xc3\xa9" ],"from":"a"}',
        b'{"subscription":2,"seq":1,"past":true,"topic":"x","data":[ 1.0,"\\u00e9\xc3\xa9" ],"from":"a"}',
    ]


def _raw(body: bytes) -> Any:
    from plugwire.wire import Raw

    return Raw(body)


@pytest.mark.requirement("EVT-02", "EVT-12")
@pytest.mark.parametrize(
    ("method", "params", "path"),
    [
        ("event/publish", {}, "$.topic"),
        ("event/publish", {"topic": "a.*"}, "$.topic"),
        ("event/publish", {"topic": "../x"}, "$.topic"),
        ("event/publish", {"topic": 5}, "$.topic"),
        ("event/publish", {"topic": "a" * 257}, "$.topic"),
        ("event/publish", {"topic": "a", "retain": 1}, "$.retain"),
        ("event/publish", {"topic": "a", "key": ""}, "$.key"),
        ("event/publish", {"topic": "a", "key": "k" * 257}, "$.key"),
        ("event/publish", {"topic": "a", "hops": -1}, "$.hops"),
        ("event/publish", {"topic": "a", "hops": 1.0}, "$.hops"),
        ("event/subscribe", {}, "$.topic"),
        ("event/subscribe", {"topic": "a.>.b"}, "$.topic"),
        ("event/subscribe", {"topic": "a", "policy": "dropNewest"}, "$.policy"),
        ("event/subscribe", {"topic": "a", "buffer": 0}, "$.buffer"),
        ("event/subscribe", {"topic": "a", "buffer": 65537}, "$.buffer"),
        ("event/subscribe", {"topic": "a", "window": 0}, "$.window"),
        ("event/subscribe", {"topic": "a", "window": True}, "$.window"),
        ("event/subscribe", {"topic": "a", "replay": -1}, "$.replay"),
        ("event/subscribe", {"topic": "a", "replay": 10**30}, "$.replay"),
        ("event/unsubscribe", {"subscription": "1"}, "$.subscription"),
        ("event/unsubscribe", {"subscription": -1}, "$.subscription"),
        ("event/unsubscribe", {}, "$.subscription"),
    ],
)  # fmt: skip
def test_params_that_are_wrong_are_refused_at_their_place(method: str, params: dict[str, Any], path: str) -> None:
    async def main() -> Any:
        desk = Desk()
        a = desk.someone("a")
        await desk.subscribe(a, ">")
        refusal = refused_at(desk, a, method, **params)
        assert desk.publish(a, "x") == 1
        assert a.events("seq") == [1]
        return refusal

    assert run(main()) == problem(path)


@pytest.mark.requirement("EVT-07")
def test_a_notification_that_cannot_be_honoured_raises_for_the_host_to_report() -> None:
    async def main() -> None:
        desk = Desk()
        a = desk.someone("a")
        for params in ({}, {"topic": "*"}, {"topic": "host.x"}, {"topic": "a", "hops": 17}):
            with pytest.raises(RequestError):
                desk.notify(a, "event/publish", **params)
        with pytest.raises(RequestError):
            desk.notify(a, "event/ack", subscription="x", seq=1)

    run(main())


@pytest.mark.requirement("EVT-03")
def test_nobody_publishes_on_the_hosts_topics_not_even_the_application() -> None:
    async def main() -> Any:
        desk = Desk()
        a, application = desk.someone("a"), desk.someone("host")
        await desk.subscribe(a, "*.>")
        codes = [desk.refusal(who, "event/publish", topic="host.plugin.ready")[0] for who in (a, application)]
        assert desk.publish(a, "hostile.x") == 1
        desk.service.publish_from_host("host.plugin.ready", {"plugin": "b"})
        return codes, desk.refusal(a, "event/publish", topic="host")[0], a.events("topic", "data", "from")

    assert run(main()) == (
        [-32014, -32014],
        -32014,
        [("hostile.x", None, "a"), ("host.plugin.ready", {"plugin": "b"}, "host")],
    )


@pytest.mark.requirement("EVT-09")
def test_the_17th_event_of_a_row_is_stopped() -> None:
    async def main() -> Any:
        desk = Desk()
        a = desk.someone("a")
        await desk.subscribe(a, "x")
        assert desk.publish(a, "x", hops=16) == 1
        refusal = desk.refusal(a, "event/publish", topic="x", hops=17)
        assert desk.refusal(a, "event/publish", topic="x", hops=2**31 - 1)[0] == -32015
        (_, (_, told)) = [warning for warning in desk.warnings if "17" in warning[1] or "2147483647" in warning[1]]
        assert told.startswith("an event was stopped: 2147483647 events have led to this one on x")
        return refusal, a.events("hops")

    assert run(main()) == ((-32015, {"path": ["a", "a"]}), [16])


@pytest.mark.requirement("EVT-10")
def test_an_event_that_would_not_fit_into_a_frame_is_refused() -> None:
    async def main() -> Any:
        desk = Desk(frame_bytes=4096)
        a = desk.someone("a")
        await desk.subscribe(a, "x")
        assert desk.publish(a, "x", "y" * 3700) == 1
        code, data = desk.refusal(a, "event/publish", topic="x", data="y" * 4000)
        assert max(len(body) for body in a.bodies) < 4096
        return code, data["limit"], a.events("seq")

    assert run(main()) == (-32016, 4096, [1])


@pytest.mark.requirement("EVT-11")
def test_nothing_comes_before_the_answer_and_no_number_comes_twice() -> None:
    async def main() -> Any:
        desk = Desk()
        a, b = desk.someone("a"), desk.someone("b")
        desk.publish(b, "x", 1, retain=True)
        answer = desk.call(a, "event/subscribe", topic="x")
        desk.publish(b, "x", 2)
        before = list(a.sent)
        await asyncio.sleep(0)
        after = a.events("data", "past")
        desk.call(a, "event/unsubscribe", subscription=1)
        again = [await desk.subscribe(who, "x") for who in (a, b)]
        # One that ends before its start never starts.
        gone = desk.call(a, "event/subscribe", topic="x")["subscription"]
        a.sent.clear()
        desk.call(a, "event/unsubscribe", subscription=gone)
        await asyncio.sleep(0)
        return answer["subscription"], before, after, again, a.sent

    assert run(main()) == (1, [], [(1, True), (2, None)], [2, 3], [])


@pytest.mark.requirement("EVT-12")
def test_a_plugin_has_at_most_1024_subscriptions() -> None:
    async def main() -> Any:
        desk = Desk()
        a, b = desk.someone("a"), desk.someone("b")
        for _ in range(1024):
            desk.call(a, "event/subscribe", topic="x")
        refusal = desk.refusal(a, "event/subscribe", topic="x")
        desk.call(b, "event/subscribe", topic="x")
        desk.call(a, "event/unsubscribe", subscription=512)
        desk.call(a, "event/subscribe", topic="x")
        return refusal

    assert run(main()) == (-32023, {"limit": 1024})


@pytest.mark.requirement("EVT-13", "EVT-21")
def test_what_belongs_to_another_stays_as_it_is() -> None:
    async def main() -> Any:
        desk = Desk()
        a, thief = desk.someone("a"), desk.someone("thief")
        number = await desk.subscribe(a, "x", window=1)
        await desk.subscribe(thief, "y")
        refusals = [refused_at(desk, thief, "event/unsubscribe", subscription=n) for n in (number, 99)]
        for data in (1, 2):
            desk.publish(thief, "x", data)
        desk.notify(thief, "event/ack", subscription=number, seq=1)
        assert a.events("data") == [1]
        desk.notify(a, "event/ack", subscription=number, seq=1)
        return refusals, a.events("data")

    assert run(main()) == ([problem("$.subscription")] * 2, [2])


@pytest.mark.requirement("EVT-14", "EVT-18")
def test_after_unsubscribing_nothing_comes_and_what_was_missed_is_told() -> None:
    async def main() -> Any:
        desk = Desk()
        a = desk.someone("a")
        number = await desk.subscribe(a, "x", window=1)
        other = await desk.subscribe(a, "y")
        for data in range(5):
            desk.publish(a, "x", data)
        told = desk.call(a, "event/unsubscribe", subscription=number)
        nothing_missed = desk.call(a, "event/unsubscribe", subscription=other)
        desk.notify(a, "event/ack", subscription=number, seq=1)
        a.drain()
        assert desk.publish(a, "x", 5) == 0
        return told, nothing_missed, a.events("data"), refused_at(desk, a, "event/unsubscribe", subscription=number)

    assert run(main()) == ({"missed": 4}, {}, [0], problem("$.subscription"))


@pytest.mark.requirement("EVT-15")
def test_a_plugin_that_ends_takes_its_subscriptions_with_it() -> None:
    async def main() -> Any:
        desk = Desk()
        a, b = desk.someone("a", {"topic": "x"}), desk.someone("b")
        await desk.subscribe(a, "x")
        await desk.subscribe(b, "x")
        desk.service.left(a, "exit code 1")
        desk.service.left(a, "exit code 1")
        again = Someone("a")
        desk.service.joined(again, {})
        assert desk.call(again, "event/subscribe", topic="x")["declared"] is False
        desk.service.left(again, "exit code 1")
        count = desk.publish(b, "x")
        desk.service.close()
        return count, a.sent, b.events("seq")

    assert run(main()) == (1, [], [1])


@pytest.mark.requirement("EVT-19", "EVT-22", "EVT-23")
def test_who_does_not_read_loses_events_and_nobody_else_does() -> None:
    async def main() -> Any:
        desk = Desk()
        slow, fast, publisher = (desk.someone(name) for name in ("slow", "fast", "publisher"))
        await desk.subscribe(slow, "x", buffer=3)
        await desk.subscribe(fast, "x", buffer=3)
        slow.room = 2
        for data in range(1, 11):
            assert desk.publish(publisher, "x", data) == 2
        while slow.congested:
            slow.drain(room=1) if slow.room == 0 and len(slow.sent) < 4 else slow.drain()
        return slow.events("data", "seq", "missed"), fast.events("data")

    assert run(main()) == (
        [(1, 1, None), (2, 2, None), (8, 8, 5), (9, 9, None), (10, 10, None)],
        list(range(1, 11)),
    )


@pytest.mark.requirement("EVT-19")
def test_subscriptions_behind_one_pipe_take_turns() -> None:
    async def main() -> Any:
        desk = Desk()
        slow = desk.someone("slow")
        for topic in "xyz":
            await desk.subscribe(slow, topic)
        slow.congested = True
        for topic in "xyz":
            for data in range(3):
                desk.publish(slow, topic, data)
        slow.drain(room=4)
        first = slow.events("topic", "data")
        slow.drain()
        return first, slow.events("topic", "data")

    assert run(main()) == (
        [("x", 0), ("y", 0), ("z", 0), ("x", 1)],
        [("y", 1), ("z", 1), ("x", 2), ("y", 2), ("z", 2)],
    )


@pytest.mark.requirement("EVT-25")
def test_disconnect_ends_the_subscription_and_says_so_when_the_pipe_takes_it() -> None:
    async def main() -> Any:
        desk = Desk()
        slow, other = desk.someone("slow"), desk.someone("other")
        number = await desk.subscribe(slow, "x", policy="disconnect", buffer=2)
        await desk.subscribe(other, "x")
        desk.publish(other, "x", 0)
        slow.congested = True
        counts = [desk.publish(other, "x", data) for data in range(1, 5)]
        assert slow.events("data") == [0]
        slow.drain()
        assert refused_at(desk, slow, "event/unsubscribe", subscription=number) == problem("$.subscription")
        (told,) = slow.sent
        return counts, told, other.events("data"), [text for name, text in desk.warnings if name == "slow"][1:]

    assert run(main()) == (
        [2, 2, 2, 1],
        (
            "event/ended",
            {"subscription": 1, "reason": "its buffer had no room for a further event", "seq": 4, "missed": 3},
        ),
        [0, 1, 2, 3, 4],
        ["its subscription to x was ended: it did not read fast enough"],
    )


@pytest.mark.requirement("EVT-12", "EVT-25")
def test_ends_that_could_not_be_told_yet_count_as_subscriptions() -> None:
    async def main() -> Any:
        desk = Desk()
        slow = desk.someone("slow")
        slow.congested = True
        for _ in range(1024):
            await desk.subscribe(slow, "x", policy="disconnect", buffer=1)
            desk.publish(slow, "x")
            desk.publish(slow, "x")
        refusal = desk.refusal(slow, "event/subscribe", topic="x")
        slow.drain()
        assert len(slow.sent) == 1024
        await desk.subscribe(slow, "x")
        return refusal

    assert run(main()) == (-32023, {"limit": 1024})


@pytest.mark.requirement("EVT-26")
def test_a_publisher_waits_for_every_subscription_that_blocks_and_has_no_room() -> None:
    async def main() -> Any:
        desk = Desk()
        slow, slower, publisher = (desk.someone(name) for name in ("slow", "slower", "publisher"))
        first = await desk.subscribe(slow, "x", policy="block", buffer=1, window=1)
        second = await desk.subscribe(slower, "x", policy="block", buffer=1, window=1)
        assert [desk.publish(publisher, "x", data) for data in (1, 2)] == [2, 2]
        _, third = desk.later(publisher, topic="x", data=3)
        _, fourth = desk.later(publisher, topic="x", data=4)
        await asyncio.sleep(0)
        desk.notify(slow, "event/ack", subscription=first, seq=1)
        await asyncio.sleep(0)
        assert (third.done(), fourth.done()) == (False, False)
        desk.notify(slower, "event/ack", subscription=second, seq=1)
        answer = await third
        assert not fourth.done()
        for who, number in ((slow, first), (slower, second)):
            for seq in (2, 3):
                desk.notify(who, "event/ack", subscription=number, seq=seq)
        return answer, await fourth, slow.events("data", "missed"), slower.events("data", "missed")

    everything = [(1, None), (2, None), (3, None), (4, None)]
    assert run(main()) == ({"subscribers": 2}, {"subscribers": 2}, everything, everything)


@pytest.mark.requirement("EVT-27")
def test_what_nobody_waits_for_is_missed_where_there_is_no_room() -> None:
    async def main() -> Any:
        desk = Desk()
        slow, publisher = desk.someone("slow"), desk.someone("publisher")
        number = await desk.subscribe(slow, ">", policy="block", buffer=1, window=1)
        for data in (1, 2):
            desk.publish(publisher, "x", data)
        desk.notify(publisher, "event/publish", topic="x", data=3)
        desk.service.publish_from_host("host.x", 4)
        # Its handler of an event publishes: it would wait until it had handled that very event.
        assert desk.publish(slow, "x", 5, hops=1) == 1
        call, cancelled = desk.later(publisher, topic="x", data=6)
        await asyncio.sleep(0)
        call.done = True
        cancelled.cancel()
        # Somebody else's event that was caused by one, and one of its own that was not, wait.
        _, seventh = desk.later(publisher, topic="x", data=7, hops=1)
        _, eighth = desk.later(slow, topic="x", data=8)
        for seq in range(1, 9):
            desk.notify(slow, "event/ack", subscription=number, seq=seq)
        await asyncio.gather(seventh, eighth)
        return slow.events("data", "seq", "missed")

    assert run(main()) == [(1, 1, None), (2, 2, None), (7, 7, 4), (8, 8, None)]


@pytest.mark.requirement("EVT-27")
def test_a_publisher_that_is_cancelled_before_it_began_to_wait_is_not_waited_for() -> None:
    async def main() -> Any:
        desk = Desk()
        slow = desk.someone("slow")
        number = await desk.subscribe(slow, "x", policy="block", buffer=1, window=1)
        for data in (1, 2):
            desk.publish(slow, "x", data)
        call, waiting = desk.later(slow, topic="x", data=3)
        waiting.cancel()
        call.done = True
        desk.notify(slow, "event/ack", subscription=number, seq=1)
        desk.notify(slow, "event/ack", subscription=number, seq=2)
        desk.publish(slow, "x", 4)
        return slow.events("data", "missed")

    assert run(main()) == [(1, None), (2, None), (4, 1)]


@pytest.mark.requirement("EVT-26")
@pytest.mark.parametrize("end", ["unsubscribe", "leave", "close"])
def test_nobody_waits_for_a_subscription_that_has_ended(end: str) -> None:
    async def main() -> Any:
        desk = Desk()
        slow, publisher = desk.someone("slow"), desk.someone("publisher")
        number = await desk.subscribe(slow, "x", policy="block", buffer=1, window=1)
        for data in (1, 2):
            desk.publish(publisher, "x", data)
        _, waiting = desk.later(publisher, topic="x", data=3)
        await asyncio.sleep(0)
        if end == "unsubscribe":
            assert desk.call(slow, "event/unsubscribe", subscription=number) == {"missed": 2}
        elif end == "leave":
            desk.service.left(slow, "exit code 1")
        else:
            desk.service.close()
        return await waiting

    assert run(main()) == {"subscribers": 1}


@pytest.mark.requirement("EVT-28")
def test_publishers_beyond_1024_are_turned_away_and_their_event_goes_to_nobody() -> None:
    async def main() -> Any:
        desk = Desk()
        slow, fast = desk.someone("slow"), desk.someone("fast")
        await desk.subscribe(slow, "x", policy="block", buffer=1, window=1)
        await desk.subscribe(fast, "x")
        for data in (1, 2):
            desk.publish(fast, "x", data)
        waiting = [desk.later(fast, topic="x", data=3)[1] for _ in range(1024)]
        fast.sent.clear()
        refusal = desk.refusal(fast, "event/publish", topic="x", data=4, retain=True)
        now = fast.events("data")
        await desk.subscribe(fast, "x", replay=1)
        desk.service.close()
        await asyncio.gather(*waiting)
        return refusal, now, fast.events("data")

    assert run(main()) == ((-32013, {"limit": 1024}), [], [3])


@pytest.mark.requirement("EVT-29", "EVT-30", "EVT-33")
def test_retained_events_reach_later_subscribers_in_order() -> None:
    async def main() -> Any:
        desk = Desk()
        a, b = desk.someone("a"), desk.someone("b")
        for topic, data in (("x.1", 1), ("x.2", 2), ("y", 3), ("x.1", 4)):
            desk.publish(a, topic, data, retain=True)
        desk.publish(a, "x.2", 5)
        await desk.subscribe(b, "x.*")
        desk.publish(a, "x.1", 6)
        first = b.events("topic", "data", "past", "seq")
        desk.call(a, "event/publish", topic="x.2", retain=True)
        cleared = b.events("topic", "data", "past")
        await desk.subscribe(a, ">")
        desk.service.left(a, "exit code 1")
        await desk.subscribe(b, "y")
        return first, cleared, a.events("data"), b.events("data", "from")

    assert run(main()) == (
        [("x.2", 2, True, 1), ("x.1", 4, True, 2), ("x.1", 6, None, 3)],
        [("x.2", None, None)],
        [3, 4],
        [(3, "a")],
    )


@pytest.mark.requirement("EVT-31")
def test_what_may_not_be_retained_goes_to_nobody() -> None:
    async def main() -> Any:
        desk = Desk()
        a = desk.someone("a")
        await desk.subscribe(a, "x.>")
        for number in range(2048):
            desk.publish(a, f"y.{number}", retain=True)
        refusal = desk.refusal(a, "event/publish", topic="x.y", data=1, retain=True)
        assert desk.publish(a, "x.y", 2) == 1
        return refusal, a.events("data")

    assert run(main()) == ((-32023, {"limit": 2048}), [2])


@pytest.mark.requirement("EVT-32", "EVT-33")
def test_a_replay_and_what_is_retained_come_together_each_once() -> None:
    async def main() -> Any:
        desk = Desk()
        a = desk.someone("a")
        desk.publish(a, "x", 1, retain=True)
        for data in (2, 3, 4):
            desk.publish(a, "x", data)
        desk.publish(a, "x", 5, retain=True)
        desk.publish(a, "z", 6)
        desk.publish(a, "x", 7)
        desk.publish(a, "y", 8, retain=True)
        await desk.subscribe(a, "*", replay=4)
        desk.publish(a, "x", 9)
        all_topics = a.events("data", "past")
        await desk.subscribe(a, "x", replay=2, buffer=2)
        return all_topics, a.events("data", "missed")

    assert run(main()) == (
        [(5, True), (6, True), (7, True), (8, True), (9, None)],
        # Three are past, and there is room for two.
        [(7, 1), (9, None)],
    )


@pytest.mark.requirement("EVT-34", "EVT-35")
def test_topics_that_are_declared_are_listed_and_others_warned_about() -> None:
    async def main() -> Any:
        desk = Desk()
        a, b = desk.someone("a", {"topic": "document.*", "description": "d"}), desk.someone("b")
        declared = [
            desk.call(b, "event/subscribe", topic=topic)["declared"]
            for topic in ("document.saved", ">", "host.plugin.*", "documant.saved")
        ]
        topics = desk.call(b, "event/topics")["topics"]
        desk.service.joined(a, {})
        assert desk.call(b, "event/subscribe", topic="document.saved")["declared"] is False
        return declared, topics, desk.warnings

    declared, topics, warnings = run(main())
    assert declared == [True, True, True, False]
    assert topics[-1] == {"topic": "document.*", "from": "a", "description": "d"}
    assert [(topic["topic"], topic["from"]) for topic in topics[:-1]] == [
        ("host.plugin.ready", "host"), ("host.plugin.ended", "host"), ("host.plugin.restarting", "host"),
        ("host.plugin.failed", "host"), ("host.service.available", "host"), ("host.service.unavailable", "host"),
    ]  # fmt: skip
    nothing = "and nothing that is ready declares such a topic;"
    assert warnings == [
        ("b", f"it subscribes to documant.saved, {nothing} did it mean document.*?"),
        ("b", f"it subscribes to document.saved, {nothing} check the spelling, or declare it where it is published"),
    ]


@pytest.mark.requirement("EVT-36")
def test_data_has_to_fit_the_schema_of_its_publisher() -> None:
    async def main() -> Any:
        desk = Desk()
        a, b = desk.someone("a", {"topic": "x", "schema": {"type": "integer"}}), desk.someone("b")
        await desk.subscribe(b, "x")
        refusal = refused_at(desk, a, "event/publish", topic="x", data="no")
        for who, data in ((a, 1), (b, "b may")):
            desk.publish(who, "x", data)
        desk.call(a, "event/publish", topic="x", retain=True)
        return refusal, b.events("data")

    assert run(main()) == (problem("$.data"), [1, "b may", None])


@pytest.mark.requirement("EVT-18")
def test_what_a_participant_drops_counts_as_missed() -> None:
    async def main() -> Any:
        desk = Desk()
        a = desk.someone("a")
        await desk.subscribe(a, "x")
        a.is_gone = True
        desk.publish(a, "x", 1)
        a.is_gone = False
        desk.publish(a, "x", 2)
        # And what has waited for it.
        a.congested = True
        for data in (3, 4):
            desk.publish(a, "x", data)
        a.is_gone = True
        a.drain()
        a.is_gone = False
        desk.publish(a, "x", 5)
        return a.events("data", "seq", "missed")

    assert run(main()) == [(2, 2, 1), (5, 5, 2)]


def test_the_transcript_is_what_the_service_does() -> None:
    async def main() -> int:
        desk = Desk()
        people = {"host": Someone("host")}
        answers: dict[tuple[str, int], Any] = {}
        compared = 0
        for step in load("events").steps:
            assert isinstance(step.what, Message)
            told, sender, receiver = json.loads(step.what.body), step.what.sender, step.what.receiver
            if sender != "host" and "result" in told:
                people[sender] = desk.someone(sender, *told["result"].get("events", []))
            elif sender != "host" and "id" in told:
                answers[sender, told["id"]] = outcome(desk, people[sender], told)
            elif sender != "host":
                desk.notify(people[sender], told["method"], **told["params"])
            elif told.get("method") == "event/deliver":
                await asyncio.sleep(0)
                assert people[receiver].sent.pop(0) == ("event/deliver", told["params"])
                compared += 1
            elif "method" not in told:
                assert answers.pop((receiver, told["id"])) == told
                compared += 1
        assert [who.sent for who in people.values() if who.sent] == []
        return compared

    assert run(main()) == 9


def outcome(desk: Desk, who: Someone, told: dict[str, Any]) -> dict[str, Any]:
    """The response to a request of a transcript."""
    head = {"jsonrpc": "2.0", "id": told["id"]}
    try:
        return {**head, "result": desk.call(who, told["method"], **told["params"])}
    except RequestError as error:
        data = {} if error.data is None else {"data": error.data}
        return {**head, "error": {"code": int(error.code), "message": error.message, **data}}
