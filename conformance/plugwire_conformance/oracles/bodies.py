"""What holds for every byte that a subject writes (chapter 01, and MSG-21 to MSG-23)."""

from collections.abc import Callable, Iterator

from ..case import Broken
from ..connection import Connection
from ..report import Role
from . import Oracle
from .garbage import garbage


def _canonical(connection: Connection) -> Iterator[Broken]:
    for from_subject, message in connection.history:
        if from_subject and not message.frame.canonical:
            yield Broken(
                "a frame is not framed as it must be written",
                expected="Content-Length: N, CR LF CR LF, and no other header; in line framing one LF",
                got=repr(message.frame.header or message.frame.body[-1:]),
                requirement="FRM-24" if message.frame.header == b"\n" else "FRM-01",
            )


def _explained_by(expected: str, *rules: str) -> Callable[[Connection], Iterator[Broken]]:
    def judge(connection: Connection) -> Iterator[Broken]:
        yield from (found.broken(expected) for found in garbage(connection) if found.rule in rules)

    return judge


BODIES = [
    Oracle(
        "everywhere/canonical-frames",
        ("FRM-01", "FRM-24"),
        "Every frame is written in the one way that every reader takes",
        why="Readers in use differ in what else they accept; this form is the one that all of them take.",
        mend="Write Content-Length: N, CR LF CR LF and the body, and no other header; or a line and LF.",
        judge=_canonical,
    ),
    Oracle(
        "everywhere/lengths-in-bytes",
        ("FRM-02",),
        "Every length counts the bytes of the body",
        why="With a length in characters, the first text that is not ASCII cuts a message and breaks all that follow.",
        mend="Encode the body as UTF-8 first, and write the length of those bytes.",
        judge=_explained_by("as many bytes as Content-Length says", "FRM-02"),
    ),
    Oracle(
        "everywhere/whole-frames",
        ("FRM-03",),
        "Every frame is written in one piece",
        why="When two threads write at the same time, both messages are lost and the connection with them.",
        mend="Hold one lock while a frame is written, header and body together.",
        judge=_explained_by("one whole frame after the other", "FRM-03"),
    ),
    Oracle(
        "everywhere/only-frames",
        ("FRM-04",),
        "Nothing but frames is written to standard output",
        why="A stray print is the commonest way to lose a connection; many hosts give up at the first such byte.",
        mend="Keep a private copy of standard output for the protocol and point the usual one at standard error.",
        judge=_explained_by("frames and nothing else", "FRM-04"),
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/valid-json",
        ("MSG-22", "MSG-21", "MSG-23"),
        "Every body is JSON in UTF-8",
        why="A body that only some parsers read is lost on the others, with whatever waits for it.",
        mend="Use a strict JSON writer: UTF-8, no byte order mark, no NaN or Infinity, no half surrogate pairs.",
        judge=_explained_by("JSON as RFC 8259 defines it, in UTF-8", "MSG-21", "MSG-22", "MSG-23"),
    ),
]
