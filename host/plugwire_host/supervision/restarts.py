"""How often a plugin may be started again. Spec LIF-20."""

from __future__ import annotations

import random
from collections import deque

BUDGET = 5
"""Restarts within WINDOW; the next crash is the end of it."""
WINDOW = 180.0
FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0
JITTER = 0.2


class RestartBudget:
    """Bounds restarts: a burst is allowed, a loop is not. Times are loop times, in seconds."""

    def __init__(self) -> None:
        self._restarts: deque[float] = deque()

    def next_delay(self, now: float) -> float | None:
        """How long to wait before the next restart, which is counted; None when the budget is spent."""
        while self._restarts and now - self._restarts[0] > WINDOW:
            self._restarts.popleft()
        if len(self._restarts) >= BUDGET:
            return None
        delay = min(LONGEST_DELAY, FIRST_DELAY * float(2 ** len(self._restarts)))
        self._restarts.append(now)
        return delay * random.uniform(1 - JITTER, 1 + JITTER)

    @property
    def spent(self) -> int:
        """Restarts within the window."""
        return len(self._restarts)
