"""``log/write``: what plugins say to people. Spec 11."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugwire.wire import Raw
from plugwire.wire.codec import MalformedJson, decode_value

from ..routing.call import Participant
from ..routing.service import Answer

LEVELS = ("debug", "info", "warning", "error")

OnLog = Callable[[str, str, str, dict[str, Any]], None]


class LogService:
    """Hands each record to ``on_log(plugin, level, message, data)``; an unknown level counts as info (LOG-02)."""

    def __init__(self, on_log: OnLog) -> None:
        self._on_log = on_log
        self.requests: dict[str, Answer] = {}
        self.notifications = {"log/write": self._write}

    def _write(self, participant: Participant, params: Raw | None) -> None:
        try:
            told: dict[str, Any] = decode_value(params) if params is not None else {}
        except MalformedJson:
            told = {}
        level, message, data = told.get("level"), told.get("message"), told.get("data", {})
        if not isinstance(message, str):
            self._on_log(participant.name, "warning", "a log record without a message was dropped", {})
            return
        self._on_log(
            participant.name,
            level if level in LEVELS else "info",
            message[:65536],
            data if isinstance(data, dict) else {"data": data},
        )

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        """Nothing is kept of anybody."""

    def left(self, participant: Participant, reason: str) -> None:
        """Nothing is kept of anybody."""

    def close(self) -> None:
        """Nothing is open."""
