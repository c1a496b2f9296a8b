"""What must hold in every conversation, whatever the case. Each oracle is a case of its own, `everywhere/…`.

An oracle looks at a connection when its case is over. What it finds does not make that case fail, so that one vice
shows as one failure; the wire log of the first conversation in which it was seen comes with it.
"""

from collections.abc import Callable, Iterator

from attrs import frozen

from ..case import Broken
from ..connection import Connection
from ..report import Level, Role


@frozen
class Oracle:
    """`judge` yields what is broken on one connection whose process has ended or was killed."""

    id: str
    requirements: tuple[str, ...]
    title: str
    why: str
    mend: str
    judge: Callable[[Connection], Iterator[Broken]]
    roles: tuple[Role, ...] = (Role.PLUGIN, Role.HOST)
    level: Level = Level.MUST


def oracles(role: Role) -> list[Oracle]:
    """The oracles of a role."""
    from . import common, host, plugin

    return [one for module in (common, plugin, host) for one in module.ORACLES if role in one.roles]
