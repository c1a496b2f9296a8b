"""Hosts whose messages are not of the shape that they must have; only the oracles look at that (chapter 02)."""

import json
from collections.abc import Callable
from typing import Any

from tests.conformance.mutants.host_vices import patches
from tests.conformance.mutants.vices import vice

#: Cases in which the messages that are spoilt are sent, and do no other harm.
ASKS = ("locks/only-the-holder",)


def sending(change: Callable[[dict[str, Any]], list[Any]]) -> None:
    """Has each message sent as what `change` makes of it: one message or several."""
    from plugwire.wire import peer

    good = peer.frame

    def write(body: bytes, framing: Any) -> bytes:
        return b"".join(good(json.dumps(one).encode(), framing) for one in change(json.loads(body)))

    patches.frames("header", write)


@vice("host", "sends-an-empty-batch", kills=("everywhere/one-object",), because="MSG-10", asks=ASKS)
def sends_an_empty_batch() -> None:
    sending(lambda message: [message, []] if message.get("method") == "initialized" else [message])


@vice("host", "leaves-jsonrpc-out", kills=("everywhere/jsonrpc-member",), because="MSG-01", asks=ASKS)
def leaves_jsonrpc_out() -> None:
    sending(
        lambda message: [{"method": "initialized"} if message.get("method") == "initialized" else message],
    )


@vice("host", "sends-a-nameless-notification", kills=("everywhere/method-member",), because="MSG-02", asks=ASKS)
def sends_a_nameless_notification() -> None:
    nameless = {"jsonrpc": "2.0", "method": ""}
    sending(lambda message: [message, nameless] if message.get("method") == "initialized" else [message])


@vice(
    "host",
    "sends-null-for-absent-params",
    kills=("everywhere/params-member", "everywhere/params-fit"),
    because=("MSG-03", "LIF-03"),
    asks=ASKS,
)
def sends_null_for_absent_params() -> None:
    sending(lambda message: [message | {"params": None} if message.get("method") == "initialized" else message])


@vice(
    "host",
    "sends-result-beside-errors",
    kills=("everywhere/result-or-error", "everywhere/results-fit"),
    because="MSG-05",
    asks=ASKS,
)
def sends_result_beside_errors() -> None:
    sending(lambda message: [message | {"result": None} if "error" in message else message])


@vice("host", "sends-errors-without-message", kills=("everywhere/error-members",), because="MSG-06", asks=ASKS)
def sends_errors_without_message() -> None:
    def spoil(message: dict[str, Any]) -> list[Any]:
        error = message.get("error", {})
        return [message | {"error": {"code": error["code"]}} if error else message]

    sending(spoil)


@vice("host", "answers-in-strings", kills=("everywhere/ids-of-answers",), because=("MSG-13", "MSG-12"), asks=ASKS)
def answers_in_strings() -> None:
    """Each answer comes a second time, under its id as a string."""
    sending(lambda message: [message] if "method" in message else [message, message | {"id": str(message["id"])}])
