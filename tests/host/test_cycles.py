"""Which calls would wait for themselves: the rule against a model of plugins with slots, and real plugins."""

import asyncio
from collections import deque
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugwire import Context
from plugwire_host import CallCycle, Host
from plugwire_host.routing.call import Call, Phase
from plugwire_host.routing.cycles import find_cycle
from plugwire_host.routing.link import PluginLink

from .support import Watch, begun, fails, launch, relay, run, via

# The rule


class Slots:
    """A plugin that holds as many calls as it has slots; the others wait in order."""

    def __init__(self, name: str, slots: int) -> None:
        self.name = name
        self.slots = slots
        self.held: list[Call] = []
        self.queue: deque[Call] = deque()

    def serving(self) -> list[Call]:
        return list(self.held)

    def serve_next(self) -> None:
        while self.queue and len(self.held) < self.slots:
            call = self.queue.popleft()
            call.phase = Phase.SENT
            self.held.append(call)


class World:
    """Plugins and their open calls, in which a call ends only when nothing that it has called is open."""

    def __init__(self, *slots: int) -> None:
        self.plugins = [Slots("abcdef"[number], count) for number, count in enumerate(slots)]
        self.refused = 0

    def call(self, plugin: int, parent: Call | None = None) -> Call | list[str]:
        """A new call, or the way round for which it is refused."""
        callee = self.plugins[plugin]
        call = Call(cast(Any, None), 1, "x/y", None, None)
        call.callee = cast(PluginLink, callee)
        if parent is not None:
            parent.adopt(call)
        path = None
        if callee.queue or len(callee.held) >= callee.slots:
            path = find_cycle(call, cast(PluginLink, callee))
        callee.queue.append(call)
        if path is not None:
            assert not self.would_be_served(call), "it could have been served"
            self.refused += 1
            callee.queue.remove(call)
            self._forget(call)
            return path
        assert self.would_be_served(call), "it will never be served"
        callee.serve_next()
        return call

    def would_be_served(self, call: Call) -> bool:
        """Whether a call is served when everything ends that can end: the model, which knows no graph."""
        held = {plugin.name: list(plugin.held) for plugin in self.plugins}
        queues = {plugin.name: deque(plugin.queue) for plugin in self.plugins}
        slots = {plugin.name: plugin.slots for plugin in self.plugins}
        open_calls = {waiting for calls in (*held.values(), *queues.values()) for waiting in calls}
        while True:
            for name, queue in queues.items():
                while queue and len(held[name]) < slots[name]:
                    held[name].append(queue.popleft())
            if all(call not in queue for queue in queues.values()):
                return True
            ended = [c for calls in held.values() for c in calls if not (c.children or set()) & open_calls]
            if not ended:
                return False
            open_calls -= set(ended)
            for name in held:
                held[name] = [c for c in held[name] if c in open_calls]

    def held(self) -> list[Call]:
        return [call for plugin in self.plugins for call in plugin.held]

    def end(self, call: Call) -> None:
        """An answer; what waits for the slot moves up."""
        callee = cast(Slots, call.callee)
        callee.held.remove(call)
        self._forget(call)
        callee.serve_next()

    @staticmethod
    def _forget(call: Call) -> None:
        if call.parent is not None and call.parent.children is not None:
            call.parent.children.discard(call)


STEPS = st.lists(
    st.tuples(st.sampled_from(["app", "child", "child", "child", "end"]), st.integers(0, 99), st.integers(0, 5)),
    max_size=40,
)


@pytest.mark.requirement("CAL-33", "CAL-34")
@settings(max_examples=400, deadline=None)
@given(slots=st.lists(st.integers(1, 3), min_size=1, max_size=6), steps=STEPS)
def test_exactly_those_calls_are_refused_that_could_never_be_served(
    slots: list[int], steps: list[tuple[str, int, int]]
) -> None:
    world = World(*slots)
    for kind, choice, plugin in steps:
        held = world.held()
        endable = [call for call in held if not call.children]
        if kind == "end":
            if endable:
                world.end(endable[choice % len(endable)])
            continue
        parent = held[choice % len(held)] if held and kind == "child" else None
        outcome = world.call(plugin % len(slots), parent)
        if isinstance(outcome, list):
            name = world.plugins[plugin % len(slots)].name
            assert outcome[0] == outcome[-1] == name
            assert len(outcome) >= 2
    # Nothing is stuck: everything ends.
    while world.held():
        world.end(next(call for call in world.held() if not call.children))
    assert [plugin.name for plugin in world.plugins if plugin.queue] == []


def served(call: Call | list[str]) -> Call:
    assert isinstance(call, Call)
    return call


def test_the_way_round_is_the_shortest() -> None:
    world = World(1, 1, 1)
    first = served(world.call(0))
    second = served(world.call(1, first))
    third = served(world.call(2, second))
    assert world.call(0, third) == ["a", "b", "c", "a"]
    assert world.call(1, third) == ["b", "c", "b"]
    assert world.call(2, third) == ["c", "c"]
    assert world.refused == 3


def test_who_waits_for_a_slot_is_part_of_the_way() -> None:
    world = World(1, 1)
    at_a, at_b = served(world.call(0)), served(world.call(1))
    served(world.call(1, at_a))
    assert world.call(0, at_b) == ["a", "b", "a"]


def test_one_slot_that_will_be_free_is_enough() -> None:
    world = World(2, 1)
    first, other = served(world.call(0)), served(world.call(0))
    at_b = served(world.call(1, first))
    waiting = served(world.call(0, at_b))
    assert phase_of(waiting) is Phase.QUEUED
    # And now the other one may not wait as well.
    assert world.call(0, other) == ["a", "a"]
    world.end(other)
    assert phase_of(waiting) is Phase.SENT


def phase_of(call: Call) -> Phase:
    return call.phase


# Real plugins


def cycle_data(error: Exception) -> Any:
    assert type(error) is CallCycle
    return error.data


@pytest.mark.requirement("CAL-18", "CAL-33")
@pytest.mark.parametrize("options", [("meta",), ()], ids=["meta", "no meta"])
def test_a_cycle_of_plugins_that_serve_one_call_at_a_time_is_refused_at_once(options: tuple[str, ...]) -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await launch(host, **{name: relay(name, *options) for name in "abc"})
            around = await fails(host.call("a/call", via("b/call", "c/call", "a/echo")))
            itself = await fails(host.call("a/call", via("a/echo")))
            # Nothing stays taken.
            assert await host.call("a/call", via("b/call", "c/echo", x=1)) == {"x": 1}
            return [str(around), cycle_data(around), cycle_data(itself)]

    assert run(main()) == [
        "CallCycle (-32015): a/echo would wait for itself: a → b → c → a",
        {"path": ["a", "b", "c", "a"]},
        {"path": ["a", "a"]},
    ]


@pytest.mark.requirement("CAL-33")
@pytest.mark.parametrize("options", [("meta",), ()], ids=["meta", "no meta"])
def test_of_two_plugins_that_call_each_other_at_the_same_time_one_is_refused(options: tuple[str, ...]) -> None:
    async def main() -> tuple[Any, Any]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a", *options), b=relay("b", *options))
            from_a = await begun(watch, "a", "parked", host.call("a/call", {"method": "b/echo", "wait": True}))
            from_b = await begun(watch, "b", "parked", host.call("b/call", {"method": "a/echo", "wait": True}))
            host.notify("a/go")
            await watch.log("a", "sent b/echo")
            assert host.plugins["b"].queued == 1
            host.notify("b/go")
            return cycle_data(await fails(from_b)), await from_a

    assert run(main()) == ({"path": ["a", "b", "a"]}, {})


@pytest.mark.requirement("CAL-34")
def test_a_cycle_through_free_slots_is_served() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=relay("a", "meta", "concurrency=2"), b=relay("b"), c=relay("c"))
            result = await host.call("a/call", via("b/call", "c/call", "a/echo", x=1))
            error = await fails(host.call("a/call", via("b/call", "a/call", "c/call", "a/echo", x=1)))
            return result, cycle_data(error)

    assert run(main()) == ({"x": 1}, {"path": ["a", "c", "a"]})


@pytest.mark.requirement("CAL-33")
def test_a_cycle_through_the_application_is_refused() -> None:
    async def main() -> Any:
        async with Host() as host:

            @host.method("editor/ask")
            async def ask(ctx: Context) -> Any:
                return await ctx.call("a/echo", {"x": 1})

            await host.launch("a", relay("a"))
            return cycle_data(await fails(host.call("a/call", via("editor/ask"))))

    assert run(main()) == {"path": ["a", "host", "a"]}


def test_a_call_that_was_cancelled_is_no_part_of_a_cycle() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"), c=relay("c"))
            call = await begun(watch, "b", "holding", host.call("a/call", via("b/hold", stubborn=True)))
            call.cancel()
            await watch.log("b", "not cancelled")
            await watch.log("a", "cancelled a/call")
            # b still holds its slot, for nobody; who waits for it does not wait for itself.
            waiting = await begun(watch, "a", "sent b/echo", host.call("a/call", via("b/echo", x=1)))
            assert not waiting.done()
            await host.call("c/say", {"messages": [{"method": "b/release"}]})
            return await waiting

    assert run(main()) == {"x": 1}


def test_the_order_of_the_ends_does_not_matter() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a", "meta", "concurrency=3"), b=relay("b"))
            holds = [await begun(watch, "a", "holding", host.call("a/hold")) for _ in range(2)]
            around = await begun(watch, "b", "sent a/echo", host.call("a/call", via("b/call", "a/echo", x=1)))
            assert host.plugins["a"].queued == 1
            holds[0].cancel()
            result = await around
            host.notify("a/release")
            return result, await asyncio.gather(*holds, return_exceptions=True)

    result, (_, released) = run(main())
    assert (result, released) == ({"x": 1}, "released")
