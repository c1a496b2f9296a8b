"""Checking plugins step by step, each step with what to mend. Nothing is believed that was not tried.

Owns: what is known of several plugins together. Does not own: the steps of one (examination.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve, frozen

from .checks import Check
from .config import PluginSpec
from .errors import StartupFailed
from .examination import ANSWER_TIME, Examination
from .routing.registry import Registry
from .supervision.handshake import Answer


@frozen
class Examined:
    """One plugin: every step, its answer to ``initialize`` when it gave a good one, and how its start failed if not."""

    spec: PluginSpec
    checks: tuple[Check, ...]
    answer: Answer | None
    failure: StartupFailed | None


async def examine(
    spec: PluginSpec,
    *,
    answer_time: float = ANSWER_TIME,
    on_stderr: Callable[[str, str], None] = lambda *_: None,
    tap: Callable[[str, bool, bytes], None] | None = None,
) -> Examined:
    """Every step for one plugin, alone. Raises nothing that the plugin could cause; the process is gone afterwards.

    ``requires`` is for ``judge_requirements``: it takes all of the plugins to know.
    """
    examination = Examination(spec, answer_time, on_stderr, tap)
    try:
        await examination.run()
    finally:
        examination.close()
    return Examined(spec, examination.checks(), examination.answer, examination.failure)


def judge_requirements(examined: Iterable[Examined]) -> list[Examined]:
    """With the step ``requires``: whether the plugins have in each other what they need (CAL-10)."""
    everyone = list(examined)
    provided = [service for one in everyone if one.answer is not None for service in one.answer.provides]
    judged = []
    for one in everyone:
        if one.answer is not None:
            check = _check_requirements(one.answer, Registry().unmet(one.answer.requires, provided))
            one = evolve(one, checks=tuple(check if c.step == "requires" else c for c in one.checks))
        judged.append(one)
    return judged


def _check_requirements(answer: Answer, problems: list[str]) -> Check:
    if problems:
        hint = "add a plugin that provides it, to plugins.toml or with --with, or make the requirement optional"
        return Check("requires", "FAIL", "; ".join(problems), hint=hint)
    wanted = [
        f"{required.service} {required.versions}".rstrip() + (" (optional)" if required.optional else "")
        for required in answer.requires
    ]
    return Check("requires", "ok", ", ".join(wanted) or "nothing")
