"""Which plugin provides which service, and which of several is chosen. Spec CAL-02 to CAL-05 and CAL-10."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from plugwire.wire import MethodNotFound, PluginUnavailable

if TYPE_CHECKING:
    from .link import PluginLink


@dataclass(frozen=True, slots=True)
class Provided:
    """A service as one plugin, or the application, provides it."""

    service: str
    version: str
    methods: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Required:
    """A service that a plugin calls."""

    service: str
    versions: SpecifierSet
    optional: bool = False
    wanted: str = "(any version)"
    """The versions in the plugin's own words."""


@dataclass(slots=True)
class _Provider:
    instance: str
    link: PluginLink | None  # None: the application itself
    provided: Provided
    rank: tuple[Version, int, int]


@dataclass(slots=True)
class _Departed:
    reasons: dict[str, str] = field(default_factory=dict)  # by instance


class Registry:
    """The providers that can be called now, best first, and those that were there before."""

    def __init__(self) -> None:
        self._providers: dict[str, list[_Provider]] = {}
        self._departed: dict[str, _Departed] = {}
        self._places: dict[str, int] = {}  # of instances, in the order in which they were first added
        self._chosen: dict[tuple[str, str], tuple[PluginLink | None, str]] = {}

    def add(self, instance: str, link: PluginLink | None, provided: Iterable[Provided], priority: int = 0) -> None:
        """``instance`` can be called from now on."""
        place = self._places.setdefault(instance, len(self._places))
        for service in provided:
            rank = (Version(service.version), priority, -place)
            providers = self._providers.setdefault(service.service, [])
            providers.append(_Provider(instance, link, service, rank))
            providers.sort(key=lambda provider: provider.rank, reverse=True)
            self._departed.get(service.service, _Departed()).reasons.pop(instance, None)
        self._chosen.clear()

    def remove(self, instance: str, reason: str) -> list[Provided]:
        """``instance`` can no longer be called; ``reason`` is told to those who try. What it provided is returned."""
        removed = []
        for service, providers in list(self._providers.items()):
            for provider in [provider for provider in providers if provider.instance == instance]:
                providers.remove(provider)
                removed.append(provider.provided)
                self._departed.setdefault(service, _Departed()).reasons[instance] = reason
            if not providers:
                del self._providers[service]
        self._chosen.clear()
        return removed

    def choose(self, method: str, caller: str, ranges: Mapping[str, SpecifierSet]) -> tuple[PluginLink | None, str]:
        """The callee (None: the application) and the method as it is called there.

        Raises MethodNotFound or PluginUnavailable (CAL-05).
        """
        key = (caller, method)
        chosen = self._chosen.get(key)
        if chosen is None:
            chosen = self._choose(method, ranges)
            if len(self._chosen) < 65536:
                self._chosen[key] = chosen
        return chosen

    def _choose(self, method: str, ranges: Mapping[str, SpecifierSet]) -> tuple[PluginLink | None, str]:
        name, slash, short = method.partition("/")
        service, _, instance = name.partition("@")
        if not slash or not short:
            raise MethodNotFound(f"{method!r}: a method's name is service/method")
        providers = self._providers.get(service, [])
        if instance:
            providers = [provider for provider in providers if provider.instance == instance]
        reasons = self._departed.get(service, _Departed()).reasons
        if not providers:
            for departed, reason in reasons.items():
                if not instance or departed == instance:
                    data = {"instance": departed, "reason": reason}
                    raise PluginUnavailable(f"{service}: plugin {departed!r} is not ready: {reason}", data=data)
            raise MethodNotFound(self._nobody(service, instance))
        versions = ranges.get(service)
        if versions is not None and not instance:
            fitting = [provider for provider in providers if provider.rank[0] in versions]
            if not fitting:
                raise MethodNotFound(f"no one provides {service} in a version {versions}: {self.proof(service)}")
            providers = fitting
        for provider in providers:
            if short in provider.provided.methods:
                return provider.link, f"{service}/{short}"
        known = ", ".join(sorted(providers[0].provided.methods)) or "none"
        raise MethodNotFound(f"{service} of {providers[0].instance!r} has no method {short!r}; it has: {known}")

    def _nobody(self, service: str, instance: str) -> str:
        at = f" at {instance!r}" if instance else ""
        known = ", ".join(sorted(self._providers)) or "none"
        return f"no one provides the service {service!r}{at}; services that are ready: {known}"

    def unmet(self, required: Iterable[Required], also: Iterable[Provided] = ()) -> list[str]:
        """Why requirements cannot be met, one sentence each (CAL-10); ``also`` are providers that are about to come."""
        problems = []
        coming = list(also)
        for wanted in required:
            versions = [str(provider.rank[0]) for provider in self._providers.get(wanted.service, [])]
            versions += [provided.version for provided in coming if provided.service == wanted.service]
            if not wanted.optional and not any(Version(version) in wanted.versions for version in versions):
                there = f"there is {', '.join(versions)}" if versions else "no plugin provides it"
                problems.append(f"it requires {wanted.service} {wanted.wanted}: {there}")
        return problems

    def proof(self, service: str) -> str:
        """Who provides a service, in which versions."""
        providers = self._providers.get(service, [])
        return ", ".join(f"{p.provided.version} by {p.instance!r}" for p in providers) or "no plugin provides it"

    def describe(self) -> list[dict[str, Any]]:
        """The ServiceDescriptions of ``service/list`` (CAL-08)."""
        return [
            {
                "service": provider.provided.service,
                "version": provider.provided.version,
                "instance": provider.instance,
                "methods": dict(provider.provided.methods),
            }
            for providers in self._providers.values()
            for provider in providers
        ]
