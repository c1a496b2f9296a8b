"""Ways of changing the real host that several vices share."""

import functools
from collections.abc import Callable
from typing import Any


def before(owner: Any, name: str, first: Callable[..., Any]) -> None:
    """Calls `first` with the arguments of a function before the function itself."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def both(*args: Any, **more: Any) -> Any:
        first(*args, **more)
        return original(*args, **more)

    setattr(owner, name, both)


def after(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Changes the result of a function."""
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **more: change(original(*args, **more)))


def by_lines_only() -> None:
    """Has headers read line by line, also those in the one shape for which there is a shorter way."""
    from plugwire.wire.header_framing import HeaderReader

    def slow(self: Any) -> Any:
        return None if self._buffer.position == len(self._buffer.data) else self._next_frame_by_lines()

    HeaderReader.next_frame = slow


def frames(framing: str, write: Callable[[bytes, Any], bytes]) -> None:
    """Has the bodies of one framing written in another way."""
    from plugwire.wire import peer

    good = peer.frame
    peer.frame = lambda body, chosen: write(body, chosen) if chosen.value == framing else good(body, chosen)


def decoding(change: Callable[[Callable[[bytes, int], Any], bytes, int], Any]) -> None:
    """Has bodies read in another way: `change` is given the good way, the body and the deepest level."""
    from plugwire.wire import codec

    codec.decode_envelope = functools.partial(change, codec.decode_envelope)
