"""The pump moves bytes both ways without anybody waiting for anybody, and lets go of what it was given."""

import os
import threading
from collections.abc import Iterator

import pytest

from plugwire_conformance.process.pump import Pump, Sink, Source

WAIT = 10


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump()
    yield pump
    pump.close()


def test_what_is_written_is_taken_and_its_end_is_told_once(pump: Pump) -> None:
    reading, writing = os.pipe()
    taken, ends, ended = bytearray(), [0], threading.Event()

    def end() -> None:
        ends[0] += 1
        ended.set()

    source = Source(pump, reading, taken.extend, end)
    sink = Sink(pump, writing)
    sink.send(b"x" * 1_000_000)
    sink.finish()
    assert ended.wait(WAIT)
    source.close()
    assert (len(taken), ends) == (1_000_000, [1])


def test_more_than_a_pipe_holds_waits_in_the_sink_and_nobody_waits_for_it(pump: Pump) -> None:
    reading, writing = os.pipe()
    sink = Sink(pump, writing)
    sink.send(b"x" * 1_000_000)
    assert not sink.wait_until_taken(0.05)
    left = 1_000_000
    while left:
        left -= len(os.read(reading, left))
    assert sink.wait_until_taken(WAIT)
    assert sink.wait_until_read(WAIT)
    sink.close()
    os.close(reading)


def test_the_wait_for_a_reader_that_does_not_read_ends(pump: Pump) -> None:
    reading, writing = os.pipe()
    sink = Sink(pump, writing)
    sink.send(b"x")
    assert sink.wait_until_taken(WAIT)
    assert not sink.wait_until_read(0.05)
    sink.close()
    os.close(reading)


def test_a_reader_that_has_gone_is_told(pump: Pump) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    sink = Sink(pump, writing)
    sink.send(b"x")
    assert not sink.wait_until_taken(WAIT)
    assert sink.broken


def test_a_paused_source_takes_nothing_until_it_is_resumed(pump: Pump) -> None:
    reading, writing = os.pipe()
    came, taken = threading.Event(), bytearray()

    def take(data: bytes) -> None:
        taken.extend(data)
        came.set()

    source = Source(pump, reading, take, lambda: None)
    source.pause()
    os.write(writing, b"x")
    pump.do_and_wait(lambda: None)
    assert taken == b""
    source.resume()
    assert came.wait(WAIT)
    assert taken == b"x"
    source.close()
    os.close(writing)


def test_a_pump_that_has_ended_closes_what_it_is_told_to_and_writes_nowhere() -> None:
    pump = Pump()
    reading, writing = os.pipe()
    sink = Sink(pump, writing)
    pump.close()
    # These get the numbers that the pump had for itself.
    pipes = [os.pipe() for _ in range(4)]
    sink.close()
    pump.do(lambda: None)
    for one, other in pipes:
        os.set_blocking(one, False)
        with pytest.raises(BlockingIOError):
            os.read(one, 1)
        os.close(one)
        os.close(other)
    assert os.read(reading, 1) == b""
    os.close(reading)
