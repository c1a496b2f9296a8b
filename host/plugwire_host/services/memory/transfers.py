"""The way of a memory's bytes to and from those who map no files: chunks over channels. Spec 09, Without files.

Owns: the chunks. Does not own: credit, and what happens to a channel whose other end goes (channels/ends.py).
"""

from __future__ import annotations

import asyncio
import binascii

from plugwire.wire import InvalidParams, QuotaExceeded, Raw
from plugwire.wire.codec import encode_value

from ..channels.service import ChannelService
from ..params import Params
from .files import MemoryFiles
from .ledger import Memory

CHUNK = 256 * 1024
"""Bytes of the largest chunk."""
CHUNK_TEXT = 349528
"""Characters of such a chunk in base64."""
MOST_TRANSFERS = 16
"""Channels that one participant has at a time, so that there is some left for others (MEM-05)."""
_AROUND = 64
"""Characters around the base64 of a chunk."""


class Upload:
    """Chunks from the creator of a memory into its file."""

    def __init__(self, channels: ChannelService, files: MemoryFiles, memory: Memory) -> None:
        self.memory = memory
        self._files = files
        self._over = False
        self._taken = 0
        self._news = asyncio.Event()
        self._end = channels.open_for_host(self._closed)
        self._end.start_receiving(self._take, items=1)  # so that others have their turn between two chunks
        self.channel = self._end.handle

    def _take(self, item: Raw) -> None:
        if self._over:
            return
        try:
            offset, content = self._read(item)
            self._files.write(self.memory.path, offset, content)
        except (InvalidParams, OSError) as error:
            self.memory.spoiled = f"a chunk of it was refused: {error}"
            self.abandon(self.memory.spoiled)  # MEM-22
        self._taken += 1
        self._news.set()

    def _read(self, item: Raw) -> tuple[int, bytes]:
        params = Params(item, "$.chunk")
        offset = params.integer("offset", 0, self.memory.size)
        text = params.text("data", most=CHUNK_TEXT)
        try:
            content = binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:
            raise params.wrong("data", f"expected base64: {error}") from None
        if len(content) > CHUNK:
            raise params.wrong("data", f"expected at most {CHUNK} bytes, and these are {len(content)}")
        if offset + len(content) > self.memory.size:
            raise params.wrong("data", f"{len(content)} bytes at {offset} go past the end, which is {self.memory.size}")
        return offset, content

    def _closed(self, error: str | None) -> None:
        if error is not None:
            self.memory.spoiled = f"its channel was closed: {error}"
        self._over = True
        self._news.set()

    async def wait_written(self) -> None:
        """Until every chunk that has been sent by now is in the file, or none is to come any more (MEM-21)."""
        await asyncio.sleep(0)  # what the channel has said by now is heard a turn later
        sent = self._end.count_sent()
        while self._taken < sent and not self._over:
            self._news.clear()
            await self._news.wait()

    def abandon(self, why: str) -> None:
        self._over = True
        self._news.set()
        self._end.abandon(why)


class Download:
    """Chunks of what is committed, to one reader."""

    def __init__(self, channels: ChannelService, files: MemoryFiles, memory: Memory) -> None:
        self.memory = memory
        self._files = files
        self._path = memory.path
        self._length = memory.length
        self._read = 0
        self._next: Raw | None = None
        self._end = channels.open_for_host(lambda _: None)
        self._end.start_sending(self.go_on)
        self._chunk = min(CHUNK, (self._end.max_item_bytes - _AROUND) // 4 * 3)
        self.channel = self._end.handle

    @property
    def is_over(self) -> bool:
        """Whether the reader has got everything, or nothing more will come."""
        return self._end.is_drained

    @property
    def is_sent(self) -> bool:
        """Whether all of it is on its way, so that another commit does not matter any more."""
        return self._read == self._length and self._next is None

    def go_on(self) -> None:
        """Send as much as there is credit for; after the last byte comes the end (MEM-23)."""
        try:
            while (chunk := self._next or self._read_next()) is not None:
                self._next = chunk
                if not self._end.send_nowait(chunk):
                    return
                self._next = None
        except OSError as error:
            self.abandon(f"the bytes of {self.memory.handle} cannot be read: {error}")
            return
        self._end.close()

    def _read_next(self) -> Raw | None:
        if self._read == self._length:
            return None
        content = self._files.read(self._path, self._read, min(self._chunk, self._length - self._read))
        chunk = {"offset": self._read, "data": binascii.b2a_base64(content, newline=False).decode()}
        self._read += len(content)
        return encode_value(chunk)

    def abandon(self, why: str) -> None:
        self._end.abandon(why)


class MemoryTransfers:
    """What is under way: uploads by handle, downloads by reader."""

    def __init__(self, channels: ChannelService, files: MemoryFiles) -> None:
        self._channels = channels
        self._files = files
        self._uploads: dict[str, Upload] = {}
        self._downloads: dict[object, list[Download]] = {}

    def receive(self, memory: Memory) -> str:
        """The channel that takes a new memory's chunks. Raises QuotaExceeded."""
        self._check_quota(memory.creator)
        upload = self._uploads[memory.handle] = Upload(self._channels, self._files, memory)
        return upload.channel

    def send(self, memory: Memory, reader: object) -> str:
        """The channel on which the committed bytes come. Raises QuotaExceeded."""
        self._check_quota(reader)
        download = Download(self._channels, self._files, memory)
        self._downloads.setdefault(reader, []).append(download)
        asyncio.get_running_loop().call_soon(download.go_on)  # after the answer, which names the channel
        return download.channel

    def _under_way(self, reader: object) -> list[Download]:
        """The downloads that its reader has still to take."""
        left = [download for download in self._downloads.pop(reader, ()) if not download.is_over]
        if left:
            self._downloads[reader] = left
        return left

    def _check_quota(self, participant: object) -> None:
        own = [upload for upload in self._uploads.values() if upload.memory.creator is participant]
        if len(own) + len(self._under_way(participant)) >= MOST_TRANSFERS:
            raise QuotaExceeded(
                f"a participant that maps no files may have {MOST_TRANSFERS} channels of memories at a time: release"
                " memories that are no longer needed, and receive what comes"
            )

    def upload_of(self, handle: str) -> Upload | None:
        """What the creator of a memory sends, if it maps no files."""
        return self._uploads.get(handle)

    def committed(self, memory: Memory) -> None:
        """Who is still getting the commit before gets no more of it (MEM-24)."""
        for under_way in self._downloads.values():
            for download in under_way:
                if download.memory is memory and not download.is_sent:
                    download.abandon(f"{memory.handle} was committed again: attach once more")

    def end(self, memory: Memory, holder: object, why: str) -> None:
        """A lease is over."""
        if holder is memory.creator and memory.handle in self._uploads:
            self._uploads.pop(memory.handle).abandon(why)
        for download in self._under_way(holder):
            if download.memory is memory:
                download.abandon(f"the lease on {memory.handle} is over: {why}")
        self._under_way(holder)
