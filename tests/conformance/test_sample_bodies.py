"""The YAML files of sample bodies: what stands in them becomes just these bytes, and no slip is overlooked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from plugwire_conformance.cases import data
from plugwire_conformance.cases.data import Sample, samples

Written = Callable[[str], Callable[[str], tuple[Sample, ...]]]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Writes a file of samples; the result reads a section of it."""
    monkeypatch.setattr(data, "files", lambda package: Path(package))
    data.samples.cache_clear()
    data._document.cache_clear()

    def write(text: str) -> Callable[[str], tuple[Sample, ...]]:
        (tmp_path / "bodies.yaml").write_text(text, encoding="utf-8")
        return lambda section: samples("bodies.yaml", section, str(tmp_path))

    return write


def test_a_text_is_the_body_in_utf_8(written: Written) -> None:
    assert written("good: {samples: {one: 'é'}}")("good") == (Sample("one", b"\xc3\xa9"),)


def test_a_list_is_put_together_from_texts_bytes_and_repetitions(written: Written) -> None:
    read = written("""good: {samples: {one: ['a', 0xFF, {repeat: ['b', 0], times: 2}]}}""")
    assert read("good")[0].body == b"a\xffb\0b\0"


def test_a_sample_takes_the_place_in_the_text_around_it(written: Written) -> None:
    assert written("""good: {around: '{"a":@}', samples: {one: '1', two: ''}}""")("good") == (
        Sample("one", b'{"a":1}'),
        Sample("two", b'{"a":}'),
    )


@pytest.mark.parametrize(
    "text",
    [
        "good: {samples: {}}",
        "good: {samples: {one: 'a'}, arround: '@'}",
        "good: {around: 'no place', samples: {one: 'a'}}",
        "good: {samples: {one: null}}",
        "good: {samples: {one: 1.5}}",
        "good: {samples: {one: true}}",
        "good: {samples: {one: [256]}}",
        "good: {samples: {one: 'a', one: 'b'}}",
    ],
)
def test_a_slip_in_a_file_is_not_overlooked(written: Written, text: str) -> None:
    with pytest.raises(ValueError, match=r"as it must be|no place|no part|two entries|range"):
        written(text)("good")
