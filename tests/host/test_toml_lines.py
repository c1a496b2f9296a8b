"""The line of each key, however it is written."""

import random
import tomllib
from typing import Any

import pytest

from plugwire_host.toml_lines import line_of

TEXT = '''\
# a comment = with [brackets]
title = "plain" # line 2

a.b . "c.d" = 1
'single.quoted' = 2
"esc\\u0061pe\\"d" = 3
[host]
call_timeout = 30.0
many = [ # line 9
  "one", # ]
  'two, ]',
  [3,
   4],
  { x = "}", y = [1,
    2] },
]
text = """
no = key
[no.table] \\"""
""""
raw = \'\'\'
[no]
\'\'\'\'\'
after = 2020-01-01T00:00:00Z
empty = ""
none = []
inline = { tone = "warm", deep = { er = 1 }, "]" = "}" } # line 27
[plugins."a b".env]
A = "x"
[plugins]
first = 1
[plugins.todo]
command = ["perl"]
[[provides]]
service = "one"
[[provides]]
service = "two"
[provides.extra]
deep = 1
[[provides.methods]]
name = "x"
[[provides.methods]]
name = "y"
[[provides]]
[[provides.methods]]
name = "z"
[ spaced . 'out' ]
x = 1\r
y = 2\r
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("a",), 4),
        (("a", "b", "c.d"), 4),
        (("single.quoted",), 5),
        (('escape"d',), 6),
        (("host",), 7),
        (("host", "call_timeout"), 8),
        (("host", "many"), 9),
        (("host", "many", 0), 10),
        (("host", "many", 1), 11),
        (("host", "many", 2), 12),
        (("host", "many", 2, 1), 13),
        (("host", "many", 3), 14),
        (("host", "many", 3, "y"), 14),
        (("host", "text"), 17),
        (("host", "raw"), 21),
        (("host", "after"), 24),
        (("host", "empty"), 25),
        (("host", "none", 0), 26),
        (("host", "inline"), 27),
        (("host", "inline", "deep", "er"), 27),
        (("plugins", "a b"), 28),
        (("plugins", "a b", "env", "A"), 29),
        (("plugins",), 30),
        (("plugins", "first"), 31),
        (("plugins", "todo"), 32),
        (("plugins", "todo", "command", 0), 33),
        (("plugins", "todo", "missing"), 32),
        (("provides",), 34),
        (("provides", 0), 34),
        (("provides", 0, "service"), 35),
        (("provides", 1), 36),
        (("provides", 1, "service"), 37),
        (("provides", 1, "extra", "deep"), 39),
        (("provides", 1, "methods", 0), 40),
        (("provides", 1, "methods", 1, "name"), 43),
        (("provides", 2), 44),
        (("provides", 2, "methods", 0, "name"), 46),
        (("spaced", "out"), 47),
        (("spaced", "out", "y"), 49),
        (("nowhere",), 1),
        ((), 1),
    ],
)
def test_a_key_has_the_line_on_which_it_stands(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert line_of(TEXT, path) == line


def test_the_last_line_may_end_without_a_line_end() -> None:
    assert line_of("a = 1\nb = true", ("b",)) == 2
    assert line_of("a = 1\nb = [\n1,\n2]", ("b", 1)) == 4


def test_an_empty_text_has_one_line() -> None:
    assert line_of("", ("x",)) == 1


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children = value.items() if type(value) is dict else enumerate(value) if type(value) is list else []
    return [path, *(found for key, child in children for found in paths_of(child, (*path, key)))]


def test_every_key_is_found_where_a_parser_of_the_first_lines_finds_it() -> None:
    """A key is in the text up to the end of its line, and not yet in what stands before that line."""
    lines = TEXT.splitlines(keepends=True)
    for path in paths_of(tomllib.loads(TEXT)):
        if not path or "inline" in path or path[:3] == ("host", "many", 3) or path == ("plugins",):
            continue
        before = "".join(lines[: line_of(TEXT, path) - 1])
        try:
            assert path not in paths_of(tomllib.loads(before)), path
        except tomllib.TOMLDecodeError:
            assert path[:2] == ("host", "many")  # inside of an array


def test_random_documents_are_scanned_to_their_end() -> None:
    """Whatever values stand before it, the last key is found on the last line."""
    values = [
        '"a # [b] \\" \\\\"',
        "'c\\'",
        '"""x\n"" y\n\\""""',
        "'''\n'' '''",
        "[1, [2, # ]\n3], {a = '}'}]",
        "{ a = [1, {b = 2}], c = '' }",
        "1979-05-27 07:32:00",
        "-inf",
        "0x_ff".replace("_", ""),
        '""',
        "''",
        '""""""',
        "''''''",
        '[\n"""]\n"""\n,\n]',
    ]
    chooser = random.Random(7)
    for _ in range(300):
        body = "".join(f"k{number} = {chooser.choice(values)} # {number}\n" for number in range(8))
        text = body + "last = 1"
        tomllib.loads(text)
        assert line_of(text, ("last",)) == text.count("\n") + 1
