"""Vices that are one other expression in the source of the host. Owns no vice."""

import inspect
import textwrap
from typing import Any


def rewrite(owner: Any, name: str, good: str, bad: str) -> None:
    """Puts `bad` in the place of `good` in a function of a class or module.

    `good` has to be there just once, so that no vice outlives the line that it is about.
    """
    function: Any = inspect.getattr_static(owner, name)
    plain: Any = function.fget if isinstance(function, property) else function
    source = textwrap.dedent(inspect.getsource(plain))
    assert source.count(good) == 1, f"{good!r} is {source.count(good)} times in {name}"
    names: dict[str, Any] = {}
    code = compile(source.replace(good, bad), f"<{name} with a vice>", "exec", flags=_ANNOTATIONS)
    exec(code, plain.__globals__, names)
    setattr(owner, name, names[name])


def put(owner: Any, name: str, bad: Any) -> None:
    """Puts something else in the place of a member of a class or module, which has to be there."""
    assert hasattr(owner, name), f"there is no {name}"
    setattr(owner, name, bad)


#: Of `from __future__ import annotations`, which the host's modules have.
_ANNOTATIONS = 0x1000000
