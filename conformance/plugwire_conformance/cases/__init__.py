"""The cases, by role and by chapter of the spec. They are found by importing these modules."""

import importlib
import pkgutil

from ..case import Case, registry
from ..report import Role


def load(role: Role) -> list[Case]:
    """All cases of a role, in the order of their modules."""
    package = importlib.import_module(f"{__name__}.{role.value}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return [case for case in registry.values() if case.role is role]
