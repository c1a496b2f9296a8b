"""Runs the suite against every mutant and prints the kill matrix: which case found which vice.

    python -m tests.conformance.mutants [--role plugin|host] [--only GLOB] [--cases GLOB] [--jobs N]

Exits with 1 when a mutant lives, when a case failed that is not named for it, or when a case has no mutant.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

from tests.conformance.mutants.matrix import Outcome, all_vices, cases_without_a_mutant, judge, nursery
from tests.conformance.mutants.vices import Vice


def main() -> int:
    """Runs the command line; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="mutants", description="Runs the suite against subjects with one vice each.")
    parser.add_argument("--role", choices=["plugin", "host"], help="default: both")
    parser.add_argument("--only", default="*", metavar="GLOB", help="which vices; default: all")
    parser.add_argument("--about", default="*", metavar="GLOB", help="only vices named for such a case")
    parser.add_argument("--cases", action="append", metavar="GLOB", help="ask these cases of each; default: all")
    parser.add_argument("--near", action="store_true", help="ask only the groups of the cases that are named")
    parser.add_argument("--jobs", type=int, default=4, help="how many mutants at a time; default: 4")
    arguments = parser.parse_args()
    roles = [arguments.role] if arguments.role else ["plugin", "host"]
    chosen = [
        (role, one, tuple(near(one) if arguments.near else arguments.cases or ["*"]))
        for role in roles
        for one in all_vices(role)
        if fnmatchcase(one.name, arguments.only) and any(fnmatchcase(name, arguments.about) for name in one.kills)
    ]
    bad = 0
    with nursery() as door, ThreadPoolExecutor(arguments.jobs) as threads:
        for outcome in threads.map(lambda row: judge(row[0], row[1], row[2], door), chosen):
            print(line(outcome), flush=True)
            bad += not outcome.as_named
    for role in roles:
        for case in cases_without_a_mutant(role):
            print(f"NO MUTANT  {role:6} {case}")
            bad += 1
    print(f"{len(chosen)} mutants, {bad} not as named")
    return 1 if bad else 0


def near(vice: Vice) -> list[str]:
    """The groups of the cases that are named for a vice."""
    return sorted({f"{name.partition('/')[0]}/*" for name in vice.kills})


def line(outcome: Outcome) -> str:
    """One line of the matrix."""
    vice = outcome.vice
    if outcome.as_named:
        return (
            f"killed     {outcome.role:6} {vice.name:40} {' '.join(sorted(outcome.failed))} [{' '.join(vice.because)}]"
        )
    return f"NOT SO     {outcome.role:6} {vice.name:40} {'; '.join(outcome.problems)}"


if __name__ == "__main__":
    sys.exit(main())
