"""What has to hold between the parts of the model, beyond what its JSON Schema can say.

Each lint yields sentences that name the culprit; `check` gathers all of them into one ModelError.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from chapters import Chapter
from model import (
    ArrayType,
    EnumType,
    MapType,
    Member,
    Method,
    Model,
    ModelError,
    NullType,
    NumericType,
    ObjectType,
    Shape,
    StringType,
    UnionType,
    references,
)

LARGEST = 2**53 - 1
DEMAND = re.compile(r"\b(MUST|SHOULD|MAY)\b")
CAPABILITIES = {
    "hostToPlugin": ("PluginCapabilities",),
    "pluginToHost": ("HostCapabilities",),
    "both": ("HostCapabilities", "PluginCapabilities"),
}


def check(model: Model, chapters: Iterable[Chapter]) -> None:
    """Raises ModelError with everything that is wrong with the model."""
    problems = list(lint(model, list(chapters)))
    if problems:
        raise ModelError("\n".join(f"spec/model/protocol.json: {problem}" for problem in problems))


def lint(model: Model, chapters: list[Chapter]) -> Iterator[str]:
    """Everything that is wrong with the model, a sentence each."""
    yield from _names(model)
    yield from _docs(model)
    for named in model.types:
        yield from _shape(model, named.name, named.shape)
    yield from _circles(model)
    yield from _limits(model)
    yield from _transitions(model)
    for code in model.codes:
        if code.data is not None and not _known(model, code.data):
            yield f"code {code.name} refers to the type {code.data}, which does not exist"
    for method in model.methods:
        yield from _method(model, method)
        yield from _method_in_spec(method, chapters)


def _names(model: Model) -> Iterator[str]:
    kinds: dict[str, list[object]] = {
        "code": [code.code for code in model.codes],
        "name of a code": [code.name for code in model.codes],
        "method": [method.name for method in model.methods],
        "state": [state.name for state in model.states],
        "limit": [limit.name for limit in model.limits],
        "transition": [(row.origin, row.trigger) for row in model.transitions],
        "reserved service": list(model.reserved_services),
    }
    for kind, names in kinds.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield f"the {kind} {name} occurs {count} times"


def _docs(model: Model) -> Iterator[str]:
    docs = [(row.name, row.doc) for row in model.limits]
    docs += [(row.name, row.doc) for row in model.states]
    docs += [(row.name, row.doc) for row in model.triggers]
    docs += [(row.name, row.doc) for row in model.codes]
    docs += [(row.name, row.doc) for row in model.methods]
    docs += [(row.name, row.doc) for row in model.types]
    for named in model.types:
        if isinstance(named.shape, ObjectType):
            docs += [(f"{named.name}.{member.name}", member.doc) for member in named.shape.members]
    for name, doc in docs:
        if not doc.endswith(".") or "\n" in doc or "\\" in doc or '"""' in doc:
            yield f"the doc of {name} is not one line of plain text that ends with a full stop"
        if DEMAND.search(doc):
            yield f"the doc of {name} makes a demand; demands stand in the chapters, under an id"


def _known(model: Model, name: str) -> bool:
    return any(named.name == name for named in model.types)


def _members(model: Model, name: str) -> tuple[Member, ...]:
    shape = model.type_named(name).shape if _known(model, name) else None
    return shape.members if isinstance(shape, ObjectType) else ()


def _shape(model: Model, where: str, shape: Shape) -> Iterator[str]:
    if not isinstance(shape, ObjectType):
        for name in references(shape):
            if not _known(model, name):
                yield f"{where} refers to the type {name}, which does not exist"
            elif name == "Nothing":
                yield f"{where} may be null; say that it may be absent instead"
    match shape:
        case UnionType():
            yield from _union(model, where, shape)
        case ObjectType():
            yield from _object(model, where, shape)
        case _:
            yield from _plain(where, shape)


def _plain(where: str, shape: Shape) -> Iterator[str]:
    match shape:
        case StringType():
            yield from _string(where, shape)
        case NumericType():
            yield from _number(where, shape)
        case NullType() if where != "Nothing":
            yield f"{where} is null; only the type Nothing is"
        case ArrayType(max_items=None):
            yield f"{where} states no maxItems"
        case MapType(max_members=None):
            yield f"{where} states no maxProperties"
        case EnumType(values) if len(set(values)) < 2 or len(set(values)) != len(values):
            yield f"{where} does not list two or more different values"


def _string(where: str, shape: StringType) -> Iterator[str]:
    if shape.pattern is None and shape.max_length is None:
        yield f"{where} states neither maxLength nor pattern"
    if shape.pattern is not None and not re.fullmatch(r"\^.*\$", shape.pattern):
        yield f"{where} has a pattern that does not match from ^ to $"


def _number(where: str, shape: NumericType) -> Iterator[str]:
    if shape.minimum is None or shape.maximum is None:
        yield f"{where} does not state both minimum and maximum"
    elif not -LARGEST <= shape.minimum <= shape.maximum <= LARGEST:
        yield f"{where} has a range that is not within ±(2^53-1)"


def _union(model: Model, where: str, shape: UnionType) -> Iterator[str]:
    if shape.tag is None:
        yield f"{where} does not state the tag that tells its types apart"
    if len(shape.members) < 2:
        yield f"{where} lists fewer than two types"
    kinds = [_json_type(model.type_named(name).shape) for name in shape.members if _known(model, name)]
    if shape.tag == "jsonType" and len(set(kinds)) < len(kinds):
        yield f"{where} has types that their JSON type does not tell apart"


def _json_type(shape: Shape) -> str:
    match shape:
        case StringType() | EnumType():
            return "string"
        case NumericType():
            return "number"
        case ArrayType():
            return "array"
        case ObjectType() | MapType():
            return "object"
        case _:
            return type(shape).__name__


def _object(model: Model, where: str, shape: ObjectType) -> Iterator[str]:
    if shape.additional is None:
        yield f"{where} does not state additionalProperties"
    for name in shape.required:
        if all(member.name != name for member in shape.members):
            yield f"{where} requires {name}, which is not one of its members"
    for member in shape.members:
        if isinstance(member.shape, ObjectType | MapType | EnumType | UnionType):
            yield f"{where}.{member.name} is not a named type"
        yield from _shape(model, f"{where}.{member.name}", member.shape)


def _circles(model: Model) -> Iterator[str]:
    if all(_known(model, name) for named in model.types for name in references(named.shape)):
        try:
            model.sorted_types()
        except ModelError as error:
            yield str(error)


def _limits(model: Model) -> Iterator[str]:
    for limit in model.limits:
        if not 0 <= limit.minimum <= limit.default <= limit.maximum <= LARGEST:
            yield f"limit {limit.name} has a default outside its range"
        for member in _members(model, "Limits"):
            if member.name == limit.name and member.shape != NumericType(True, limit.minimum, limit.maximum):
                yield f"Limits.{member.name} has another range than the limit {limit.name}"


def _transitions(model: Model) -> Iterator[str]:
    states = {state.name for state in model.states}
    triggers = {method.name for method in model.methods} | {trigger.name for trigger in model.triggers}
    for row in model.transitions:
        for name in {row.origin, row.target} - states:
            yield f"the transition from {row.origin} on {row.trigger} names the state {name}, which does not exist"
        if row.trigger not in triggers:
            yield f"the transition from {row.origin} on {row.trigger} has a trigger that does not exist"


def _method(model: Model, method: Method) -> Iterator[str]:
    where = f"method {method.name}"
    stated = {"since": method.since, "direction": method.direction, "kind": method.kind, "states": method.states}
    for name, value in stated.items():
        if not value:
            yield f"{where} does not state {name}"
    for name in set(method.states) - {state.name for state in model.states}:
        yield f"{where} names the state {name}, which does not exist"
    for name in set(method.errors) - {code.name for code in model.codes}:
        yield f"{where} names the error {name}, which does not exist"
    for type_name in (method.params, method.result):
        if type_name is not None and not _known(model, type_name):
            yield f"{where} refers to the type {type_name}, which does not exist"
    if (method.kind == "notification") == (method.result is not None):
        yield f"{where} is a request without a result, or a notification with one"
    yield from _gate(model, method)
    service, slash, _ = method.name.rpartition("/")
    if slash and service != "$" and service not in model.reserved_services:
        yield f"{where} belongs to a service that is not reserved"


def _gate(model: Model, method: Method) -> Iterator[str]:
    """A gate is a capability of those who receive the method."""
    if method.gate is None:
        return
    for name in CAPABILITIES.get(method.direction or "", ()):
        if all(member.name != method.gate for member in _members(model, name)):
            yield f"method {method.name} needs the capability {method.gate}, which {name} does not have"


def _method_in_spec(method: Method, chapters: list[Chapter]) -> Iterator[str]:
    if all(chapter.number != method.chapter for chapter in chapters):
        yield f"method {method.name} names chapter {method.chapter}, which does not exist"
    known = {name for chapter in chapters for name in chapter.ids()}
    for name in method.requirements:
        if name not in known:
            yield f"method {method.name} names the requirement {name}, which no chapter has"
