"""What comes back of values that a plugin was given, and numbers that it cannot hold (chapter 02)."""

from ...case import Broken, plugin_case
from ...cases.data import Sample, samples
from ...plugins.bodies import Bodies
from ...plugins.subject import PluginSubject
from ...wire.messages import Json, encode_json

_FILE = "json_bodies.yaml"


def _of(*sections: str) -> list[Sample]:
    return [sample for section in sections for sample in samples(_FILE, section)]


@plugin_case(
    "json/large-numbers",
    "FRM-11",
    why="Numbers beyond 2^53 travel through a host; a conversion that fails on one must not take the process with it.",
    mend="Catch what the conversion of a number raises, and answer: with a value that can be held, or with an error.",
)
def large_numbers(plugin: PluginSubject) -> None:
    """Numbers that cannot be held do no harm.

    Sent: ping with an unknown member that is an integer of 5000 digits, 1e400 and the like.
    Expected: an answer or ParseError, whichever it is, and the ping that follows is answered.
    """
    bodies = Bodies(plugin)
    for sample in _of("large-numbers"):
        with plugin.checks(sample.name):
            bodies.expect_survived(sample.body, "FRM-11")


@plugin_case(
    "json/texts-kept",
    "MSG-21",
    "MSG-22",
    needs=("conformance/echo",),
    why="A text that changes between two plugins is another file name, another key, another password.",
    mend="Write strings as UTF-8 or with escapes, and change nothing: no normal form, no cut at NUL, no line "
    "ends of the system.",
)
def texts_kept(plugin: PluginSubject) -> None:
    """A text comes back as it went.

    Sent: conformance/echo with texts of many scripts, control characters, noncharacters and line ends, as value and
    as name.
    Expected: the same value and the same name.
    """
    talk = plugin.ready()
    for sample in _of("texts"):
        text = sample.body.decode()
        with plugin.checks(sample.name):
            sent = {"value": text, "names": {text: 1}}
            got = talk.expect_result(talk.request("conformance/echo", sent), rule="MSG-21")
            if got != sent:
                raise Broken(
                    "the text came back changed",
                    expected=encode_json(sent).decode()[:400],
                    got=repr(got)[:400],
                    requirement="MSG-21",
                )


@plugin_case(
    "json/values-kept",
    "MSG-22",
    needs=("conformance/echo",),
    why="A caller compares what it gets with what it sent; an empty object that turns into an empty list breaks it.",
    mend='Keep the types of JSON apart: null and absent, {} and [], 1 and "1" and true; '
    "keep all digits of integers up to 2^53 − 1.",
)
def values_kept(plugin: PluginSubject) -> None:
    """A value comes back as it went.

    Sent: conformance/echo with values of each type, alone and nested, and with integers up to 2^53 − 1.
    Expected: the same values.
    """
    talk = plugin.ready()
    for name, value in _VALUES.items():
        with plugin.checks(name):
            got = talk.expect_result(talk.request("conformance/echo", {"value": value}), rule="MSG-22")
            if not isinstance(got, dict) or not _same(got.get("value", "absent"), value):
                raise Broken(
                    "the value came back changed",
                    expected=encode_json({"value": value}).decode(),
                    got=repr(got)[:400],
                    requirement="MSG-22",
                )


@plugin_case(
    "json/large-numbers-back",
    "MSG-22",
    needs=("conformance/echo",),
    why="A number that turned into Infinity on the way in makes a body that no one can read on the way out.",
    mend="Let the writer refuse NaN and Infinity, and answer with an error instead.",
)
def large_numbers_back(plugin: PluginSubject) -> None:
    """What comes back of numbers that cannot be held is JSON all the same.

    Sent: conformance/echo with 1e400, -1e400, 1e-400 and an integer of 400 digits.
    Expected: a result or an error, or ParseError; it is JSON, and the ping that follows is answered.
    """
    bodies = Bodies(plugin)
    for number in ("1e400", "-1e400", "1e-400", "9" * 400, "0.1e-999999"):
        with plugin.checks(number[:8]):
            body = (
                b'{"jsonrpc":"2.0","id":"sample","method":"conformance/echo","params":{"value":%b}}' % number.encode()
            )
            bodies.expect_survived(body, "MSG-22")


_VALUES: dict[str, Json] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "one-as-text": "1",
    "fraction": 0.5,
    "largest": 2**53 - 1,
    "smallest": -(2**53) + 1,
    "empty-object": {},
    "empty-array": [],
    "array-of-null": [None],
    "array-of-empty": [[], {}, ""],
    "null-member": {"a": None, "b": {"c": None}},
    "digits-as-names": {"1": "a", "01": "b", "10": "c"},
    "odd-names": {"": 1, " ": 2, "$": 3, "__proto__": {"x": 1}, "constructor": 4, "length": 5},
    "mixed": [1, "1", True, None, {}, [], 0.25],
}


def _same(one: object, other: object) -> bool:
    """Whether two JSON values are the same; 1 and 1.0 are one number, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return one == other
