"""Hooks: running one, and being a link of one. Spec 07.

Owns: ``hook/run`` and ``hook/explain`` of one connection, and what ``hook/call`` means to the author's handlers. Does
not own: which links were declared (declarations.py), or their order, which is the host's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .context import Context
from .router import Kind, Method
from .wire import InvalidParams, Raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from .context import Owner
    from .threads import HandlerThreads

CALL = "hook/call"
_LONGEST_REASON = 1024


class StopHook(Exception):
    """Raised by a link: the run of the hook ends here, and whoever runs it is told the reason (HOK-11)."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class HookClient:
    """Runs the host's hooks."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    async def run(self, name: str, value: Any, *, timeout: float | None = None, context: Context | None = None) -> Any:
        """The value as the links of the hook have left it (HOK-08). Raises HookStopped, RequestError."""
        outcome = await self._owner.call("hook/run", {"name": name, "value": value}, timeout=timeout, context=context)
        return outcome["value"]

    async def explain(self, name: str, *, context: Context | None = None) -> list[dict[str, Any]]:
        """The HookPlaces of the hook, in order (HOK-07)."""
        told = await self._owner.call("hook/explain", {"name": name}, timeout=None, context=context)
        links: list[dict[str, Any]] = told["links"]
        return links

    def receive(self, method: str, params: Raw | None) -> None:
        """The host sends no notification about hooks."""

    def close(self, reason: Exception) -> None:
        """Nothing waits here; calls end by themselves."""


def link_method(handler: Callable[..., Any]) -> Method:
    """A handler of a link, ready to be called. Raises TypeError unless it takes one value, and maybe a Context."""
    method = Method(CALL, handler)
    method.binding.check_takes_one_value()
    return method


def serve_links(owner: Owner, threads: HandlerThreads) -> Method:
    """What serves ``hook/call``: the handlers of the links that the owner has declared, by the name of the hook."""

    async def call_link(name: str, value: Any, ctx: Context) -> Any:
        declared = owner.declarations.hooks.get(name)
        if declared is None:
            problem = {"path": "$.name", "message": f"there is no link for the hook {name!r} here"}
            raise InvalidParams(f"$.name: {problem['message']}", data={"problems": [problem]})
        method = declared.method
        call = partial(method.handler, **method.binding.one_value(value, ctx))
        try:
            result = await (threads.run(call) if method.kind is Kind.THREAD else call())
        except StopHook as stop:
            return {"stop": {"reason": stop.reason[:_LONGEST_REASON]}}
        return {} if result is None else {"value": method.binding.encode_result(result)}  # HOK-10

    return Method(CALL, call_link)
