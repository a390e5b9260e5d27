"""Writes to a store in a child process that is killed at random, time after time, and checks what is left.

    kill_script.py DATABASE KILLS SEED

Prints a JSON object: kills, acknowledged changes, and what was wrong, if anything. One interpreter forks all the
children, since starting ten of them would take longer than the kills.
"""

import json
import os
import random
import signal
import sqlite3
import sys
from contextlib import closing

import trio

from vega_trio.changes import AppendEvent, AppendMessage, MessageRow, Put, Together
from vega_trio.events import ProcessStarted
from vega_trio.messages import Message
from vega_trio.store.sqlite import open_sqlite

WRITERS = 8


async def write(path: str, generation: int, acknowledge: int) -> None:
    async with open_sqlite(path) as store, trio.open_nursery() as nursery:

        async def one(writer: int) -> None:
            name, seq = f"{generation}-{writer}", 0
            while True:
                row = MessageRow(process_id=name, seq=seq, turn_id="t", message=Message("user", "x" * 500), at=1.0)
                facts = (
                    Put("setting", f"{name}-{seq}", {"seq": seq}),
                    AppendEvent(ProcessStarted(process_id=name, at=1.0)),
                    AppendMessage(row),
                )
                await store.submit(Together(facts)).wait()
                os.write(acknowledge, f"{name}-{seq}\n".encode())
                seq += 1

        for writer in range(WRITERS):
            nursery.start_soon(one, writer)


def kill_after(path: str, generation: int, count: int) -> list[str]:
    """Lets a child write until it has acknowledged `count` changes and kills it; gives all it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        trio.run(write, path, generation, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as acknowledged:
        head = [acknowledged.readline() for _ in range(count)]
        os.kill(child, signal.SIGKILL)
        rest = acknowledged.read()
    os.waitpid(child, 0)
    return (b"".join(head) + rest).decode().splitlines()


def wrong(path: str, acknowledged: set[str]) -> list[str]:
    """What the promise says and the file does not hold."""
    with closing(sqlite3.connect(path)) as conn:
        keys = {key for (key,) in conn.execute("SELECT key FROM setting")}
        messages = {f"{name}-{seq}" for name, seq in conn.execute("SELECT process_id, seq FROM message")}
        ids = [id_ for (id_,) in conn.execute("SELECT id FROM event ORDER BY id")]
        integrity = conn.execute("PRAGMA integrity_check").fetchone()
    found = []
    if integrity != ("ok",):
        found.append(f"integrity: {integrity}")
    if lost := acknowledged - keys:
        found.append(f"{len(lost)} acknowledged changes are lost")
    if keys != messages or len(ids) != len(keys):
        found.append(f"torn: {len(keys)} rows, {len(messages)} messages, {len(ids)} events")
    if ids != list(range(1, len(ids) + 1)):
        found.append("event ids have a gap")
    return found


def main() -> None:
    path, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rand = random.Random(seed)
    acknowledged: set[str] = set()
    findings: list[str] = []
    for generation in range(kills):
        acknowledged.update(kill_after(path, generation, rand.randint(1, 200)))
        findings += wrong(path, acknowledged)
    print(json.dumps({"kills": kills, "acknowledged": len(acknowledged), "wrong": findings}))


if __name__ == "__main__":
    main()
