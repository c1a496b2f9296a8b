"""Between the params of a message and the arguments of a handler: binding, checking, announcing. Spec 02 and ERR-05.

A handler's parameters are the members of ``params``; one that is annotated with ``Context`` receives the context; a
single parameter named ``params`` receives the whole object. Plain JSON types are checked here; every other annotation
goes through the strict converter, which is imported with the first call that needs it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, get_type_hints

from .context import Context
from .wire import InvalidParams, Raw
from .wire.codec import MalformedJson, decode_value, encode_value, json_schemas

_REQUIRED: Any = inspect.Parameter.empty
_ANYTHING = (Any, object, _REQUIRED)
_PLAIN: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    bool: (bool,),
    float: (float,),
    dict: (dict,),
    list: (list,),
}


class _Argument(NamedTuple):
    name: str
    annotation: Any
    default: Any


class Binding:
    """How one handler is called. Raises TypeError for a signature that cannot be bound to params."""

    def __init__(self, handler: Callable[..., Any], *, ignores_unknown: bool = False) -> None:
        self._handler_name = _name(handler)
        self._hints = _hints(handler)
        self._arguments: list[_Argument] = []
        self._context_name: str | None = None
        self._ignores_unknown = ignores_unknown
        self._takes_unknown = False
        self._unknown_annotation: Any = Any
        for parameter in inspect.signature(handler).parameters.values():
            self._add(handler, parameter)
        self._names = frozenset(argument.name for argument in self._arguments)
        self._whole = len(self._arguments) == 1 and self._arguments[0].name == "params"
        self._result_annotation = result = self._hints.get("return", _REQUIRED)
        self._encodes_as_it_is = any(result is plain for plain in (*_ANYTHING, *_PLAIN, type(None)))

    def _add(self, handler: Callable[..., Any], parameter: inspect.Parameter) -> None:
        annotation = self._hints.get(parameter.name, _REQUIRED)
        if parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL):
            raise TypeError(f"{_name(handler)}: params are named, so {parameter} cannot be filled")
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            self._takes_unknown = True
            self._unknown_annotation = annotation
        elif annotation is Context:
            self._context_name = parameter.name
        else:
            self._arguments.append(_Argument(parameter.name, annotation, parameter.default))

    def arguments(self, params: Raw | None, context: Context) -> dict[str, Any]:
        """The keyword arguments for one call. Raises InvalidParams with every problem and its path."""
        try:
            members: dict[str, Any] = decode_value(params) if params is not None else {}
        except MalformedJson as error:
            raise _invalid([("$", str(error))]) from None
        problems: list[tuple[str, str]] = []
        if self._whole:
            annotation = self._arguments[0].annotation
            bound = {"params": members if annotation is dict else _structure(members, annotation, "$", problems)}
        else:
            bound = self._bind(members, problems)
        if problems:
            raise _invalid(problems)
        if self._context_name is not None:
            bound[self._context_name] = context
        return bound

    def _bind(self, members: dict[str, Any], problems: list[tuple[str, str]]) -> dict[str, Any]:
        bound: dict[str, Any] = {}
        for name, annotation, default in self._arguments:
            if name in members:
                value = members[name]
                plain = _PLAIN.get(annotation) if annotation.__class__ is type else None
                if plain is not None and type(value) in plain:
                    bound[name] = value
                else:
                    bound[name] = _structure(value, annotation, f"$.{name}", problems)
            elif default is _REQUIRED:
                problems.append((f"$.{name}", f"the member {name!r} is missing"))
        if len(bound) < len(members):
            self._bind_unknown({name: members[name] for name in members.keys() - self._names}, bound, problems)
        return bound

    def _bind_unknown(self, unknown: dict[str, Any], bound: dict[str, Any], problems: list[tuple[str, str]]) -> None:
        from .types.converter import place

        for name in sorted(unknown):
            path = place("$", name)
            if self._takes_unknown:
                bound[name] = _structure(unknown[name], self._unknown_annotation, path, problems)
            elif not self._ignores_unknown:
                problems.append((path, "unknown member"))

    def check_takes_one_value(self) -> None:
        """Raises TypeError unless there is one parameter, whatever its name, besides a context."""
        if len(self._arguments) != 1 or self._takes_unknown:
            raise TypeError(f"{self._handler_name}: it takes one value and, annotated with Context, a context")

    def one_value(self, value: Any, context: Context) -> dict[str, Any]:
        """The keyword arguments for a handler of one value. Raises InvalidParams."""
        (argument,) = self._arguments
        bound = {argument.name: structure(value, argument.annotation, "$.value")}
        if self._context_name is not None:
            bound[self._context_name] = context
        return bound

    def encode_result(self, result: Any) -> Raw:
        """What a handler returned, as JSON. Raises TypeError or ValueError for what JSON cannot hold."""
        if self._encodes_as_it_is:
            return encode_value(result)
        return encode_value(_converter().unstructure(result, unstructure_as=self._result_annotation))

    def schemas(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The JSON Schemas of the params and, where the handler states one, of the result."""
        annotations = [Any if argument.annotation is _REQUIRED else argument.annotation for argument in self._arguments]
        (*members, result), definitions = json_schemas([*annotations, self._result_annotation])
        if self._whole:
            params = members[0]
        else:
            params = {
                "type": "object",
                "properties": {a.name: schema for a, schema in zip(self._arguments, members, strict=True)},
                "required": [argument.name for argument in self._arguments if argument.default is _REQUIRED],
                "additionalProperties": self._takes_unknown,
            }
        states_result = self._result_annotation is not _REQUIRED
        return _with_definitions(params, definitions), _with_definitions(result, definitions) if states_result else None


def structure(value: Any, annotation: Any, path: str = "$") -> Any:
    """A JSON value as a typed one. Raises InvalidParams with every problem and its path, which begins with ``path``."""
    problems: list[tuple[str, str]] = []
    structured = _structure(value, annotation, path, problems)
    if problems:
        raise _invalid(problems)
    return structured


def _structure(value: Any, annotation: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    """Raises TypeError for an annotation that no value can fit, which is the author's fault and not the caller's."""
    if annotation in _ANYTHING:
        return value
    from .types.converter import problems_of

    hook = _converter().get_structure_hook(annotation)
    try:
        return hook(value, annotation)
    except Exception as error:  # cattrs raises groups of whatever the hooks raise
        problems.extend(problems_of(error, annotation, path))
        return None


def _invalid(problems: list[tuple[str, str]]) -> InvalidParams:
    path, message = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    data = {"problems": [{"path": path[:1024], "message": message[:1024]} for path, message in problems[:100]]}
    return InvalidParams(f"{path[:1024]}: {message[:1024]}{more}", data=data)


def _hints(handler: Callable[..., Any]) -> dict[str, Any]:
    function = handler
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function):
        function = type(function).__call__
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"{_name(handler)}: an annotation names {error.name!r}, which its module does not define"
        ) from None


def _name(handler: Callable[..., Any]) -> str:
    return getattr(handler, "__qualname__", repr(handler))


def _with_definitions(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "$defs": definitions} if definitions and "$ref" in str(schema) else schema


_the_converter: Any = None


def _converter() -> Any:
    global _the_converter
    if _the_converter is None:
        from .types.converter import make_converter

        _the_converter = make_converter()
    return _the_converter
