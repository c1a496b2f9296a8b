"""Standard error: always read, bounded, and nothing left out in silence. F15."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from plugwire_host.process import Child, Command, StderrDrain

from .support import Run, let_go, python, shell


def fed(run: Run, *chunks: bytes) -> list[str]:
    """The lines that a drain makes of chunks."""
    lines: list[str] = []

    async def main() -> None:
        drain = StderrDrain(lines.append)
        for chunk in chunks:
            drain.data_received(chunk)
        drain.close()
        await drain.wait_closed()

    run(main())
    return lines


async def drained(command: Command, on_line: Callable[[str], None]) -> StderrDrain:
    """The drain of a program that ran to its end, with all it wrote."""
    child = await Child.spawn(command)
    drain = StderrDrain(on_line)
    await drain.open(child.stderr)
    assert await child.wait_exited() == 0
    await drain.wait_closed()
    await let_go(child)
    return drain


@pytest.mark.requirement("LOG-03")
@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"one\n", ["one"]),
        (b"one\r\ntwo\n", ["one", "two"]),
        (b"one\n\nthree", ["one", "", "three"]),
        (b"10 %\r20 %\n", ["10 %\r20 %"]),
        (b"\r\n\r", ["", ""]),
        ("größer\n".encode(), ["größer"]),
        (b"\xff\xfe ok\n", ["\ufffd\ufffd ok"]),
        (b"\x1b[31mred\0\n", ["\x1b[31mred\0"]),
    ],
)
def test_lines_are_the_same_however_they_arrive(run: Run, data: bytes, lines: list[str]) -> None:
    middle = len(data) // 2
    assert fed(run, data) == lines
    assert fed(run, data[:middle], data[middle:]) == lines
    assert fed(run, *(bytes([byte]) for byte in data)) == lines


@pytest.mark.requirement("LOG-05")
@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"x" * 65536 + b"\n", "x" * 65536),
        (b"x" * 65537 + b"\n", "x" * 65536 + "… (1 bytes more)"),
        (b"x" * 65536 + b"\r\n", "x" * 65536 + "… (1 bytes more)"),
        # A character of three bytes that does not fit as a whole is left out as a whole.
        (b"x" * 65535 + "€".encode() + b"\n", "x" * 65535 + "… (3 bytes more)"),
        (b"x" * 70000, "x" * 65536 + "… (4464 bytes more)"),
    ],
)
def test_a_long_line_is_cut_and_the_rest_is_counted(run: Run, data: bytes, line: str) -> None:
    assert fed(run, data) == [line]
    assert fed(run, data[:65530], data[65530:65537], data[65537:]) == [line]
    assert fed(run, b"x" * 65537 + b"\n" + data)[1:] == [line]


@pytest.mark.requirement("LOG-04", "LOG-05")
def test_the_last_fifty_lines_are_kept_each_of_at_most_four_kibibytes(run: Run) -> None:
    async def main() -> list[str]:
        drain = StderrDrain(lambda line: None)
        drain.data_received(b"".join(b"%d\n" % number for number in range(100)))
        drain.data_received(b"y" * 5000 + b"\nthe end")
        tail = list(drain.tail)
        drain.close()
        assert list(drain.tail) == tail
        return tail

    expected = [str(number) for number in range(52, 100)]
    assert run(main()) == [*expected, "y" * 4096 + "… (904 bytes more)", "the end"]


@pytest.mark.requirement("LOG-05")
def test_what_goes_beyond_a_mebibyte_in_a_second_is_counted_and_told(run: Run) -> None:
    line = b"x" * 1023 + b"\n"
    lines = fed(run, line * 1030)
    assert lines == ["x" * 1023] * 1024 + ["(6 lines of standard error left out)"]
    assert fed(run, line * 1025)[1024:] == ["(1 line of standard error left out)"]


@pytest.mark.requirement("LOG-05")
def test_after_a_line_that_is_left_out_a_smaller_one_does_not_slip_through(run: Run) -> None:
    lines = fed(run, b"x" * 1023 + b"\n", (b"y" * 65535 + b"\n") * 15, b"z" * 65535 + b"\n", b"small\n")
    assert [line[:5] for line in lines] == ["xxxxx", *["yyyyy"] * 15, "(2 li"]


@pytest.mark.requirement("LOG-05")
def test_what_was_left_out_is_told_before_it_goes_on(run: Run) -> None:
    lines: list[str] = []

    async def main() -> None:
        told = asyncio.Event()

        def on_line(line: str) -> None:
            lines.append(line)
            if "left out" in line:
                told.set()

        drain = StderrDrain(on_line)
        drain.data_received((b"x" * 1023 + b"\n") * 1026)
        await told.wait()
        drain.data_received(b"and on\n")
        drain.close()

    run(main())
    assert lines[1024:] == ["(2 lines of standard error left out)", "and on"]


@pytest.mark.requirement("LOG-03", "LOG-05")
def test_a_flood_of_ten_megabytes_is_read_and_every_line_is_accounted_for(run: Run) -> None:
    lines: list[str] = []
    source = "import os\nfor _ in range(1000): os.write(2, (b'x' * 99 + b'\\n') * 100)\nos.write(2, b'last\\n')"
    drain = run(drained(python(source), lines.append))
    left_out = sum(int(found[1]) for line in lines if (found := re.match(r"\((\d+) lines? of standard", line)))
    forwarded = [line for line in lines if not line.startswith("(")]
    assert len(forwarded) + left_out == 100_001
    assert left_out > 0
    assert drain.tail[-1] == "last"


@pytest.mark.requirement("LOG-03", "LOG-05")
def test_one_line_of_fifty_megabytes_is_read_and_cut(run: Run) -> None:
    lines: list[str] = []
    run(drained(python("import os\nfor _ in range(50): os.write(2, b'x' * 1000000)"), lines.append))
    assert lines == ["x" * 65536 + "… (49934464 bytes more)"]


@pytest.mark.requirement("LOG-03")
def test_a_mistake_of_whoever_takes_the_lines_does_not_stop_the_reading(run: Run) -> None:
    reported: list[dict[str, Any]] = []

    def fail(line: str) -> None:
        raise KeyError(line)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
        drain = await drained(shell("echo one >&2; echo two >&2"), fail)
        assert list(drain.tail) == ["one", "two"]

    run(main())
    assert [repr(context["exception"]) for context in reported] == ["KeyError('one')", "KeyError('two')"]


def test_a_grandchild_that_keeps_standard_error_is_cut_off_by_close(run: Run) -> None:
    lines: list[str] = []

    async def main() -> None:
        first = asyncio.Event()

        def on_line(line: str) -> None:
            lines.append(line)
            first.set()

        child = await Child.spawn(shell("sleep 600 & echo one >&2; printf two >&2"))
        drain = StderrDrain(on_line)
        await drain.open(child.stderr)
        await child.wait_exited()
        await first.wait()
        while "two" not in drain.tail:
            await asyncio.sleep(0)
        drain.close()
        drain.close()
        await drain.wait_closed()
        await let_go(child)

    run(main())
    assert lines == ["one", "two"]


def test_a_drain_that_was_never_opened_can_be_closed(run: Run) -> None:
    async def main() -> None:
        drain = StderrDrain(print)
        drain.close()
        await drain.wait_closed()

    run(main())
