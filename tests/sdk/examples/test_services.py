"""What each example is for: its methods, with the results written out."""

import os
from pathlib import Path

import pytest

from .conftest import Start, make_ready
from .driver import Conversation, exact
from .subjects import BASH, INITIALIZED, LIMITS, NODE, PERL, C, Subject, initialize, request


def result_of(plugin: Conversation, method: str, **params: object) -> str:
    plugin.send(request(1, method, **params))
    return exact(plugin.read_message()["result"])


@pytest.mark.parametrize(
    ("method", "text", "result"),
    [
        ("crc32", "123456789", '{"bytes":9,"crc32":"cbf43926"}'),
        ("crc32", "", '{"bytes":0,"crc32":"00000000"}'),
        ("crc32", "é😀\0", '{"bytes":7,"crc32":"3b1ecae2"}'),
        ("adler32", "Wikipedia", '{"adler32":"11e60398","bytes":9}'),
        ("adler32", "", '{"adler32":"00000001","bytes":0}'),
    ],
)
def test_checksums_are_the_well_known_ones(start: Start, method: str, text: str, result: str) -> None:
    assert result_of(make_ready(start(C)), f"checksum/{method}", text=text) == result


def test_a_checksum_sees_the_characters_behind_escapes(start: Start) -> None:
    plugin = make_ready(start(C))
    plugin.send_bodies(
        rb'{"jsonrpc":"2.0","id":1,"method":"checksum/crc32","params":{"text":"\u0031\u00e9\u20ac\ud83d\ude00\n\/"}}',
        '{"jsonrpc":"2.0","id":1,"method":"checksum/crc32","params":{"text":"1é€😀\\u000a/"}}'.encode(),
    )
    expected = '{"id":1,"result":{"bytes":12,"crc32":"92b1eb7e"}}'
    assert [plugin.read_answer() for _ in range(2)] == [expected, expected]


TODO_TEXT = """\
# TODO: write this
x = 1  # FIXME handle é and 😀 well
/* XXX(ada): look again */
  // HACK
é😀 is done, but TODO(eve): the rest <!-- later -->
A todo list, a TODO in prose, `TODO: x` and "TODO: x" in quotes, mktemp XXX.XXXX.
http://example.org/TODO: no TODOS: no, METODO: no, TODO:no
"""


def test_markers_are_found_in_comments_and_with_a_colon(start: Start) -> None:
    assert result_of(make_ready(start(PERL)), "todo/scan", text=TODO_TEXT) == (
        '{"items":[{"column":3,"line":1,"tag":"TODO","text":"write this"},'
        '{"column":10,"line":2,"tag":"FIXME","text":"handle é and 😀 well"},'
        '{"column":4,"line":3,"tag":"XXX","text":"look again"},'
        '{"column":6,"line":4,"tag":"HACK","text":""},'
        '{"column":17,"line":5,"tag":"TODO","text":"the rest <!-- later"}]}'
    )


def test_markers_have_their_lines_whatever_ends_them(start: Start) -> None:
    assert result_of(make_ready(start(PERL)), "todo/scan", text="a\r\n# TODO b\r\nc\rTODO: d\n\n; FIXME") == (
        '{"items":[{"column":3,"line":2,"tag":"TODO","text":"b"},{"column":1,"line":4,"tag":"TODO","text":"d"},'
        '{"column":3,"line":6,"tag":"FIXME","text":""}]}'
    )


def test_a_text_without_markers_has_an_empty_list(start: Start) -> None:
    assert result_of(make_ready(start(PERL)), "todo/scan", text="") == '{"items":[]}'


@pytest.mark.parametrize(
    ("text", "slips"),
    [
        (
            "See the the end.",
            '{"column":5,"length":7,"line":1,"message":"the word \\"the\\" stands twice","suggestion":"the"}',
        ),
        (
            "É😀 saw\nthe\nthe end.",
            '{"column":1,"length":7,"line":2,"message":"the word \\"the\\" stands twice","suggestion":"the"}',
        ),
        (
            "> É😀: Teh end.",
            '{"column":7,"length":3,"line":1,"message":"\\"Teh\\" is spelt \\"The\\"","suggestion":"The"}',
        ),
        (
            "It was a error.",
            '{"column":8,"length":1,"line":1,"message":"\\"a\\" before \\"error\\"","suggestion":"an"}',
        ),
        ("\n- An user.", '{"column":3,"length":2,"line":2,"message":"\\"An\\" before \\"user\\"","suggestion":"A"}'),
        ("One.\t\nTwo.", '{"column":5,"length":1,"line":1,"message":"blanks at the line\'s end","suggestion":""}'),
        ("One.   \r\nTwo.", '{"column":5,"length":3,"line":1,"message":"blanks at the line\'s end","suggestion":""}'),
        ("One.\n  \nTwo.", '{"column":1,"length":2,"line":2,"message":"blanks at the line\'s end","suggestion":""}'),
    ],
)
def test_each_kind_of_slip_is_found_where_it_is(start: Start, text: str, slips: str) -> None:
    assert result_of(make_ready(start(NODE)), "prose/check", text=text) == f'{{"slips":[{slips}]}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "She had had it. I know that that is so. Very, very good.",
        "A hard break  \nis meant.",
        "```\nteh the the\n```\n~~~ text\nan plugin \n```\nteh\n~~~\n",
        "Text.\n\n    teh the the  \n\tan plugin\n",
        "Use `the the` or ``teh ` an plugin``, or `an\nplugin`.",
        "See https://example.org/teh/the-the and <https://example.org/an plugin> and teh@example.org.",
        "[the](teh.html) [a]: [x](recieve.md)\n\n[ref]: teh.html\n",
        "---\ntitle: teh the the\n---\nText.",
        "| the | the |\n| - | - |\n| the | x |",
        "# Errors\nErrors are told.",
        "an hour, an npm package, an HTTP host, an href, an honest user, a user, a unit, a one, an x",
        "when a is empty, and plan A entry; the the-the; `a` error; teh_value, teh.py, $teh, don't, can't",
    ],
)
def test_what_is_no_prose_or_no_slip_is_left_alone(start: Start, text: str) -> None:
    assert result_of(make_ready(start(NODE)), "prose/check", text=text) == '{"slips":[]}'


def test_in_plain_text_blanks_at_the_end_and_indented_lines_count(start: Start) -> None:
    text = "One.  \n\n    teh\n"
    assert result_of(make_ready(start(NODE)), "prose/check", text=text, language="plaintext") == (
        '{"slips":[{"column":5,"length":2,"line":1,"message":"blanks at the line\'s end","suggestion":""},'
        '{"column":5,"length":3,"line":3,"message":"\\"teh\\" is spelt \\"the\\"","suggestion":"the"}]}'
    )


def test_a_wrong_language_is_told_with_its_path(start: Start) -> None:
    plugin = make_ready(start(NODE))
    plugin.send(request(1, "prose/check", text="", language=None))
    assert plugin.read_message()["error"]["data"]["problems"] == [
        {"path": "$.language", "message": "expected a string"}
    ]


def test_a_file_is_measured(start: Start, tmp_path: Path) -> None:
    file = tmp_path / 'é "quoted" $(x) \n.txt'
    file.write_bytes(b"hello\nworld\n!")
    result = result_of(make_ready(start(BASH)), "files/stat", path=str(file))
    assert result == (
        f'{{"bytes":13,"lines":2,"path":{exact(str(file))},'
        '"sha256":"c0eb71c00bcd414c3b588ce81723921c26c3fc33d35053c6fe72e39bba0aacca"}'
    )


def test_a_relative_path_begins_at_the_plugin_s_folder(start: Start) -> None:
    size = (BASH.cwd / "plugin.toml").stat().st_size
    plugin = make_ready(start(BASH))
    plugin.send(request(1, "files/stat", path="plugin.toml"))
    result = plugin.read_message()["result"]
    assert (result["path"], result["bytes"]) == ("plugin.toml", size)


@pytest.mark.requirement("ERR-02")
def test_a_file_that_cannot_be_read_has_an_error_of_its_own(start: Start, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    plugin = make_ready(start(BASH))
    for path in (str(tmp_path / "missing"), str(tmp_path), str(tmp_path / "pipe"), "-n", "\n"):
        plugin.send(request(1, "files/stat", path=path))
        assert plugin.read_answer() == '{"code":1,"id":1}'


@pytest.mark.requirement("ERR-06")
def test_a_result_with_a_path_that_fits_into_no_frame_is_replaced(start: Start, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    plugin = start(BASH)
    plugin.send(initialize(limits=LIMITS | {"maxFrameBytes": 4096}), INITIALIZED)
    for length in (3955, 3956):  # 141 bytes stand around the path
        plugin.send(request(1, "files/stat", path=f"{tmp_path}/x".rjust(length, "/")))
    plugin.read_message()
    assert plugin.read_message()["result"]["bytes"] == 0
    assert plugin.read_answer() == '{"code":-32016,"data":{"limit":4096,"size":4097},"id":1}'


@pytest.mark.requirement("ERR-06")
@pytest.mark.parametrize(
    ("subject", "method", "line", "size"),
    [(PERL, "todo/scan", "# TODO: x\n", 9537), (NODE, "prose/check", "the the\n\n", 19190)],
    ids=["perl-todo", "node-prose"],
)
def test_a_result_that_fits_into_no_frame_is_replaced(
    start: Start, subject: Subject, method: str, line: str, size: int
) -> None:
    plugin = start(subject)
    plugin.send(initialize(limits=LIMITS | {"maxFrameBytes": 4096}), INITIALIZED)
    plugin.send(request(1, method, text=line * 200))
    plugin.read_message()
    assert plugin.read_answer() == f'{{"code":-32016,"data":{{"limit":4096,"size":{size}}},"id":1}}'
