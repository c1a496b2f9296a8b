"""``plugin-conform explain CASE``: what a case is about."""

import textwrap

import click

from ..case import Case
from ..oracles import Oracle
from ..report import Role

_WIDTH = 110


@click.command("explain")
@click.argument("case")
@click.option("--role", type=click.Choice(["plugin", "host"]), help="Whose case, where both have one of that name.")
def command(case: str, role: str | None) -> None:
    """Say what a case sends, what it expects, which sentences of the spec it asks for, why, and what to change."""
    told = [text for one in ([role] if role else ["plugin", "host"]) if (text := _account(Role(one), case))]
    if not told:
        raise click.UsageError(f"there is no case {case}; plugin-conform list shows all")
    click.echo("\n\n".join(told))


def _account(role: Role, name: str) -> str:
    from ..cases import load
    from ..oracles import oracles
    from ..requirements import requirements

    everything: list[Case | Oracle] = [*load(role), *oracles(role)]
    for case in everything:
        if case.id != name:
            continue
        sentences = [f"{id} ({requirements()[id].chapter}): {requirements()[id].text}" for id in case.requirements]
        story = getattr(case, "story", "") or "Looked for in every conversation of every case."
        needs = getattr(case, "needs", ())
        verb = "run" if role is Role.PLUGIN else "host"
        parts = [
            f"{case.id} ({role.value}, {case.level.value})\n{case.title}.",
            *(_filled("spec", sentence) for sentence in sentences),
            _filled("done", story),
            _filled("why", case.why),
            _filled("mend", case.mend),
            *([_filled("needs", ", ".join(needs))] if needs else []),
            _filled("rerun", f"plugin-conform {verb} --only {case.id}{' --profile full' if needs else ''} -- COMMAND"),
        ]
        return "\n".join(parts)
    return ""


def _filled(label: str, text: str) -> str:
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, _WIDTH) or [""]]
    return "\n".join(f"{label if n == 0 else '':6} {line}" for n, line in enumerate(lines))
