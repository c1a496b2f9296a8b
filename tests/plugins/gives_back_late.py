"""Takes note of a cancel only after it has told the host something, as one that gives back what it holds."""

import raw


def ask(request):
    raw.log("begun")
    while raw.read().get("method") != "$/cancelRequest":
        pass
    raw.send(id=1, method="state/put", params={"key": "given-back", "value": True})
    raw.log(f"answered {raw.read().get('result')}")
    raw.refuse(request, -32800, "stopped")


raw.begin()
raw.serve(ask=ask)
