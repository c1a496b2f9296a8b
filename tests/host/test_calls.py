"""Calls between plugins: what is carried, in which order, and how they end. F26, F27, F28.

It is long because one file holds the whole of chapter 04 that needs real plugins, but for cycles and crashes.
"""

import asyncio
import json
from typing import Any

import pytest

from plugwire_host import (
    DeadlineExceeded,
    Host,
    InvalidParams,
    Limits,
    MethodNotFound,
    Overloaded,
    RequestError,
)

from .support import LIMIT, SOON, Watch, Wire, begun, clock, fails, launch, plugin, relay, run, via

# What is carried


@pytest.mark.requirement("CAL-02", "MSG-13", "MSG-16")
def test_a_plugin_calls_another_and_gets_the_answer_under_its_own_id() -> None:
    async def main() -> tuple[Any, list[bytes], list[bytes]]:
        wire = Wire()
        async with Host(trace=wire) as host:
            await launch(host, a=relay("a"), b=relay("b"))
            result = await host.call("a/call", via("b/echo", text="x"))
            return result, wire.sent("a"), wire.sent("b")

    result, to_a, to_b = run(main())
    assert result == {"text": "x"}
    assert to_a[-1] == b'{"jsonrpc":"2.0","id":101,"result":{"text":"x"}}'
    assert to_b[-1] == b'{"jsonrpc":"2.0","id":2,"method":"b/echo","params":{"text":"x"}}'


@pytest.mark.requirement("CAL-04")
def test_the_callee_gets_the_method_without_the_instance() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, one=relay("a"), two=relay("a"))
            return [json.loads(await host.call(f"a@{name}/seen")) for name in ("one", "two")]

    for number, seen in enumerate(run(main())):
        assert seen == {"jsonrpc": "2.0", "id": 2, "method": "a/seen"}, number


@pytest.mark.requirement("CAL-15", "CAL-16", "CAL-17", "CAL-19", "CAL-32")
def test_who_declares_meta_gets_the_caller_the_time_left_and_the_trace() -> None:
    meta = {
        "from": "somebody else",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    }

    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=relay("a", "meta"), b=relay("b", "meta"))
            params = {"method": "b/seen", "meta": meta}
            return json.loads(await host.call("a/call", params, timeout=20))

    seen = run(main())["meta"]
    left = seen.pop("deadlineMs")
    assert seen == {
        "from": "a",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    }
    assert 0 < left <= 20000


@pytest.mark.requirement("CAL-15", "LIF-12")
def test_who_does_not_declare_meta_gets_none() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=relay("a", "meta"), b=relay("b"))
            params = {"method": "b/seen", "meta": {"traceparent": "00-1-1-01"}}
            return json.loads(await host.call("a/call", params, progress=print))

    assert run(main()) == {"jsonrpc": "2.0", "id": 2, "method": "b/seen", "params": {}}


def test_a_call_of_the_application_comes_from_host() -> None:
    async def main() -> Any:
        async with Host() as host:
            await host.launch("a", relay("a", "meta"))
            return json.loads(await host.call("a/seen", timeout=20))

    seen = run(main())["meta"]
    assert (seen["from"], 0 < seen["deadlineMs"] <= 20000, len(seen)) == ("host", True, 2)


ODD = (
    b'{"big":123456789012345678901234567890,"exponent":1E+2,"point":1.0,"tiny":-0.0e-7,"twice":1,"twice":2,'
    b'"escape":"\\u00e9\\/\\n\\ud83d\\ude00","plain":"\xc3\xa9","":[ ],"deep":[[[{}]]] }'
)


@pytest.mark.requirement("MSG-25")
@pytest.mark.parametrize("member", ["params", "result", "data"])
def test_payloads_are_carried_with_their_bytes_unchanged(member: str) -> None:
    async def main() -> list[bytes]:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, parrot=[*plugin("parrot", member)], b=relay("b"), c=relay("c"))
            if member == "params":
                await host.call("liar/ask")
                return wire.sent("b")
            call = host.call("c/call", via("liar/ask"))
            await (call if member == "result" else fails(call))
            assert watch.warnings("parrot") == []
            return wire.sent("c")

    expected = {
        "params": b'{"jsonrpc":"2.0","id":2,"method":"b/echo","params":%b}',
        "result": b'{"jsonrpc":"2.0","id":101,"result":%b}',
        "data": b'{"jsonrpc":"2.0","id":101,"error":{"code":7,"message":"\xc3\xa9","data":%b}}',
    }
    assert run(main())[-1] == expected[member] % ODD


def test_a_number_that_python_cannot_hold_is_an_error_of_the_call() -> None:
    async def main() -> RequestError:
        async with Host() as host:
            await host.launch("parrot", plugin("parrot", "number"))
            return await fails(host.call("liar/ask"))

    assert run(main()).message == "the answer to liar/ask cannot be read: Number out of range - at `$[0]`"


@pytest.mark.requirement("MSG-09")
def test_the_last_of_two_members_is_the_one_that_is_forwarded() -> None:
    async def main() -> list[bytes]:
        wire = Wire()
        async with Host(trace=wire) as host:
            await launch(host, parrot=plugin("parrot", "twice"), b=relay("b"))
            await host.call("liar/ask")
            return wire.sent("b")

    assert run(main())[-1] == b'{"jsonrpc":"2.0","id":2,"method":"b/echo","params":{"last":true}}'


@pytest.mark.requirement("ERR-07")
def test_an_error_of_the_callee_reaches_the_caller_as_it_is() -> None:
    async def main() -> tuple[list[bytes], RequestError]:
        wire = Wire()
        async with Host(trace=wire) as host:
            await launch(host, a=relay("a"), parrot=plugin("parrot", "error"))
            error = await fails(host.call("a/call", via("liar/ask")))
            return wire.sent("a"), error

    to_a, error = run(main())
    assert to_a[-1] == (
        b'{"jsonrpc":"2.0","id":101,"error":{"code":-32602,"message":"no","data":{"problems":[{"path":"$","message":"x"}]}}}'
    )
    assert type(error) is InvalidParams
    assert error.data == {"problems": [{"path": "$", "message": "x"}]}


@pytest.mark.requirement("CAL-05")
def test_what_no_one_provides_is_not_found() -> None:
    async def main() -> list[RequestError]:
        async with Host() as host:
            await host.launch("a", relay("a"))
            methods = ["b/echo", "a/nothing", "a@b/echo", "echo", "a/", "state/nothing", "$/echo"]
            return [await fails(host.call("a/call", via(method))) for method in methods]

    errors = run(main())
    assert [type(error) for error in errors] == [MethodNotFound] * 7
    assert errors[0].message == "no one provides the service 'b'; services that are ready: a"
    assert errors[1].message.startswith("a of 'a' has no method 'nothing'; it has: call, ")
    assert errors[2].message == "no one provides the service 'a' at 'b'; services that are ready: a"


@pytest.mark.requirement("CAL-14")
def test_a_plugin_with_too_many_open_calls_is_answered_overloaded() -> None:
    async def main() -> Any:
        wire = Wire()
        async with Host(limits=Limits(in_flight=2), trace=wire) as host:
            await launch(host, a=relay("a"), b=relay("b", "concurrency=9"))
            calls = [{"id": number, "method": "b/hold"} for number in (1, 2, 3)]
            await host.call("a/say", {"messages": calls})
            return wire.sent("a")[-1]

    assert json.loads(run(main())) == {
        "jsonrpc": "2.0",
        "id": 3,
        "error": {"code": -32013, "message": "more than 2 requests in flight (CAL-14)", "data": {"limit": 2}},
    }


@pytest.mark.requirement("ERR-06")
def test_what_does_not_fit_into_a_frame_fails_at_its_sender() -> None:
    async def main() -> tuple[RequestError, Any]:
        async with Host(limits=Limits(frame_bytes=4096)) as host:
            await host.launch("a", relay("a", "meta"))
            error = await fails(host.call("a/echo", {"text": "x" * 4096}, progress=print))
            return error, await host.call("a/echo", {"text": "x"})

    error, after = run(main())
    assert (error.code, error.data["limit"]) == (-32016, 4096)
    assert error.data["size"] > 4096
    assert after == {"text": "x"}


@pytest.mark.requirement("ERR-06")
def test_a_result_of_the_application_that_does_not_fit_becomes_an_error() -> None:
    async def main() -> RequestError:
        async with Host(limits=Limits(frame_bytes=4096)) as host:

            @host.method("editor/text")
            async def text() -> str:
                return "x" * 5000

            await host.launch("a", relay("a"))
            return await fails(host.call("a/call", via("editor/text")))

    error = run(main())
    assert (error.code, error.data) == (-32016, {"size": 5038, "limit": 4096})


# Order and slots


@pytest.mark.requirement("CAL-11")
@pytest.mark.parametrize("sender", ["plugin", "application"])
def test_a_notification_stays_behind_a_queued_request_of_the_same_sender(sender: str) -> None:
    async def main() -> list[Any]:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"), c=relay("c"))
            held = await begun(watch, "b", "holding", host.call("b/hold"))
            if sender == "plugin":
                messages = [
                    {"id": 1, "method": "b/echo", "params": {"number": 1}},
                    {"method": "b/note", "params": {"number": 2}},
                ]
                await host.call("a/say", {"messages": messages})
            else:
                waiting = asyncio.ensure_future(host.call("b/echo", {"number": 1}))
                await asyncio.sleep(0)
                host.notify("b/note", {"number": 2})
            # Somebody else's does not wait.
            await host.call("c/say", {"messages": [{"method": "b/note", "params": {"number": 0}}]})
            await host.call("c/say", {"messages": [{"method": "b/release"}]})
            assert await held == "released"
            await host.call("b/echo", {"number": 3})
            if sender == "application":
                await waiting
            return [json.loads(body).get("params") for body in wire.sent("b")]

    assert run(main())[2:] == [None, {"number": 0}, None, {"number": 1}, {"number": 2}, {"number": 3}]


@pytest.mark.requirement("CAL-11")
def test_what_was_sent_before_an_answer_arrives_before_it() -> None:
    async def main() -> list[bytes]:
        wire = Wire()
        async with Host(trace=wire) as host:
            await launch(host, a=relay("a", "concurrency=9"), b=relay("b"))
            notes = [{"method": "a/note", "params": {"number": number}} for number in range(20)]
            await host.call("a/call", {"method": "b/say", "params": {"messages": notes}})
            return wire.sent("a")

    *_, before, last, answer = run(main())
    assert json.loads(before)["params"] == {"number": 18}
    assert json.loads(last)["params"] == {"number": 19}
    assert json.loads(answer) == {"jsonrpc": "2.0", "id": 101, "result": "said"}


@pytest.mark.requirement("CAL-07")
def test_a_notification_finds_its_way_or_is_dropped_and_reported() -> None:
    async def main() -> tuple[Any, list[str], list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            messages = [{"method": name} for name in ("b/note", "b@b/note", "c/note", "b/nothing")]
            await host.call("a/say", {"messages": messages})
            host.notify("b/note", {"from": "host"})
            host.notify("d/note")
            return await host.call("b/journal"), watch.warnings("a"), watch.warnings("host")

    journal, of_a, of_host = run(main())
    assert journal == [["b/note", None], ["b/note", None], ["b/note", {"from": "host"}]]
    assert (
        of_a[0] == "the notification c/note was dropped: no one provides the service 'c'; services that are ready: a, b"
    )
    assert of_a[1].startswith("the notification b/nothing was dropped: b of 'b' has no method 'nothing'")
    assert of_host[0].startswith("the notification d/note was dropped: no one provides the service 'd'")
    assert (len(of_a), len(of_host)) == (2, 1)


@pytest.mark.requirement("MSG-03")
def test_params_of_the_application_are_an_object_or_nothing() -> None:
    async def main() -> None:
        async with Host() as host:
            await host.launch("a", relay("a"))
            wrong: Any
            for wrong in ([1], 1, "x", True):
                with pytest.raises(TypeError, match="params are an object"):
                    await host.call("a/echo", wrong)
                with pytest.raises(TypeError, match="params are an object"):
                    host.notify("a/note", wrong)
            assert await host.call("a/journal") == []

    run(main())


@pytest.mark.requirement("CAL-13")
@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_plugin_has_no_more_requests_open_than_it_takes(concurrency: int) -> None:
    async def main() -> None:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, a=relay("a", f"concurrency={concurrency}"), b=relay("b"))
            calls = [asyncio.ensure_future(host.call("a/hold", {"number": number})) for number in range(5)]
            for _ in range(concurrency):
                await watch.log("a", "holding")
            record = host.plugins["a"]
            assert (record.in_flight, record.queued) == (concurrency, 5 - concurrency)
            for number in range(5 - concurrency):
                await host.call("b/say", {"messages": [{"method": "a/release"}]})
                await calls[number]
                await watch.log("a", "holding")
                assert host.plugins["a"].in_flight <= concurrency
            await host.call("b/say", {"messages": [{"method": "a/release"}]})
            assert await asyncio.gather(*calls) == ["released"] * 5
            asked = [json.loads(body) for body in wire.sent("a") if b"a/hold" in body]
            assert [request["params"]["number"] for request in asked] == [0, 1, 2, 3, 4]

    run(main())


@pytest.mark.requirement("CAL-13")
def test_a_full_queue_is_answered_overloaded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugwire_host.routing.queue.QUEUE_LIMIT", 2)

    async def main() -> tuple[RequestError, list[Any]]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            held = await begun(watch, "a", "holding", host.call("a/hold"))
            waiting = [asyncio.ensure_future(host.call("a/echo", {"number": number})) for number in (1, 2)]
            await asyncio.sleep(0)
            error = await fails(host.call("a/echo"))
            waiting[0].cancel()
            await asyncio.wait(waiting[:1])
            last = asyncio.ensure_future(host.call("a/echo", {"number": 3}))
            await asyncio.sleep(0)
            await launch(host, b=relay("b"))
            await host.call("b/say", {"messages": [{"method": "a/release"}]})
            return error, [await call for call in (held, waiting[1], last)]

    error, answers = run(main())
    assert type(error) is Overloaded
    assert error.data == {"instance": "a", "limit": 2}
    assert answers == ["released", {"number": 2}, {"number": 3}]


@pytest.mark.requirement("CAL-13")
def test_a_queue_of_large_params_is_full_when_its_bytes_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugwire_host.routing.queue.QUEUE_BYTES", 250_000)

    async def main() -> tuple[RequestError, list[Any]]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            held = await begun(watch, "a", "holding", host.call("a/hold"))
            waiting = [asyncio.ensure_future(host.call("a/echo", {"text": "x" * 100_000})) for _ in range(2)]
            await asyncio.sleep(0)
            error = await fails(host.call("a/echo", {"text": "x" * 100_000}))
            small = asyncio.ensure_future(host.call("a/echo", {"text": "small"}))
            waiting[0].cancel()
            await asyncio.wait(waiting[:1])
            last = asyncio.ensure_future(host.call("a/echo", {"text": "y" * 100_000}))
            await asyncio.sleep(0)
            await launch(host, b=relay("b"))
            await host.call("b/say", {"messages": [{"method": "a/release"}]})
            return error, [await call for call in (held, waiting[1], small, last)]

    error, answers = run(main())
    assert type(error) is Overloaded
    assert error.data == {"instance": "a", "limit": 250_000}
    assert answers == ["released", {"text": "x" * 100_000}, {"text": "small"}, {"text": "y" * 100_000}]


# Cancel


CHAIN = ("b/call", "c/call", "d/call", "e/hold")


@pytest.mark.requirement("CAL-20", "CAL-23", "MSG-17")
@pytest.mark.parametrize("options", [("meta", "concurrency=4"), ()], ids=["meta", "one at a time, no meta"])
def test_a_cancel_reaches_five_plugins_and_each_answers_once(options: tuple[str, ...]) -> None:
    async def main() -> Wire:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, **{name: relay(name, *options) for name in "abcde"})
            call = await begun(watch, "e", "holding", host.call("a/call", via(*CHAIN)))
            call.cancel()
            for name in "abcde":
                await watch.log(name, f"cancelled {name}/")
            with pytest.raises(asyncio.CancelledError):
                await call
            # The slots are free again, and nothing of it is left.
            assert await host.call("a/call", via("b/call", "c/call", "d/call", "e/echo", x=1)) == {"x": 1}
            assert {record.in_flight for record in host.plugins.values()} == {0}
        return wire

    wire = run(main())
    for name, method in zip("abcde", ["call", "call", "call", "call", "hold"], strict=True):
        cancelled = wire.answers(name, f"{name}/{method}")[0]
        assert [answer["error"]["code"] for answer in cancelled] == [-32800], name


@pytest.mark.requirement("CAL-22", "CAL-21")
def test_a_cancel_of_somebody_elses_request_does_nothing() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"), c=relay("c"))
            call = await begun(watch, "c", "holding", host.call("a/call", via("c/hold")))
            for wrong in (101, "101", 2, True, None, 1.5):
                await host.call("b/cancel", {"id": wrong})
            host.notify("c/release")
            assert not [event for event in watch.events if "cancelled" in str(event)]
            return await call

    assert run(main()) == "released"


@pytest.mark.requirement("CAL-24")
def test_a_queued_request_is_cancelled_at_once_and_never_sent() -> None:
    async def main() -> list[bytes]:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            held = await begun(watch, "b", "holding", host.call("b/hold"))
            messages = [{"id": 1, "method": "b/echo"}, {"method": "$/cancelRequest", "params": {"id": 1}}]
            await host.call("a/say", {"messages": messages})
            assert not held.done()
            assert json.loads(wire.sent("a")[-1]) == {
                "jsonrpc": "2.0",
                "id": 1,
                "error": {"code": -32800, "message": "the request was cancelled"},
            }
            host.notify("b/release")
            await held
            return wire.sent("b")

    assert [body for body in run(main()) if b"echo" in body] == []


@pytest.mark.requirement("CAL-24", "CAL-39")
def test_a_callee_that_ignores_the_cancel_does_not_keep_its_caller() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            request = {"id": 1, "method": "b/hold", "params": {"stubborn": True}}
            await begun(watch, "b", "holding", host.call("a/say", {"messages": [request]}))
            await host.call("a/cancel", {"id": 1})
            await watch.log("b", "not cancelled")
            # Its slot is taken until it answers, and that answer is nobody's.
            waiting = asyncio.ensure_future(host.call("b/echo", {"x": 1}))
            await host.call("a/say", {"messages": [{"method": "b/release"}]})
            assert await waiting == {"x": 1}
            assert watch.warnings("b") == watch.warnings("a") == []

    run(main())


@pytest.mark.requirement("CAL-23")
def test_what_is_called_because_of_a_cancelled_call_is_cancelled_too() -> None:
    async def main() -> tuple[Any, list[bytes]]:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, a=relay("a", "meta", "concurrency=4"), b=relay("b"))
            call = await begun(watch, "a", "holding", host.call("a/hold", {"stubborn": True}))
            call.cancel()
            await watch.log("a", "not cancelled")
            messages = [{"id": 1, "method": "b/hold", "meta": {"parent": 2}}]
            await host.call("a/say", {"messages": messages})
            answer = json.loads(wire.sent("a")[-1])
            host.notify("a/release")
            return answer, wire.sent("b")

    answer, to_b = run(main())
    assert answer == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32800, "message": "the call that caused this one has ended"},
    }
    assert [body for body in to_b if b"hold" in body] == []


def test_a_cancelled_call_of_the_application_is_cancelled_at_the_callee() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SOON):
                    await host.call("a/hold")
            await watch.log("a", "cancelled a/hold")
            assert await host.call("a/echo", {"x": 1}) == {"x": 1}

    run(main())


# Deadlines


@pytest.mark.requirement("CAL-23", "CAL-29", "CAL-30")
@pytest.mark.parametrize("options", [("meta", "concurrency=4"), ()], ids=["meta", "one at a time, no meta"])
def test_a_deadline_ends_five_hops(options: tuple[str, ...]) -> None:
    async def main() -> RequestError:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, **{name: relay(name, *options) for name in "abcde"})
            call = await begun(watch, "e", "holding", host.call("a/call", via(*CHAIN), timeout=10.0))
            clock().advance(10.0)
            error = await fails(call)
            await watch.log("e", "cancelled e/hold")
            # The slots are free again; each has given one answer, whichever of the two messages told it to.
            assert await host.call("a/call", via(*CHAIN[:3], "e/echo", x=1)) == {"x": 1}
        for name in "abcd":
            codes = [answer["error"]["code"] for answer in wire.answers(name, f"{name}/call")[0]]
            assert codes in ([-32800], [-32012]), name
        return error

    error = run(main())
    assert type(error) is DeadlineExceeded
    assert error.data == {"instance": "a", "timeoutMs": 10000}
    assert error.message == "plugin 'a' did not answer within 10 s (a/call)"


@pytest.mark.requirement("CAL-29", "CAL-32")
def test_a_call_has_no_more_time_than_its_parent() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=relay("a", "meta"), b=relay("b", "meta"))
            params = {"method": "b/seen", "meta": {"deadlineMs": 900_000}}
            more = json.loads(await host.call("a/call", params, timeout=20))
            params = {"method": "b/seen", "meta": {"deadlineMs": 5_000}}
            less = json.loads(await host.call("a/call", params, timeout=20))
            return more["meta"]["deadlineMs"], less["meta"]["deadlineMs"]

    more, less = run(main())
    assert 5000 < more <= 20000
    assert less <= 5000


@pytest.mark.requirement("CAL-31")
def test_a_call_without_a_deadline_gets_the_hosts() -> None:
    async def main() -> RequestError:
        async with Host(call_timeout=SOON) as host:
            await host.launch("a", relay("a"))
            return await fails(host.call("a/hold"))

    error = run(main())
    assert (type(error), error.data) == (DeadlineExceeded, {"instance": "a", "timeoutMs": 200})


@pytest.mark.requirement("CAL-31")
def test_a_plugin_may_have_a_time_of_its_own() -> None:
    async def main() -> RequestError:
        async with Host(call_timeout=LIMIT) as host:
            await host.launch("a", relay("a"), call_timeout=SOON)
            error = await fails(host.call("a/hold"))
            await host.stop("a")
            await host.launch("a", relay("a", "meta"))
            left = json.loads(await host.call("a/seen"))["meta"]["deadlineMs"]
            assert left > 25000
            return error

    error = run(main())
    assert (type(error), error.data) == (DeadlineExceeded, {"instance": "a", "timeoutMs": 200})


def test_a_call_that_never_got_a_slot_says_so() -> None:
    async def main() -> RequestError:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", plugin("never_answers"))
            first = await begun(watch, "a", "asked", host.call("liar/ask", timeout=LIMIT))
            error = await fails(host.call("liar/ask", timeout=SOON))
            first.cancel()
            return error

    assert run(main()).message == "plugin 'a' waited for a free slot within 0.2 s (liar/ask)"


@pytest.mark.requirement("CAL-39")
def test_a_late_answer_is_dropped_silently() -> None:
    async def main() -> list[str]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            await fails(host.call("a/hold", {"stubborn": True}, timeout=SOON))
            await watch.log("a", "not cancelled")
            host.notify("a/release")
            assert await host.call("a/echo", {"x": 1}) == {"x": 1}
            return watch.warnings("a")

    assert run(main()) == []


@pytest.mark.parametrize("timeout", [1e9, float("inf")])
def test_a_time_without_end_is_as_long_as_the_protocol_can_say(timeout: float) -> None:
    async def main() -> Any:
        async with Host() as host:
            await host.launch("a", relay("a", "meta"))
            return json.loads(await host.call("a/seen", timeout=timeout))["meta"]["deadlineMs"]

    assert 2**31 - 60_000 < run(main()) < 2**31


# Progress


@pytest.mark.requirement("CAL-25", "CAL-26", "CAL-27")
def test_progress_comes_over_two_hops_under_a_token_of_each_hop_and_ends_with_the_answer() -> None:
    async def main() -> tuple[list[Any], Wire]:
        wire = Wire()
        told: list[Any] = []
        async with Host(trace=wire) as host:
            await launch(host, a=relay("a", "meta"), b=relay("b", "meta"))
            assert await host.call("a/call", via("b/progress"), progress=told.append) == "told"
            await host.call("b/echo")
            await host.call("a/echo")
        return told, wire

    told, wire = run(main())
    assert told == [{"done": 1, "total": 3}, {"done": 2, "total": 3}, {"done": 3, "total": 3}]
    to_a = [json.loads(body) for body in wire.sent("a")]
    to_b = [json.loads(body) for body in wire.sent("b")]
    assert [message["meta"]["progress"] for message in to_a if message.get("method") == "a/call"] == [1]
    assert [message["meta"]["progress"] for message in to_b if message.get("method") == "b/progress"] == [1]
    tokens = [message["params"]["token"] for message in to_a if message.get("method") == "$/progress"]
    assert tokens == ["token 101", "token 101", "token 101"]


@pytest.mark.requirement("CAL-28")
def test_progress_with_an_unknown_token_is_ignored() -> None:
    async def main() -> list[Any]:
        told: list[Any] = []
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a", "meta", "concurrency=2"))
            call = await begun(watch, "a", "holding", host.call("a/hold", progress=told.append))
            wrong: list[Any] = [2, "1", True, 1.0, None, [1], {}]
            messages = [{"method": "$/progress", "params": {"token": t, "value": {"done": 7}}} for t in wrong]
            messages += [{"method": "$/progress", "params": {"token": 1, "value": 7}}, {"method": "$/progress"}]
            await host.call("a/say", {"messages": messages})
            host.notify("a/release")
            await call
        return told

    assert run(main()) == [{"message": "holding"}]


def test_a_callback_that_fails_at_progress_ends_nothing() -> None:
    async def main() -> tuple[Any, list[str]]:
        complaints: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))

        def fail(value: Any) -> None:
            raise ValueError(value)

        async with Host() as host:
            await host.launch("a", relay("a", "meta"))
            return await host.call("a/progress", progress=fail), complaints

    result, complaints = run(main())
    assert result == "told"
    assert complaints == ["a callback for progress failed"] * 3


@pytest.mark.requirement("CAL-18")
def test_a_plugin_that_was_cancelled_may_still_give_back_what_it_holds() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", plugin("gives_back_late"))
            asking = await begun(watch, "a", "begun", host.call("liar/ask"))
            asking.cancel()
            await watch.log("a", "answered {'revision': 1}")
            return await host.state.get("given-back")

    assert run(main()) is True
