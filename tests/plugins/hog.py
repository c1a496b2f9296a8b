"""Joins a channel as a consumer of everything, and never reads its input again, until it has slept its time."""

import time

import raw


def hog(request):
    credit = {"items": 2**31 - 1, "bytes": 2**31 - 1}
    raw.send(id=900, method="channel/join", params={**request["params"], "role": "consumer", "credit": credit})
    raw.answer(request, None)
    raw.log("reads no more")
    time.sleep(3600)


raw.begin(raw.result("hog", ["hog"]))
raw.serve(hog=hog)
