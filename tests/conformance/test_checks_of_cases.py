"""What cases have in common: the comparison of JSON, codes by their names, a second asking, TOML, and the door for
probes.
"""

import array
import json
import os
import re
import socket
import tomllib
from pathlib import Path
from typing import Any

import pytest

from plugwire_conformance.case import Broken, expect_equal, with_longer_times
from plugwire_conformance.hosts.door import Door, NobodyCame
from plugwire_conformance.oracles.shapes import CODES
from plugwire_conformance.toml_text import toml
from plugwire_conformance.wire import codes

ROOT = Path(__file__).resolve().parents[2]


# Codes


def test_the_codes_and_the_types_of_their_data_are_those_of_the_spec() -> None:
    told = json.loads((ROOT / "spec/model/protocol.json").read_text(encoding="utf-8"))["codes"]
    names = {re.sub(r"(?<!^)([A-Z])", r"_\1", one["name"]).upper(): one["code"] for one in told}
    assert {name: value for name, value in vars(codes).items() if name.isupper()} == names
    assert {one["code"]: one.get("data", "") for one in told} == CODES


# Comparing


@pytest.mark.parametrize(
    ("got", "wanted"),
    [({"a": 1, "b": [None]}, {"b": [None], "a": 1}), ((1, "x"), [1, "x"]), (b"\xff", b"\xff"), (10**400, 10**400)],
)
def test_the_same_json_is_equal(got: Any, wanted: Any) -> None:
    expect_equal(got, wanted, "it is another")


@pytest.mark.parametrize(
    ("got", "wanted"),
    [(1, True), (1, 1.0), ("1", 1), ([1, 2], [2, 1]), ({"a": None}, {}), (b"x", "x"), ("é", "e\u0301")],
)
def test_other_json_is_told_with_the_requirement(got: Any, wanted: Any) -> None:
    with pytest.raises(Broken) as told:
        expect_equal(got, wanted, "it is another", "STA-01")
    assert (told.value.message, told.value.requirement) == ("it is another", "STA-01")


def test_a_long_value_is_cut_where_it_is_told() -> None:
    with pytest.raises(Broken) as told:
        expect_equal("x" * 1000, None, "it is another")
    assert told.value.got == '"' + "x" * 399 + "… (1002 characters)"
    assert told.value.expected == "null"


# Asking once more


def asked(*outcomes: bool) -> list[int]:
    """With which times it was asked, by a subject that is good or not, one asking after the other."""
    times: list[int] = []

    def ask(factor: int) -> None:
        times.append(factor)
        if not outcomes[len(times) - 1]:
            raise Broken("it came late")

    with_longer_times(ask)
    return times


def test_what_comes_in_time_is_asked_once() -> None:
    assert asked(True) == [1]


def test_what_comes_late_is_asked_once_more_with_longer_times() -> None:
    assert asked(False, True) == [1, 3]


def test_what_comes_late_again_is_broken() -> None:
    with pytest.raises(Broken, match="it came late"):
        asked(False, False)


# TOML


@pytest.mark.parametrize(
    "value",
    [
        "",
        'a "quoted" \\ path\n\t\x7f\x1b[0m \u202e é 🦀 \U000e0001',
        -3,
        1e9,
        0.5,
        True,
        ["a", ["b", 2]],
        {"a b": {"c.d": [False]}, "é\n": "x"},
        {},
        [],
    ],
)
def test_what_is_written_as_toml_is_read_as_it_was(value: Any) -> None:
    assert tomllib.loads(f"value = {toml(value)}\n") == {"value": value}


def test_toml_has_nothing_in_it_that_a_terminal_obeys() -> None:
    assert toml({"\x1b": ["\x9b31m", "\u202e"]}).isprintable()


# The door


def knock(door: Door, name: str | None) -> None:
    """A process comes to the door, and goes away without a word unless it has a name."""
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(str(door.folder / "door"))
        if name:
            hello, pipes = json.dumps({"name": name}).encode() + b"\n", array.array("i", [0, 1, 2])
            visitor.sendmsg([hello], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, pipes)])


def test_who_was_ended_before_it_said_its_name_does_not_keep_the_next_one_out() -> None:
    door = Door()
    try:
        for name in (None, "late"):
            knock(door, name)
        arrival = door.wait(10)
        for pipe in (arrival.stdin, arrival.stdout, arrival.stderr):
            os.close(pipe)
        arrival.orders.close()
        assert arrival.name == "late"
        with pytest.raises(NobodyCame):
            door.wait(0)
    finally:
        door.close()
