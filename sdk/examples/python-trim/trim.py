"""A link of a hook in Python: it takes blanks off the ends of lines whenever a document is about to be saved.

The value of `document.willSave` is an object with `text`; what else it holds is left as it is. `node-newline` is
another link of the same hook, in another language. Neither knows the other's code; only its name, for the order.
"""

import re
from typing import Any

from plugwire import Plugin

BLANKS_AT_THE_END = re.compile(r"[ \t]+(?=\r?$)", re.MULTILINE)

plugin = Plugin("trim", version="1.0.0")


# A text without its final newline may end in blanks: they have to go before the newline comes.
@plugin.hook("document.willSave", before=["newline"], timeout=2.0)
async def trim(document: dict[str, Any]) -> dict[str, Any] | None:
    text = document.get("text")
    if not isinstance(text, str):
        return None  # no document of ours: the value stays as it is
    return {**document, "text": BLANKS_AT_THE_END.sub("", text)}


if __name__ == "__main__":
    plugin.run()
