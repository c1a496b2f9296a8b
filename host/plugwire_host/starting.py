"""Plugins that start side by side, and may require each other. Spec CAL-10 and MAN-08."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .errors import HostError
from .supervisor import PluginState, Supervisor


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
    """Refuse those whose requirements are not met, and whoever relied on them; the others become ready."""
    while True:
        launched = [s for s in supervisors if s.state is PluginState.STARTING]
        coming = [service for s in launched for service in s.provides]
        refused = [(s, problems) for s in launched if (problems := s.unmet(coming)) or s.has_ended]
        if not refused:
            break
        await asyncio.gather(*(supervisor.refuse(problems) for supervisor, problems in refused))
    for supervisor in launched:
        supervisor.become_ready()
