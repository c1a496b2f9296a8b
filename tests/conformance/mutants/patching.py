"""How vices of hosts change a function."""

from collections.abc import Callable
from typing import Any


def wrap(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replaces a function of a class or module by what `make` makes of it."""
    setattr(owner, name, make(getattr(owner, name)))
