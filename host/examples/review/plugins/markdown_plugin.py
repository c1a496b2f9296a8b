"""markdown: what stands in a Markdown document, and what is wrong with it. For the editor, and for other plugins.

It is the only one that parses Markdown. ``links`` and the application ask it instead of parsing again.
"""

from __future__ import annotations

from typing import TypedDict

import markdown_rules
from contract import CheckResult, Latest
from markdown_structure import Anchor, Block, Heading, Link, Reference, parse
from plugwire import Context, Plugin

plugin = Plugin("markdown", version="1.0.0")
structures = Latest(plugin, parse)


class HeadingsResult(TypedDict):
    headings: list[Heading]
    anchors: list[Anchor]


class LinksResult(TypedDict):
    links: list[Link]
    undefined: list[Reference]


class CodeResult(TypedDict):
    blocks: list[Block]


# All of them only read, so a host may ask again after a crash: `idempotent` (CAL-37).


@plugin.method(idempotent=True)
async def headings(path: str, ctx: Context) -> HeadingsResult:
    """Where links into a document can lead: its headings with GitHub's slugs, and the anchors written as HTML."""
    structure = await structures.of(path, ctx)
    return {"headings": structure.headings, "anchors": structure.anchors}


@plugin.method(idempotent=True)
async def links(path: str, ctx: Context) -> LinksResult:
    """The links, images and link definitions of a document, and references without a definition."""
    structure = await structures.of(path, ctx)
    return {"links": structure.links, "undefined": structure.undefined}


@plugin.method(idempotent=True)
async def code(path: str, ctx: Context) -> CodeResult:
    """The code blocks of a document."""
    structure = await structures.of(path, ctx)
    return {"blocks": structure.code}


@plugin.method(idempotent=True)
async def check(path: str, ctx: Context) -> CheckResult:
    """What a reader of the document will not see as it was meant."""
    structure = await structures.of(path, ctx)
    return {"diagnostics": markdown_rules.check(structure)}


plugin.run()
