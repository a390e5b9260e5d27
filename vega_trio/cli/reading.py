"""Lines that are typed or piped in."""

from __future__ import annotations

import codecs
import os

import trio


async def read_lines(send: trio.MemorySendChannel[str]) -> None:
    """Sends the lines of stdin, without their ends, and closes the channel behind the last one.

    A thread reads the descriptor itself: one that is abandoned in `sys.stdin` would hold its lock at exit.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    async with send:
        while data := await trio.to_thread.run_sync(os.read, 0, 65536, abandon_on_cancel=True):
            *lines, rest = (rest + decoder.decode(data)).split("\n")
            for line in lines:
                await send.send(line.removesuffix("\r"))
        rest += decoder.decode(b"", final=True)
        if rest:
            await send.send(rest)
