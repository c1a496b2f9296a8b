"""Runs the conformance suite on programs that nobody wrote for it: `run.py [--write] [NAME…]`.

Owns: which subjects there are, and building them apart from their sources. Does not own: the cases; the table and
INTEROP.md (outcomes.py); what is known to fail, which stands in the baseline of each subject. A subject whose tools are
missing is skipped; where CI is set, that is a failure for the tools that .ci/run installs.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outcomes import Outcome, Subject, deviations, interop, table

from plugwire_conformance.report import Report
from plugwire_conformance.reports import json_report

HERE = Path(__file__).parent
BUILD = HERE / ".build"
EXAMPLES = HERE.parents[1] / "sdk" / "examples"
INTEROP = HERE.parent / "INTEROP.md"
BIN = Path(sys.executable).parent
CI_TOOLS = frozenset({"node", "perl", "cc", "jq", "make"})
BUILD_LIMIT, RUN_LIMIT = 900.0, 1800.0
"""Seconds."""
JOBS = "4"
"""Cases at a time: most of the time goes into waiting for what does not come."""
SEED = "1"
"""What is random is the same each time, for the baselines say which of it fails."""


def subjects() -> list[Subject]:
    """Those of this folder, then the examples."""
    own = [read(file) for file in sorted(HERE.glob("*/subject.toml"))]
    listed = tomllib.loads((HERE / "examples.toml").read_text(encoding="utf-8"))["example"]
    return own + [_subject({"folder": table["name"], **table}, EXAMPLES) for table in listed]


def read(file: Path) -> Subject:
    """A subject.toml. Raises TypeError for unknown keys."""
    return _subject(tomllib.loads(file.read_text(encoding="utf-8")), file.parent)


def _subject(table: dict[str, Any], sources: Path) -> Subject:
    lists = {
        "command": tuple(word.replace("{bin}", str(BIN)) for word in table["command"]),
        "needs": tuple(table.get("needs", ())),
        "build": tuple(tuple(argv) for argv in table.get("build", ())),
        "skip": tuple(table.get("skip", ())),
    }
    return Subject(**(table | lists), sources=sources)


def check(subject: Subject) -> Outcome:
    """Builds it where that has to be, and runs the suite on it."""
    if missing := subject.missing():
        names = ", ".join(missing)
        must = os.environ.get("CI") == "true" and not CI_TOOLS.isdisjoint(missing)
        return Outcome(subject, reason=f"{names} {'is' if len(missing) == 1 else 'are'} not installed", failed=must)
    began = time.monotonic()
    try:
        folder = built(subject)
        code, report, said = run_suite(subject, folder)
    except subprocess.TimeoutExpired as error:
        return Outcome(subject, reason=f"not done after {error.timeout:.0f} s", failed=True)
    except subprocess.CalledProcessError as error:
        reason = f"{error.cmd[0]} ended with {error.returncode}"
        return Outcome(subject, reason=reason, failed=True, details=_tail(error.stdout))
    seconds = time.monotonic() - began
    if report is None:
        reason = f"no report, exit code {code}"
        return Outcome(subject, reason=reason, failed=True, seconds=seconds, details=_tail(said))
    return Outcome(subject, report, failed=code != 0, seconds=seconds, details=deviations(report))


def built(subject: Subject) -> Path:
    """The folder in which it runs: a copy that was built, unless there is nothing to build. A fresh one is kept."""
    if not subject.build:
        return subject.sources / subject.folder
    copy = BUILD / subject.name
    stamp, wanted = copy / ".built", _fingerprint(subject)
    if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(subject.sources, copy)
        for argv in subject.build:
            _run(argv, copy / subject.folder, BUILD_LIMIT).check_returncode()
        stamp.write_text(wanted, encoding="ascii")
    return copy / subject.folder


def _fingerprint(subject: Subject) -> str:
    """Changes with what is built, not with what is known about it."""
    digest = hashlib.sha256(repr(subject.build).encode())
    for file in sorted(subject.sources.rglob("*")):
        if file.is_file() and file.suffix not in (".toml", ".pyc"):
            digest.update(f"\0{file.relative_to(subject.sources)}\0".encode() + file.read_bytes())
    digest.update(b"".join(file.read_bytes() for file in subject.sources.glob("Cargo.toml")))
    return digest.hexdigest()


def run_suite(subject: Subject, folder: Path) -> tuple[int, Report | None, str]:
    """The exit code, the report if there is one, and what was said."""
    BUILD.mkdir(exist_ok=True)
    written = BUILD / f"{subject.name}.json"
    written.unlink(missing_ok=True)
    argv = [str(BIN / "plugin-conform"), "run" if subject.role == "plugin" else "host"]
    argv += ["--profile", subject.profile, "--jobs", JOBS, "--seed", SEED, "--json", str(written)]
    argv += ["--framing", subject.framing] if subject.framing != "header" else []
    argv += [word for case in subject.skip for word in ("--skip", case)]
    if subject.baseline and (baseline := subject.sources / subject.baseline).exists():
        argv += ["--baseline", str(baseline)]
    done = _run([*argv, "--", *subject.command], folder, RUN_LIMIT)
    report = json_report.loads(written.read_text(encoding="utf-8")) if written.exists() else None
    return done.returncode, report, done.stdout


def _run(argv: Sequence[str], folder: Path, limit: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=limit,
    )


def _tail(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").splitlines()[-20:])


def main(arguments: Sequence[str] | None = None, known: Sequence[Subject] | None = None) -> int:
    """0 when every subject is as its baseline says, 1 when one is not, 2 for a name that there is not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a subject; all when none is named")
    parser.add_argument("--write", action="store_true", help=f"write {INTEROP.name} anew")
    options = parser.parse_args(arguments)
    there = {subject.name: subject for subject in (subjects() if known is None else known)}
    if unknown := [name for name in options.names if name not in there]:
        print(f"no subject: {', '.join(unknown)}; there are {', '.join(there)}", file=sys.stderr)
        return 2
    outcomes = []
    for name in options.names or there:
        print(f"{name} …", file=sys.stderr, flush=True)
        outcomes.append(check(there[name]))
    print(table(outcomes))
    if options.write:
        if options.names or any(outcome.report is None for outcome in outcomes):
            print(f"{INTEROP.name} is not written: that takes a run of every subject", file=sys.stderr)
            return 1
        INTEROP.write_text(interop(outcomes), encoding="utf-8")
    return int(any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
