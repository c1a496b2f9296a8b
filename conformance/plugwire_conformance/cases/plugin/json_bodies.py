"""What is JSON and what is not (chapter 02, MSG-21 to MSG-23 and MSG-26). The bodies are in json_bodies.yaml."""

from ...case import plugin_case
from ...cases.data import Sample, samples
from ...plugins.bodies import Bodies
from ...plugins.boundary import ping
from ...plugins.subject import PluginSubject

_FILE = "json_bodies.yaml"


_REFUSED = (
    """Read with a strict parser, and answer what it refuses with {"code": -32700} and "id": null; then read on."""
)


def _of(*sections: str) -> list[Sample]:
    return [sample for section in sections for sample in samples(_FILE, section)]


def _expect_all_refused(plugin: PluginSubject, found: list[Sample], rule: str) -> None:
    bodies = Bodies(plugin)
    for sample in found:
        if bodies.can_send(sample.body):
            with plugin.checks(sample.name):
                bodies.expect_parse_error(sample.body, rule)


def _expect_all_taken(plugin: PluginSubject, found: list[Sample], rule: str) -> None:
    bodies = Bodies(plugin)
    for sample in found:
        if bodies.can_send(sample.body):
            with plugin.checks(sample.name):
                bodies.expect_taken(sample.body, rule)


@plugin_case(
    "json/every-value",
    "MSG-22",
    why="Values of every kind travel through a host unchanged. A plugin that stumbles over one of them fails "
    "on its user's data.",
    mend="Use a complete JSON parser, such as the one of the language's standard library.",
)
def every_value(plugin: PluginSubject) -> None:
    """Every kind of JSON value is read.

    Sent: ping with an unknown member that holds a number, string, array or object, in all spellings that RFC 8259 has.
    Expected: each ping is answered.
    """
    _expect_all_taken(plugin, _of("values"), "MSG-22")


@plugin_case(
    "json/spelling",
    "MSG-22",
    why="A host forwards a message as its author's library wrote it: with blanks, in any order, with escapes.",
    mend="Parse the body as JSON; never look for members with a pattern or at a fixed place.",
)
def spelling(plugin: PluginSubject) -> None:
    """Blanks, the order of members and escapes change nothing.

    Sent: ping, written with blanks around and between, with members in another order, and with escaped letters.
    Expected: each ping is answered.
    """
    _expect_all_taken(plugin, _of("spellings", "spellings-with-line-ends"), "MSG-22")


@plugin_case(
    "json/no-json-value",
    "MSG-22",
    "MSG-26",
    why="What one parser takes and another refuses breaks only in some combinations of plugins, and is hard "
    "to find there.",
    mend=_REFUSED
    + " Many parsers have to be told: no NaN and Infinity, no comments, no trailing commas, no raw control characters.",
)
def no_json_value(plugin: PluginSubject) -> None:
    """A value that is no JSON makes the body no JSON.

    Sent: ping, with a value in its params that looks like JSON and is none: NaN, 042, 'x', [1,] and many more.
    Expected: for each, ParseError (-32700) with id null, and the ping that follows is answered.
    """
    _expect_all_refused(plugin, _of("broken-values"), "MSG-22")


@plugin_case(
    "json/no-json-body",
    "MSG-26",
    "MSG-22",
    why="Whoever sent the body learns from ParseError that it is at fault. In silence it waits until its time is over.",
    mend=_REFUSED + " Do not fish an id out of what could not be parsed.",
)
def no_json_body(plugin: PluginSubject) -> None:
    """A body that is no JSON is answered with ParseError and id null.

    Sent: bodies that are words, single brackets, a message that was cut off, or another language.
    Expected: for each, ParseError (-32700) with id null, and the ping that follows is answered.
    """
    _expect_all_refused(plugin, _of("broken-bodies"), "MSG-22")


@plugin_case(
    "json/something-behind",
    "MSG-22",
    "MSG-26",
    why="Two values in one body are read as one by some parsers and as two by others; what is executed is a "
    "matter of chance.",
    mend="Check that the parser has used up the body; for a parser of streams, that nothing but blanks is left.",
)
def something_behind(plugin: PluginSubject) -> None:
    """Nothing may stand behind the value.

    Sent: a ping with a bracket, a word, a NUL or a second message behind it in the same body.
    Expected: for each, ParseError (-32700) with id null; the ping before it is not answered.
    """
    _expect_all_refused(plugin, _of("trailing"), "MSG-22")


@plugin_case(
    "json/bad-utf-8",
    "MSG-21",
    "MSG-26",
    why="Repaired text is not what was sent: names and paths change on their way without anyone being told.",
    mend="Decode the body strictly as UTF-8 before it is parsed; do not let it be repaired with U+FFFD. " + _REFUSED,
)
def bad_utf8(plugin: PluginSubject) -> None:
    """Bytes that are no UTF-8 are refused, never repaired.

    Sent: ping with lone continuation bytes, cut characters, overlong forms, encoded surrogates and bytes above
    Unicode, in a string, a name, the id, the method and between tokens.
    Expected: for each, ParseError (-32700) with id null, and the ping that follows is answered.
    """
    _expect_all_refused(plugin, _of("bad-utf8", "bad-utf8-elsewhere"), "MSG-21")


@plugin_case(
    "json/byte-order-mark",
    "MSG-21",
    "MSG-26",
    why="Half of all parsers refuse a byte order mark. When a plugin takes one, its peers get away with what "
    "others do not understand.",
    mend="Decode as plain UTF-8, not with a decoder that drops the mark. " + _REFUSED,
)
def byte_order_mark(plugin: PluginSubject) -> None:
    """A byte order mark before the message is refused.

    Sent: ping with the bytes EF BB BF before it.
    Expected: ParseError (-32700) with id null, and the ping that follows is answered.
    """
    Bodies(plugin).expect_parse_error(b"\xef\xbb\xbf" + ping("sample"), "MSG-21")


@plugin_case(
    "json/other-encodings",
    "MSG-21",
    "MSG-26",
    why="Parsers that guess the encoding take bodies that no one else can read.",
    mend="Decode the body as UTF-8 yourself and give the parser text, so that it cannot guess. " + _REFUSED,
)
def other_encodings(plugin: PluginSubject) -> None:
    """A body in UTF-16 or UTF-32 is refused.

    Sent: ping in UTF-16 and UTF-32, in both byte orders, with and without a byte order mark.
    Expected: for each, ParseError (-32700) with id null, and the ping that follows is answered.
    """
    bodies = Bodies(plugin)
    for encoding in ("utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32-be", "utf-32"):
        with plugin.checks(encoding):
            bodies.expect_parse_error(ping("sample").decode().encode(encoding), "MSG-21")


@plugin_case(
    "json/lone-surrogate",
    "MSG-23",
    "MSG-26",
    why="Such a string cannot be written as UTF-8. A plugin that keeps one fails later, when it passes the text on.",
    mend="After parsing, look for code units from D800 to DFFF in all strings and names, if the parser lets them pass. "
    + _REFUSED,
)
def lone_surrogate(plugin: PluginSubject) -> None:
    """An escaped surrogate without its partner is refused.

    Sent: ping with such an escape in a string, a name, the id, the method and deep inside of an unknown member.
    Expected: for each, ParseError (-32700) with id null, and the ping that follows is answered.
    """
    _expect_all_refused(plugin, _of("lone-surrogates", "lone-surrogates-elsewhere"), "MSG-23")
