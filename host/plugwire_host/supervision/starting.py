"""Plugins that start side by side, and may require each other. Spec CAL-10, HOK-06 and MAN-08."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from ..errors import HostError
from ..routing.local import HOST
from ..toml_types import INSTANCE_NAME
from .records import PluginState
from .supervisor import Supervisor


def check_names(names: Iterable[str], there: Iterable[str]) -> None:
    """Raises ValueError for a name that no plugin may have, or that one has (CAL-40)."""
    taken = set(there)
    for name in names:
        if name == HOST:
            raise ValueError("the instance name 'host' stands for the application itself (CAL-40)")
        if INSTANCE_NAME.fullmatch(name) is None:
            raise ValueError(f"an instance name is 1 to 64 of a-z 0-9 . _ -, and {name!r} is not")
        if name in taken:
            raise ValueError(f"there is a plugin {name!r} already")
        taken.add(name)


async def start_together(supervisors: Sequence[Supervisor]) -> None:
    """Launch all; those whose requirements are met become ready, all at once.

    A failure is raised only for a plugin that is ``required``. When the wait is cancelled, none of them stays.
    """
    try:
        results = await asyncio.gather(*(supervisor.launch() for supervisor in supervisors), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, HostError):
                raise result
        await _settle(supervisors)
    except BaseException:
        await asyncio.gather(*(supervisor.stop() for supervisor in supervisors))
        raise
    for supervisor in supervisors:
        if supervisor.spec.required and supervisor.state is not PluginState.READY:
            stopped = HostError(f"plugin {supervisor.name!r} was stopped while it was starting")
            raise supervisor.failure or stopped


async def _settle(supervisors: Sequence[Supervisor]) -> None:
    """Refuse those whose requirements are not met, whoever relied on them, and whose links have no place (HOK-06).

    The others become ready.
    """
    while True:
        launched = [s for s in supervisors if s.state is PluginState.STARTING]
        coming = [service for s in launched for service in s.provides]
        refused = [(s, problems) for s in launched if (problems := s.unmet(coming)) or s.has_ended]
        if refused:
            await asyncio.gather(*(supervisor.refuse(problems) for supervisor, problems in refused))
        elif (misplaced := _first_misplaced(launched)) is not None:
            await misplaced[0].refuse([], misplaced=misplaced[1])
        else:
            break
    for supervisor in launched:
        supervisor.become_ready()


def _first_misplaced(launched: Sequence[Supervisor]) -> tuple[Supervisor, str] | None:
    """The first whose links of hooks cannot be put in order with those before it, and why."""
    if not launched or launched[-1].misplaced(launched[:-1]) is None:
        return None
    tried = ((supervisor, supervisor.misplaced(launched[:place])) for place, supervisor in enumerate(launched))
    return next(((supervisor, why) for supervisor, why in tried if why is not None), None)
