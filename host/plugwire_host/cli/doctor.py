"""``plugin-run doctor``: check plugins step by step."""

from __future__ import annotations

from typing import Any

import attrs
import click

from ..checks import Check
from ..config import PluginSpec
from ..doctor import Examined, examine, judge_requirements
from ..examination import ANSWER_TIME
from .exits import NOT_STARTED, PROTOCOL, exit_code
from .hosting import interruptible, new_runner
from .options import Choice, PluginCommand, plugin_options
from .output import say, show, show_json
from .trace import TraceFile, open_trace


@click.command("doctor", cls=PluginCommand)
@plugin_options
def command(choice: Choice) -> None:
    """Start each plugin alone, check every step of its life, and say what to mend.

    Ends with 0 when every check passed, 3 when a plugin could not be started, and 4 when one broke the protocol.
    """
    with open_trace(choice.trace, choice.config.plugins) as trace, new_runner() as runner:
        examined = runner.run(_examine_all(choice, trace))
    if choice.as_json:
        show_json([_as_json(one) for one in examined])
    else:
        for number, one in enumerate(examined):
            if number:
                show()
            _show(one.spec, one.checks)
    codes = [code for one in examined if (code := _code(one))]
    if codes:
        raise SystemExit(min(codes))


async def _examine_all(choice: Choice, trace: TraceFile | None) -> list[Examined]:
    examined = []
    with interruptible():
        for spec in choice.config.plugins:
            examined.append(
                await examine(
                    spec,
                    answer_time=choice.timeout or ANSWER_TIME,
                    on_stderr=lambda plugin, line: say(f"{plugin} | {line}") if choice.verbose else None,
                    tap=trace,
                )
            )
    return judge_requirements(examined)


def _code(examined: Examined) -> int:
    """0, 3 or 4: as the other commands end for a plugin that does not start (exits.py)."""
    failed = {check.step for check in examined.checks if check.verdict == "FAIL"}
    if examined.failure is not None:
        return exit_code(examined.failure)
    if "requires" in failed:
        return NOT_STARTED
    return PROTOCOL if failed else 0


def _as_json(examined: Examined) -> dict[str, Any]:
    return {"plugin": examined.spec.name, "checks": [attrs.asdict(check) for check in examined.checks]}


def _show(spec: PluginSpec, checks: tuple[Check, ...]) -> None:
    show(f"{spec.name}: {' '.join(spec.command.argv)}")
    for check in checks:
        if check.verdict == "not reached":
            continue
        show(f"  {check.verdict:<5} {check.step:<15} {check.found}".rstrip())
        for line in check.details:
            show(f"          {line}")
        if check.hint:
            show(f"        hint: {check.hint}")
    show(_summary(checks))


def _summary(checks: tuple[Check, ...]) -> str:
    words = {"ok": "passed", "FAIL": "failed", "warn": "warned", "not reached": "not reached"}
    counts = {verdict: sum(check.verdict == verdict for check in checks) for verdict in words}
    return ", ".join(f"{counts[v]} {word}" for v, word in words.items() if counts[v] or v in ("ok", "FAIL"))
