"""Pytest as the engine: cases are its items, run ahead by a few threads, reported in their order.

Cases mostly wait for other processes, so threads are enough. Plugins of the vendor's environment stay out: what pytest
would load of itself is shut off, and its configuration is ours alone.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ..case import Case
from ..report import CaseResult, Verdict

_CONFIGURATION = "[pytest]\nxfail_strict = true\nempty_parameter_set_mark = fail_at_collect\n"


class CaseFailed(Exception):
    """The subject failed the case; the result has what is to be said of it."""


class CaseItem(pytest.Item):
    """One case. Its result comes from the thread that ran it."""

    def __init__(self, *, case: Case, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        self.future: Future[CaseResult] = Future()

    def runtest(self) -> None:
        result = self.future.result()
        if result.verdict in (Verdict.SKIP, Verdict.NOT_DECLARED):
            pytest.skip(result.reason)
        if result.verdict in (Verdict.FAIL, Verdict.ERROR):
            raise CaseFailed(self.case.id)


class CaseRunner:
    """The pytest plugin. `results` are in the order of the cases."""

    def __init__(
        self, cases: list[Case], run: Callable[[Case], CaseResult], jobs: int, tell: Callable[[CaseResult], None]
    ) -> None:
        self._cases, self._run, self._jobs, self._tell = cases, run, jobs, tell
        self.results: list[CaseResult] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        session.items = [CaseItem.from_parent(session, name=case.id, case=case) for case in self._cases]
        session.testscollected = len(session.items)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = [item for item in session.items if isinstance(item, CaseItem)]
        with ThreadPoolExecutor(self._jobs) as threads:
            for item in items:
                item.future = threads.submit(self._run, item.case)
            for index, item in enumerate(items):
                after = items[index + 1] if index + 1 < len(items) else None
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                self.results.append(item.future.result())
                self._tell(self.results[-1])
        return True


def run_cases(
    cases: list[Case], run: Callable[[Case], CaseResult], jobs: int, tell: Callable[[CaseResult], None]
) -> list[CaseResult]:
    """Runs the cases, `jobs` at a time, and tells of each result in the order of the cases."""
    runner = CaseRunner(cases, run, jobs, tell)
    kept = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with TemporaryDirectory(prefix="conform-") as folder:
        configuration = Path(folder, "pytest.ini")
        configuration.write_text(_CONFIGURATION, encoding="utf-8")
        quiet = [
            word
            for name in ("terminal", "capture", "cacheprovider", "logging", "warnings")
            for word in ("-p", f"no:{name}")
        ]
        code = pytest.main(["-c", str(configuration), "--rootdir", folder, "--noconftest", *quiet], plugins=[runner])
    os.environ.update({name: value for name, value in kept.items() if value is not None})
    if len(runner.results) != len(cases):
        raise RuntimeError(f"pytest ended with {code} after {len(runner.results)} of {len(cases)} cases")
    return runner.results
