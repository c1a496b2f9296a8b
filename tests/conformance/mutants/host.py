"""The real host with one vice: ``python tests/conformance/mutants/host.py VICE run --config FILE``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from plugwire_host.cli.main import main  # noqa: E402 - the root of the repository has to be found first
from tests.conformance.mutants import vices  # noqa: E402

vices.load("host", "tests.conformance.mutants.host_vices")[sys.argv.pop(1)].apply()
main()
