"""A vice is one change that makes a good subject break the spec, with the cases that must see it.

Imports nothing but the standard library: the reference plugin is started often, and without the project's environment.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Vice:
    """`apply` makes the change: of a plugin, it takes the class of the reference plugin and returns another one; of a
    host, it takes nothing and patches the host's modules. Every case of `kills` fails, each naming `because` in a
    failure, and no other does.
    """

    name: str
    kills: tuple[str, ...]
    because: tuple[str, ...]
    apply: Callable[..., Any]
    #: It is asked in line framing.
    in_lines: bool = False
    #: How often each case is asked.
    repeat: int = 1
    #: What sees it too, but only at times.
    also: tuple[str, ...] = ()
    #: Cases that show it, where only an oracle is named.
    asks: tuple[str, ...] = ()
    #: The vice shows only at times, and the report has to say so.
    flaky: bool = False


registry: dict[str, dict[str, Vice]] = {"plugin": {}, "host": {}}


def vice(
    role: str, name: str, *, kills: tuple[str, ...], because: str | tuple[str, ...], **more: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a vice of a function; a name is given once in a role."""

    def take(apply: Callable[..., Any]) -> Callable[..., Any]:
        if name in registry[role]:
            raise ValueError(f"two vices have the name {name}")
        reasons = (because,) if isinstance(because, str) else because
        registry[role][name] = Vice(name, kills, reasons, apply, **more)
        return apply

    return take


def load(role: str, package: str) -> dict[str, Vice]:
    """All vices of a role, from the modules of that package."""
    folder = importlib.import_module(package)
    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{package}.{module.name}")
    return registry[role]
