"""What a plugin, or the application, declares before it starts: topics, handlers of events, and links of hooks.

Owns: the declarations and their order. Does not own: what becomes of them (``events``, ``hooks``). Spec 06 and 07.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from .router import Method

HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])

Policy = Literal["block", "dropOldest", "coalesce", "disconnect"]
"""What becomes of events that a subscriber is too slow for (spec 06)."""


@dataclass(frozen=True, slots=True)
class EventHandler:
    """A handler, and the subscription that it wants."""

    topic: str
    handler: Callable[..., Any]
    policy: Policy
    buffer: int
    replay: int


@dataclass(frozen=True, slots=True)
class HookHandler:
    """A link of a hook."""

    name: str
    method: Method
    before: tuple[str, ...]
    after: tuple[str, ...]
    timeout: float
    on_error: Literal["continue", "fail"]
    mode: Literal["change", "observe"]

    def describe(self) -> dict[str, Any]:
        """The HookLink that ``initialize`` announces."""
        described: dict[str, Any] = {
            "name": self.name,
            "timeoutMs": max(1, round(self.timeout * 1000)),
            "onError": self.on_error,
            "mode": self.mode,
        }
        if self.before:
            described["before"] = list(self.before)
        if self.after:
            described["after"] = list(self.after)
        return described


@dataclass(slots=True)
class Declarations:
    """Everything that one plugin, or the application, has declared."""

    topics: list[dict[str, Any]] = field(default_factory=list)
    """DeclaredTopics, as they are announced."""
    event_handlers: list[EventHandler] = field(default_factory=list)
    hooks: dict[str, HookHandler] = field(default_factory=dict)
    on_change: Callable[[], None] | None = None
    """Called when something is declared while the declarer already runs."""

    def changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def describe(self) -> dict[str, Any]:
        """The members ``events`` and ``hooks`` of an InitializeResult, as far as there is something to say."""
        described: dict[str, Any] = {}
        if self.topics:
            described["events"] = list(self.topics)
        if self.hooks:
            described["hooks"] = [hook.describe() for hook in self.hooks.values()]
        return described


class Declaring:
    """The decorators that a plugin and the application share."""

    declarations: Declarations

    def topic(self, topic: str, *, description: str | None = None, schema: dict[str, Any] | None = None) -> None:
        """Declare a topic that is published here; with a JSON Schema, the host refuses data that does not fit."""
        declared: dict[str, Any] = {"topic": topic}
        if description is not None:
            declared["description"] = description
        if schema is not None:
            declared["schema"] = schema
        self.declarations.topics.append(declared)
        self.declarations.changed()

    def on_event(
        self, topic: str, *, policy: Policy = "dropOldest", buffer: int = 1024, replay: int = 0
    ) -> Callable[[HandlerT], HandlerT]:
        """Handle events: ``@plugin.on_event("document.*")`` over ``async def changed(event: Event)``.

        ``*`` stands for one part of a topic, a last ``>`` for the rest. Handlers of one subscription run one after the
        other. ``policy`` and ``buffer`` say what becomes of events that come faster; ``replay`` asks for so many of
        the last ones first (EVT).
        """

        def register(handler: HandlerT) -> HandlerT:
            self.declarations.event_handlers.append(EventHandler(topic, handler, policy, buffer, replay))
            self.declarations.changed()
            return handler

        return register

    def hook(
        self,
        name: str,
        *,
        before: Iterable[str] = (),
        after: Iterable[str] = (),
        timeout: float = 5.0,
        on_error: Literal["continue", "fail"] = "continue",
        mode: Literal["change", "observe"] = "change",
    ) -> Callable[[HandlerT], HandlerT]:
        """Be a link of a hook: ``@plugin.hook("document.willSave")`` over ``async def tidy(value: str) -> str``.

        The handler gets the value and returns the new one; None leaves it as it is, ``raise StopHook("reason")`` ends
        the run. ``before`` and ``after`` name plugins. ``timeout`` is in seconds. Raises ValueError for a second link
        of one hook, TypeError for a handler that does not take just the value and, maybe, a ``Context``.
        """

        def register(handler: HandlerT) -> HandlerT:
            from .hooks import link_method  # not before there is one

            if name in self.declarations.hooks:
                raise ValueError(f"the hook {name!r} has a link here already")
            self.declarations.hooks[name] = HookHandler(
                name, link_method(handler), tuple(before), tuple(after), timeout, on_error, mode
            )
            self.declarations.changed()
            return handler

        return register
