"""Hosts that change errors, or do not look at sizes (chapter 05)."""

import json
from typing import Any

from tests.conformance.mutants.vices import vice


@vice("host", "does-not-say-which-param", kills=("errors/problems",), because="ERR-05")
def does_not_say_which_param() -> None:
    from plugwire.wire import InvalidParams
    from plugwire_host.services import params

    params.invalid = lambda path, message: InvalidParams(f"{path}: {message}")


@vice("host", "writes-error-data-anew", kills=("errors/forwarded",), because="ERR-07")
def writes_error_data_anew() -> None:
    from plugwire.wire import ErrorObject, Raw
    from plugwire.wire.codec import UNSET
    from plugwire_host.routing.router import Router

    answered = Router.answered

    def read_and_written(self: Any, call: Any, outcome: Any) -> None:
        if isinstance(outcome, ErrorObject) and outcome.data is not UNSET:
            outcome.data = Raw(json.dumps(json.loads(bytes(outcome.data))).encode())
        answered(self, call, outcome)

    Router.answered = read_and_written


@vice("host", "sends-frames-of-any-size", kills=("errors/too-large",), because="ERR-06")
def sends_frames_of_any_size() -> None:
    from plugwire.wire.framing import frame
    from plugwire.wire.peer import Peer

    Peer._frame = lambda self, body: frame(body, self.framing)


@vice("host", "refuses-frames-that-fit", kills=("errors/just-fits",), because="ERR-06")
def refuses_frames_that_fit() -> None:
    from plugwire.wire import FrameTooLarge
    from plugwire.wire.peer import Peer

    make = Peer._frame

    def with_some_room(self: Any, body: bytes) -> Any:
        if len(body) > self.limits.frame_bytes - 256:
            raise FrameTooLarge(len(body), self.limits.frame_bytes)
        return make(self, body)

    Peer._frame = with_some_room
