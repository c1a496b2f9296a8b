"""What the host's services make of the params that they are sent."""

from collections.abc import Callable
from typing import Any

import pytest

from plugwire.wire import InvalidParams, Raw
from plugwire_host.services.params import RESOURCE_NAME, Params


def params(text: str) -> Params:
    return Params(Raw(text.encode()))


def test_members_that_fit_are_read() -> None:
    told = params('{"name":"a/b","size":3,"deep":{"on":true},"how":"fast","items":[1,{"x":2}],"value":[ 1 ]}')
    assert told.text("name", pattern=RESOURCE_NAME) == "a/b"
    assert told.integer("size", 1, 3) == 3
    nested = told.nested("deep")
    assert nested is not None
    assert nested.flag("on") is True
    assert told.choice("how", ("slow", "fast"), default="slow") == "fast"
    assert [bytes(item) for item in told.items("items", 2)] == [b"1", b'{"x":2}']
    assert bytes(told.raw("value") or b"") == b"[ 1 ]"
    assert "value" in told


def test_absent_members_have_their_default() -> None:
    told = Params(None)
    assert told.text("name", default=None) is None
    assert told.integer("size", 1, 3, default=7) == 7
    assert told.flag("on") is False
    assert told.choice("how", ("slow",), default="slow") == "slow"
    assert told.raw("value") is None
    assert told.nested("deep") is None
    assert "value" not in told


@pytest.mark.parametrize(
    ("text", "read", "path", "message"),
    [
        ("[]", lambda told: told, "$", "expected an object"),
        ("{}", lambda told: told.text("name"), "$.name", "it is missing"),
        ('{"name":3}', lambda told: told.text("name"), "$.name", "expected a string of at most 256 characters"),
        ('{"name":"abcd"}', lambda told: told.text("name", most=3), "$.name", "expected a string of at most 3"),
        (
            '{"name":"../../x"}',
            lambda told: told.text("name", pattern=RESOURCE_NAME),
            "$.name",
            "'../../x' is no name that is allowed here",
        ),
        ('{"size":0}', lambda told: told.integer("size", 1, 3), "$.size", "expected an integer from 1 to 3"),
        ('{"size":4}', lambda told: told.integer("size", 1, 3), "$.size", "expected an integer from 1 to 3"),
        ('{"size":2.0}', lambda told: told.integer("size", 1, 3), "$.size", "expected an integer from 1 to 3"),
        ('{"size":true}', lambda told: told.integer("size", 1, 3), "$.size", "expected an integer from 1 to 3"),
        ('{"size":1e999}', lambda told: told.integer("size", 1, 3), "$.size", "expected a value that can be read"),
        ('{"on":1}', lambda told: told.flag("on"), "$.on", "expected true or false"),
        ('{"how":"x"}', lambda told: told.choice("how", ("a", "b")), "$.how", "expected one of a, b"),
        ('{"how":["a"]}', lambda told: told.choice("how", ("a", "b")), "$.how", "expected one of a, b"),
        ('{"items":{}}', lambda told: told.items("items", 2), "$.items", "expected a list"),
        ('{"items":[1,2,3]}', lambda told: told.items("items", 2), "$.items", "expected a list of at most 2"),
        ("{}", lambda told: told.items("items", 2), "$.items", "it is missing"),
        ('{"deep":3}', lambda told: told.nested("deep"), "$.deep", "expected an object"),
        ('{"deep":{"n":0}}', lambda told: told.nested("deep").integer("n", 1, 3), "$.deep.n", "expected an integer"),
    ],
)
def test_a_member_that_does_not_fit_is_named(text: str, read: Callable[[Params], Any], path: str, message: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        read(params(text))
    (problem,) = caught.value.data["problems"]
    assert problem["path"] == path
    assert problem["message"].startswith(message)


@pytest.mark.parametrize("name", ["a", "A_1", "reports/summary", "a.b:c@d-e/f", "..".join("ab"), "x" * 256])
def test_names_that_plugins_may_share(name: str) -> None:
    assert RESOURCE_NAME.fullmatch(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../../x", "/a", "a/", "a//b", "a/../b", "a b", "a\n", "-a", "é", "a\0", "x" * 257]
)
def test_names_that_no_one_may_use(name: str) -> None:
    assert RESOURCE_NAME.fullmatch(name) is None
