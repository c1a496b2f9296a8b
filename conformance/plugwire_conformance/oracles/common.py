"""What holds for both ends, part by part of chapters 01 and 02: see the modules that make these oracles."""

from . import Oracle
from .answers import ANSWERS
from .bodies import BODIES
from .members import MEMBERS

ORACLES: list[Oracle] = [*BODIES, *MEMBERS, *ANSWERS]
