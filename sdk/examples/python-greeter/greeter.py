"""A plugin in Python: what a handler can take, say and refuse."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Literal

from plugwire import Context, Plugin, RequestCancelled, RequestError

NOBODY_HERE = 1  # a plugin's own codes are positive


@dataclass
class Config:
    tone: Literal["warm", "cool"] = "warm"
    banned: list[str] = field(default_factory=list)


@dataclass
class Person:
    name: str
    title: str | None = None


plugin = Plugin("greeter", version="1.2.0", config=Config)


@plugin.method(idempotent=True)
async def hello(name: str, ctx: Context, title: str | None = None, language: Literal["en", "de"] = "en") -> str:
    """Greets one person."""
    if name in ctx.config.banned:
        raise RequestError(f"{name} is not greeted here", code=NOBODY_HERE, data={"name": name})
    ctx.log.info("greeting", name=name, caller=ctx.caller)
    word = {"en": "Hello", "de": "Hallo"}[language]
    end = "!" if ctx.config.tone == "warm" else "."
    return f"{word}, {' '.join(filter(None, [title, name]))}{end}"


@plugin.method
async def hello_all(people: list[Person], ctx: Context, pause: float = 0.0) -> list[str]:
    """Greets one after the other and tells how far it is. A cancel ends it between two of them."""
    greetings = []
    for done, person in enumerate(people):
        ctx.progress(done, len(people), person.name)
        greetings.append(await hello(person.name, ctx, person.title))
        await asyncio.sleep(pause)
    return greetings


@plugin.method
def badge(person: Person, ctx: Context, rounds: int = 100_000) -> str:
    """Makes a number for a badge. A plain function runs in a thread, so it may take its time."""
    digest = person.name.encode()
    for _ in range(rounds):
        if ctx.cancelled:
            raise RequestCancelled("no badge is needed any more")
        digest = hashlib.sha256(digest).digest()
    return digest.hex()[:8]


if __name__ == "__main__":
    plugin.run()
