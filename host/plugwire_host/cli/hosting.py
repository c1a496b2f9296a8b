"""A host for the time of one command: its loop, its signals, its trace, and what it says on standard error."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from plugwire.plugin import loop_factory

from ..events import HostEvent, PluginEnded
from ..host import Host
from .options import Choice
from .output import say
from .telling import Teller
from .trace import TraceFile, open_trace

T = TypeVar("T")


def with_host(
    choice: Choice,
    main: Callable[[Host], Awaitable[T]],
    *,
    quiet: bool = False,
    reports: bool = True,
    watch: Callable[[HostEvent], None] | None = None,
) -> T:
    """Run ``main`` with the chosen plugins started.

    Ctrl-C once ends the plugins in order and raises KeyboardInterrupt; a second one kills them. ``quiet`` keeps
    records below warning and the lifecycle off standard error unless the user wants them. Without ``reports`` a start
    that fails is no more than mentioned there. ``watch`` is called for each event, from the first start on.
    """
    teller = Teller(quiet=quiet, verbose=choice.verbose, as_json=choice.as_json, reports=reports)
    with open_trace(choice.trace, choice.config.plugins) as trace, new_runner() as runner:
        return runner.run(_main(choice, main, trace, teller, watch))


def new_runner() -> asyncio.Runner:
    """The loop of one command."""
    return asyncio.Runner(loop_factory=loop_factory())


async def _main(
    choice: Choice,
    main: Callable[[Host], Awaitable[T]],
    trace: TraceFile | None,
    teller: Teller,
    watch: Callable[[HostEvent], None] | None,
) -> T:
    # The plugins start after the callbacks are there, so that what happens meanwhile is told.
    config = choice.config
    host = Host(name="plugin-run", call_timeout=config.call_timeout, state=config.state, trace=trace)
    host.on(HostEvent, teller.tell)
    if watch is not None:
        host.on(HostEvent, watch)
    if trace is not None:
        host.on(PluginEnded, lambda event: trace.end(event.plugin))
    with interruptible(on_second=host.kill):
        async with host:
            try:
                await host.launch_all(config.plugins)
            except BaseException as error:
                teller.started(host.plugins.values(), raised=error)
                raise
            teller.started(host.plugins.values())
            return await main(host)


@contextlib.contextmanager
def interruptible(*, on_second: Callable[[], object] | None = None) -> Iterator[None]:
    """The first signal cancels the present task, so that everything ends in order, and becomes a KeyboardInterrupt.

    Each further one calls ``on_second``, or cancels again.
    """
    received = 0
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    assert task is not None

    def receive() -> None:
        nonlocal received
        received += 1
        if received == 1:
            task.cancel()
            say("stopping the plugins; once more kills them")
        elif on_second is not None:
            on_second()
        else:
            task.cancel()

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for number in numbers:
        loop.add_signal_handler(number, receive)
    try:
        yield
    except asyncio.CancelledError:
        if received:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def stay_up(host: Host, check: Callable[[], None]) -> None:
    """Until a signal comes, or no plugin is left that runs or will run again. ``check`` may raise at any event."""
    if not _any_left(host):
        return
    async for _ in host.events():
        check()
        if not _any_left(host):
            return


def _any_left(host: Host) -> bool:
    return any(record.state.value not in ("failed", "stopped") for record in host.plugins.values())
