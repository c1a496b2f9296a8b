"""Which plugin provides what, and which of several is chosen."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from packaging.specifiers import SpecifierSet

from plugwire_host import MethodNotFound, PluginUnavailable
from plugwire_host.routing.link import PluginLink
from plugwire_host.routing.registry import Provided, Registry, Required


def provided(service: str = "spell", version: str = "1", *methods: str) -> Provided:
    return Provided(service, version, {name: {} for name in methods or ("check",)})


def link(name: str) -> PluginLink:
    """Whoever is chosen is told by what stands for its connection."""
    return cast(PluginLink, name)


def registry(*plugins: tuple[str, str, int]) -> Registry:
    """Providers of ``spell``: instance, version, priority."""
    made = Registry()
    for instance, version, priority in plugins:
        made.add(instance, link(instance), [provided("spell", version)], priority)
    return made


def chosen(made: Registry, method: str = "spell/check", **ranges: str) -> Any:
    wanted = {service: SpecifierSet(versions) for service, versions in ranges.items()}
    return made.choose(method, "caller", wanted)[0]


@pytest.mark.requirement("CAL-03")
@pytest.mark.parametrize(
    ("plugins", "best"),
    [
        ([("a", "1", 0), ("b", "1.0.1", 0)], "b"),
        ([("a", "1.9", 0), ("b", "1.10", 0)], "b"),
        ([("a", "2", 0), ("b", "1", 9)], "a"),
        ([("a", "1", 0), ("b", "1.0", 1)], "b"),
        ([("a", "1", -1), ("b", "1", 0), ("c", "1", 0)], "b"),
        ([("a", "1", 0), ("b", "1.0.0", 0)], "a"),
    ],
)
def test_the_highest_version_is_chosen_then_the_priority_then_the_first(
    plugins: list[tuple[str, str, int]], best: str
) -> None:
    assert chosen(registry(*plugins)) == best


@pytest.mark.requirement("CAL-03")
@pytest.mark.parametrize(
    ("versions", "best"),
    [(">=1,<2", "one"), ("==1", "one"), (">=1", "two"), ("<1.5", "one"), ("!=2.1.0", "one"), (">2,<=2.1", "two")],
)
def test_only_what_fits_the_callers_range_is_chosen(versions: str, best: str) -> None:
    made = registry(("one", "1.0", 0), ("two", "2.1", 0))
    assert chosen(made, spell=versions) == best


def test_the_range_is_the_callers_own() -> None:
    made = registry(("one", "1", 0), ("two", "2", 0))
    assert made.choose("spell/check", "a", {"spell": SpecifierSet("<2")})[0] == link("one")
    assert made.choose("spell/check", "b", {})[0] == link("two")
    assert made.choose("spell/check", "a", {"spell": SpecifierSet("<2")})[0] == link("one")


def test_who_fits_no_range_is_not_found_and_the_proof_is_told() -> None:
    made = registry(("one", "1", 0), ("two", "2", 0))
    with pytest.raises(MethodNotFound) as caught:
        chosen(made, spell=">=3")
    assert caught.value.message == "no one provides spell in a version >=3: 2 by 'two', 1 by 'one'"


@pytest.mark.requirement("CAL-04")
def test_a_caller_may_name_the_instance_whatever_its_rank_and_version() -> None:
    made = registry(("one", "1", 0), ("two", "2", 0))
    assert made.choose("spell@one/check", "x", {"spell": SpecifierSet(">=2")}) == (link("one"), "spell/check")
    assert made.choose("spell@two/check", "x", {}) == (link("two"), "spell/check")
    with pytest.raises(MethodNotFound, match="no one provides the service 'spell' at 'three'"):
        made.choose("spell@three/check", "x", {})


def test_a_method_that_the_best_provider_lacks_is_taken_from_the_next() -> None:
    made = Registry()
    made.add("new", link("new"), [provided("spell", "2", "check")])
    made.add("old", link("old"), [provided("spell", "1", "check", "suggest/all")])
    assert chosen(made, "spell/suggest/all") == "old"
    with pytest.raises(MethodNotFound) as caught:
        chosen(made, "spell/nothing")
    assert caught.value.message == "spell of 'new' has no method 'nothing'; it has: check"


@pytest.mark.requirement("CAL-05")
def test_who_has_left_is_unavailable_and_who_was_never_there_is_not_found() -> None:
    made = registry(("a", "1", 0))
    assert made.remove("a", "it has ended (exit code 3)") == [provided("spell", "1")]
    assert made.remove("a", "again") == []
    for method in ("spell/check", "spell@a/check"):
        with pytest.raises(PluginUnavailable) as caught:
            chosen(made, method)
        assert caught.value.message == "spell: plugin 'a' is not ready: it has ended (exit code 3)"
        assert caught.value.data == {"instance": "a", "reason": "it has ended (exit code 3)"}
    for method in ("other/check", "spell@b/check"):
        with pytest.raises(MethodNotFound):
            chosen(made, method)


def test_another_provider_takes_over_and_gives_back() -> None:
    made = registry(("a", "1", 0), ("b", "1", 0))
    assert chosen(made) == "a"
    made.remove("a", "it has ended")
    assert chosen(made) == "b"
    made.add("a", link("a"), [provided()])
    # CAL-03: the one that was configured first is so after a restart as well.
    assert chosen(made) == "a"


@pytest.mark.requirement("CAL-10")
@pytest.mark.parametrize(
    ("wanted", "problems"),
    [
        (Required("spell", SpecifierSet(">=1,<2")), []),
        (Required("spell", SpecifierSet("")), []),
        (Required("spell", SpecifierSet(">=2"), optional=True), []),
        (Required("words", SpecifierSet("==0.1")), []),
        (Required("spell", SpecifierSet(">=2"), wanted=">=2"), ["it requires spell >=2: there is 1.5"]),
        (Required("grammar", SpecifierSet("")), ["it requires grammar (any version): no plugin provides it"]),
        (Required("words", SpecifierSet(">1"), wanted=">1"), ["it requires words >1: there is 0.1"]),
    ],
)
def test_what_a_plugin_requires_is_there_or_the_proof_says_what_there_is(wanted: Required, problems: list[str]) -> None:
    made = registry(("a", "1.5", 0))
    assert made.unmet([wanted], also=[provided("words", "0.1")]) == problems


@pytest.mark.requirement("CAL-08")
def test_the_list_has_one_entry_for_each_provider_of_each_service() -> None:
    made = Registry()
    made.add("a", link("a"), [Provided("spell", "1.5", {"check": {"idempotent": True}}), provided("words")])
    made.add("host", None, [provided("spell", "2")])
    assert made.describe() == [
        {"service": "spell", "version": "2", "instance": "host", "methods": {"check": {}}},
        {"service": "spell", "version": "1.5", "instance": "a", "methods": {"check": {"idempotent": True}}},
        {"service": "words", "version": "1", "instance": "a", "methods": {"check": {}}},
    ]
    made.remove("a", "it has ended")
    assert [entry["instance"] for entry in made.describe()] == ["host"]
    assert made.choose("spell/check", "x", {}) == (None, "spell/check")


@pytest.mark.parametrize("method", ["", "spell", "spell/", "/", "@/", "@a/check"])
def test_what_is_no_name_of_a_method_is_not_found(method: str) -> None:
    none: Mapping[str, SpecifierSet] = {}
    with pytest.raises(MethodNotFound):
        registry(("a", "1", 0)).choose(method, "x", none)
