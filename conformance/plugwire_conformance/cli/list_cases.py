"""``plugin-conform list``: the cases."""

import json

import click

from ..report import Role


@click.command("list")
@click.option("--role", type=click.Choice(["plugin", "host"]), default="plugin", show_default=True, help="Whose cases.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(role: str, as_json: bool) -> None:
    """Show the cases of a role: id, level, profile, the sentences of the spec, and what holds when they pass."""
    from ..cases import load
    from ..oracles import oracles

    rows = [(case.id, case.level, case.profile, case.requirements, case.title) for case in load(Role(role))]
    rows += [(one.id, one.level, "core", one.requirements, one.title) for one in oracles(Role(role))]
    for id, level, profile, requirements, title in rows:
        if as_json:
            row = {"id": id, "level": level, "profile": profile, "requirements": requirements, "title": title}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(f"{id:36} {level:6} {profile:4}  {' '.join(requirements)}  {title}")
