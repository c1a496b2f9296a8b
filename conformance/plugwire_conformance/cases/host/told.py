"""What a host tells, read with care: answers that have to be objects, lines for people, handles. Owns no case."""

import math
import time

from ...case import Broken, TimedOut
from ...connection import show
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun
from ...wire.messages import Json, encode_json

#: Looks at what the host has reported this often, in seconds, while it waits for more.
_GLANCE = 0.02


class Told(dict[str, Json]):
    """An object that the host sent; Broken where a member is asked for that it does not have."""

    def __missing__(self, name: str) -> Json:
        raise Broken(
            f"a member {name} is missing", expected=f"an object with {name}", got=encode_json(self).decode()[:400]
        )


def told_of(value: Json) -> Told:
    """The object that the host sent; Broken when it is none."""
    if not isinstance(value, dict):
        raise Broken(
            "the host sent something else than an object", expected="an object", got=encode_json(value).decode()[:400]
        )
    return Told(value)


def ask_told(talk: ProbeTalk, method: str, params: Json, rule: str = "") -> Told:
    """The result of a request that is answered with an object."""
    return told_of(talk.expect_result(talk.request(method, params), rule=rule))


def expect_null(talk: ProbeTalk, id: Json, rule: str) -> None:
    """Broken unless the request is answered with the result null."""
    answer = talk.expect_answer(id, rule=rule)
    if not answer.has("result") or answer.result is not None:
        raise Broken(
            f"{talk.name} got another answer than null", expected='"result":null', got=show(answer), requirement=rule
        )


class People:
    """What a host has told people of a plugin until now; `expect_more` waits for another line that names it."""

    def __init__(self, run: HostRun, *words: str) -> None:
        self._run, self._words = run, words
        self._patience = next(iter(run.probes.values())).patience
        self._before = self._count()

    def expect_more(self, rule: str) -> None:
        deadline = time.monotonic() + self._patience
        while self._count() <= self._before:
            if time.monotonic() > deadline:
                what = " and ".join(self._words)
                got = f"nothing new; the last lines: {' / '.join(self._run.reports()[-3:])}"
                raise TimedOut(
                    "the host told people nothing", expected=f"a line with {what}", got=got, requirement=rule
                )
            time.sleep(_GLANCE)

    def _count(self) -> int:
        return sum(all(word in line for word in self._words) for line in self._run.reports())


def varying_bits(handles: list[str]) -> float:
    """The most that can be random in texts like these: what each place can hold of what was seen there."""
    return sum(math.log2(len(set(place))) for place in zip(*handles, strict=False))
