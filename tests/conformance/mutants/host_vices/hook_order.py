"""Hosts that do not put links in order, or tell of them, as chapter 07 wants it."""

from typing import Any

from plugwire_host.services.hooks import order, run, service
from plugwire_host.services.hooks.run import HookRun
from plugwire_host.services.hooks.service import HookService
from plugwire_host.supervision import handshake
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Run: Any = HookRun
_Service: Any = HookService
_service: Any = service
_run: Any = run
_order: Any = order


@vice(
    "host",
    "knows-instances-alone",
    kills=("hooks/before-and-after", "hooks/never-itself"),
    because="HOK-04",
)
def knows_instances_alone() -> None:
    def links_of(good: Any) -> Any:
        def without_names(instance: str, answer: Any) -> Any:
            return good(instance, {**answer, "plugin": {"name": instance}})

        return without_names

    wrap(_service, "links_of", links_of)


@vice(
    "host",
    "pays-no-heed-to-after",
    kills=("hooks/before-and-after", "hooks/never-itself", "hooks/order-of-loading"),
    because=("HOK-04", "HOK-05"),
)
def pays_no_heed_to_after() -> None:
    def links_of(good: Any) -> Any:
        def without_after(instance: str, answer: Any) -> Any:
            links = [{**link, "after": []} for link in answer.get("hooks", ())]
            return good(instance, {**answer, "hooks": links})

        return without_after

    wrap(_service, "links_of", links_of)


@vice("host", "means-itself-too", kills=("hooks/never-itself",), because="HOK-04")
def means_itself_too() -> None:
    def conflict(good: Any) -> Any:
        def with_itself(self: Any, candidates: Any) -> Any:
            for instance, answer in candidates:
                names = {instance, answer["plugin"]["name"]}
                for link in answer.get("hooks", ()):
                    if names & {*link.get("before", ()), *link.get("after", ())}:
                        return f"{instance} would run before itself"
            return good(self, candidates)

        return with_itself

    wrap(_Service, "conflict", conflict)


@vice(
    "host",
    "puts-what-is-demanded-first",
    kills=("hooks/order-of-loading",),
    because="HOK-05",
)
def puts_what_is_demanded_first() -> None:
    """Each link in the order of loading, directly after all that it waits for."""

    def order_links(good: Any) -> Any:
        def depth_first(links: Any) -> Any:
            good(links)  # for what contradicts itself
            by_name = {link.instance: link for link in links}
            demands = _order._demands(links)
            placed: list[Any] = []

            def place(link: Any) -> None:
                for first, second in demands:
                    if second == link.instance and by_name[first] not in placed:
                        place(by_name[first])
                if link not in placed:
                    placed.append(link)

            for link in links:
                place(link)
            return placed

        return depth_first

    wrap(_service, "order", order_links)


@vice(
    "host",
    "has-an-order-of-its-own",
    kills=("hooks/order-of-loading", "hooks/order-of-configuration"),
    because="HOK-05",
)
def has_an_order_of_its_own() -> None:
    """Short names come first."""

    def in_order(good: Any) -> Any:
        def by_length(self: Any, hook: str, members: Any) -> Any:
            return sorted(good(self, hook, members), key=lambda link: len(link.instance))

        return by_length

    wrap(_Service, "_in_order_of_loading", in_order)


@vice("host", "loses-the-place", kills=("hooks/place-kept",), because="HOK-05")
def loses_the_place() -> None:
    def left(good: Any) -> Any:
        def with_its_place(self: Any, participant: Any, reason: str) -> None:
            good(self, participant, reason)
            if self._places.pop(participant.name, None) is not None:
                self._places = {name: place for place, name in enumerate(sorted(self._places, key=self._places.get))}

        return with_its_place

    wrap(_Service, "left", left)


@vice("host", "leaves-out-what-goes-round", kills=("hooks/circle",), because="HOK-06")
def leaves_out_what_goes_round() -> None:
    """Makes every plugin ready, and drops the links that cannot be ordered."""
    _Service.conflict = lambda self, candidates: None


@vice("host", "does-not-say-what-goes-round", kills=("hooks/circle",), because="HOK-06")
def does_not_say_what_goes_round() -> None:
    def conflict(good: Any) -> Any:
        return lambda self, candidates: "its hooks cannot be put in order" if good(self, candidates) else None

    wrap(_Service, "conflict", conflict)


@vice("host", "takes-two-links-for-one-hook", kills=("hooks/two-links",), because="HOK-01")
def takes_two_links_for_one_hook() -> None:
    handshake._check_hooks = lambda links: None


@vice("host", "explains-by-the-order-of-loading", kills=("hooks/explain",), because="HOK-07")
def explains_by_the_order_of_loading() -> None:
    def explain(good: Any) -> Any:
        def as_loaded(self: Any, call: Any) -> Any:
            links = good(self, call)["links"]
            return {"links": sorted(links, key=lambda link: self._places[link["instance"]])}

        return as_loaded

    wrap(_Service, "_explain", explain)


@vice("host", "lists-hooks-as-they-came", kills=("hooks/list",), because="HOK-25")
def lists_hooks_as_they_came() -> None:
    def list_hooks(self: Any, call: Any) -> Any:
        return {"hooks": list(dict.fromkeys(hook for member in self._members.values() for hook in member.links))}

    _Service._list = list_hooks
