"""What holds for every plugin in every conversation."""

from . import Oracle
from .manners import MANNERS
from .processes import PROCESSES
from .values import VALUES

ORACLES: list[Oracle] = [*MANNERS, *VALUES, *PROCESSES]
