"""Whether a case can be asked of a subject: it has what the case needs, and claims what the case is about."""

from collections.abc import Iterable
from typing import Any

from ..case import Case, NotDeclared, Skipped
from ..report import Role
from ..wire.frames import Framing

#: The service of the methods that a vendor may add for the suite.
FIXTURES = "conformance"


def check_gates(case: Case, said: dict[str, Any], framing: Framing) -> None:
    """Raises NotDeclared or Skipped unless the case can be asked. `said` is the subject's side of `initialize`."""
    if case.group == "framing" and framing is Framing.LINE:
        raise NotDeclared("the subject uses line framing")
    if case.group == "lines" and case.role is Role.PLUGIN and framing is Framing.HEADER:
        raise NotDeclared("the subject uses header framing")
    claimed = capabilities(said)
    for name in case.declares:
        if name not in claimed:
            raise NotDeclared(f"the subject does not declare {name}")
    absent = [name for name in case.needs if name not in fixtures(said)]
    if absent:
        raise Skipped(f"needs {' and '.join(absent)}")


def capabilities(said: dict[str, Any]) -> set[str]:
    """What a subject claims: its capabilities that are not false, and the members of a plugin's result with
    something in them.
    """
    found = said.get("capabilities")
    names = {name for name, value in found.items() if value is not False} if isinstance(found, dict) else set()
    return names | {name for name in ("provides", "requires", "events", "hooks") if said.get(name)}


def fixtures(said: dict[str, Any]) -> set[str]:
    """The fixture methods that a plugin has, as `conformance/echo`, and its hook links, as `hook conformance.shout`."""
    names = set()
    for provided in _objects(said.get("provides")):
        if provided.get("service") == FIXTURES:
            names |= {f"{FIXTURES}/{method}" for method in provided.get("methods") or ()}
    return names | {f"hook {link.get('name')}" for link in _objects(said.get("hooks"))}


def _objects(value: object) -> Iterable[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
