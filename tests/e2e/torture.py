"""Kills a real `vega serve`, life after life, under clients that come back, and holds it to what it acknowledged.

Outside of what is killed: a fake Messages API that counts the calls of the model by their keys, and a ledger that
counts the effects of the tools by theirs. The clients remember what they were told.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs
import h11
import trio
from wire import Gone, asking, fetch

from vega_trio.llm.prices import price_of
from vega_trio.messages import ToolCall, Usage
from vega_trio.testing import FakeMessagesServer, FakeReply
from vega_trio.testing.crash_check import check
from vega_trio.testing.crashtest import FAILPOINTS
from vega_trio.testing.fake_messages import FakeRequest

DOCUMENT = """
name: torture
agents:
  worker: {{system: You work., tools: [act, look], budget: {{limit: $5000.00}}}}
  judge: {{system: You judge.}}
tools:
  act:
    description: Has an effect that must not be repeated.
    params: {{mark: {{type: string, required: true}}}}
    implementation: {{type: http, method: POST, url: "http://127.0.0.1:{port}/act", body: {{mark: "{{{{mark}}}}"}}}}
  look:
    description: Has no effect.
    params: {{mark: {{type: string, required: true}}}}
    implementation: {{type: http, method: GET, url: "http://127.0.0.1:{port}/look", query: {{mark: "{{{{mark}}}}"}}}}
    idempotent: true
workflows:
  review:
    inputs: {{task: {{type: string, required: true}}}}
    steps:
      - worker: {{send: "Write {{{{task}}}}", save: draft}}
      - parallel:
          - worker: {{send: "Test {{{{draft}}}}", save: tested}}
          - judge: {{send: "Judge {{{{draft}}}}", save: verdict}}
    output: "{{{{tested}}}} {{{{verdict}}}}"
settings:
  default_model: claude-sonnet-4-20250514
  budget: {{limit: $10000.00}}
  http: {{allow: ["127.0.0.1:{port}"]}}
"""
MODEL = "claude-sonnet-4-20250514"
USAGE = Usage(input_tokens=100, output_tokens=20)
LIMIT_MICROUSD = 10_000_000_000  # each kill takes the worst case of what was under way
SLOWEST_S = 90.0
CALM_S = 60.0


def mark_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def answer(request: FakeRequest) -> FakeReply:
    """Calls both tools, where there are any, then says something; always the same to the same message."""
    messages = request.body["messages"]
    asked = [part["text"] for each in messages if each["role"] == "user" for part in each["content"] if "text" in part]
    last = messages[-1]["content"][-1]["type"]
    mark = mark_of(asked[-1])
    if last == "tool_result" or "tools" not in request.body:
        return FakeReply(f"{mark} " + "word " * 10, usage=USAGE, delay_s=0.003)
    calls = (ToolCall(f"a{mark}", "act", {"mark": mark}), ToolCall(f"l{mark}", "look", {"mark": mark}))
    return FakeReply(("Let me see. ", *calls), usage=USAGE, delay_s=0.003)


@attrs.define
class Ledger:
    """The effects of tools, by tool and key."""

    effects: Counter[tuple[str, str]] = attrs.field(factory=Counter)

    async def serve(self, stream: trio.SocketStream) -> None:
        http = h11.Connection(h11.SERVER)
        async with stream:
            try:
                while (event := http.next_event()) is h11.NEED_DATA or isinstance(event, h11.Request):
                    if isinstance(event, h11.Request):
                        await self._note(event, stream, http)
                        return
                    http.receive_data(await stream.receive_some(65536))
            except (trio.BrokenResourceError, h11.RemoteProtocolError):
                return  # it was killed in between: the effect stands

    async def _note(self, request: h11.Request, stream: trio.SocketStream, http: h11.Connection) -> None:
        name = request.target.decode().split("?")[0].strip("/")
        headers = {key.decode(): value.decode() for key, value in request.headers}
        self.effects[name, unquote(headers["idempotency-key"])] += 1
        await trio.sleep(0.01)
        headers = [("content-length", "4"), ("content-type", "text/plain"), ("connection", "close")]
        answer = (h11.Response(status_code=200, headers=headers), h11.Data(b"done"), h11.EndOfMessage())
        await stream.send_all(b"".join(http.send(part) or b"" for part in answer))


@attrs.define
class Talk:
    """One conversation, as its client has been told of it. `asked`: the message under way, and whether it was taken."""

    session: str = ""
    said: list[tuple[str, str]] = attrs.field(factory=list)
    asked: str = ""
    taken: bool = False
    heard: str = ""


@attrs.define(kw_only=True)
class Report:
    seed: int
    kills: int = 0
    by_place: Counter[str] = attrs.field(factory=Counter)
    started: set[str] = attrs.field(factory=set)
    ended: dict[str, str] = attrs.field(factory=dict)
    replies: int = 0
    events: int = 0
    effects: int = 0
    repeated_reads: int = 0
    wrong: list[str] = attrs.field(factory=list)

    @property
    def acknowledged(self) -> int:
        return self.replies + len(self.started) + len(self.ended) + self.events


@attrs.define
class Torture:
    """`url` is where the server of this life answers; `settled` says that nothing of an earlier life is open."""

    directory: Path
    rand: random.Random
    report: Report
    models: FakeMessagesServer
    port: int
    ledger: Ledger
    talks: list[Talk] = attrs.field(factory=lambda: [Talk(), Talk()])
    last_event: int = 0
    url: str = ""
    settled: bool = False
    open_before: list[trio.Event] = attrs.field(factory=list)

    def wrong(self, text: str) -> None:
        self.report.wrong.append(f"kill {self.report.kills}: {text}")

    @property
    def database(self) -> Path:
        return self.directory / "vega.db"

    # -- lives

    async def life(self, *, calm: bool) -> None:
        """Starts the server, lets the clients at it, kills it, and checks the database."""
        place = "random" if calm or self.rand.random() < 0.5 else self.rand.choice(FAILPOINTS)
        env = {**os.environ, "VEGA_HOME": str(self.directory), "ANTHROPIC_BASE_URL": self.models.base_url}
        env |= {"ANTHROPIC_API_KEY": "sk-test", "VEGA_MODEL": ""}
        if place != "random":
            env["VEGA_FAILPOINT"] = f"{place}:{self.rand.randint(1, 15)}:kill"
        command = [sys.executable, "-m", "vega_trio", "serve", "torture.vega.yaml", "--db", str(self.database)]
        self.settled, self.url = False, ""
        self.open_before = [trio.Event() for _ in (*self.talks, self.ledger)]
        process = await trio.lowlevel.open_process(
            [*command, "--addr", "127.0.0.1:0"], stderr=subprocess.PIPE, env=env, cwd=self.directory
        )
        try:
            with trio.move_on_after(SLOWEST_S) as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._work, nursery, process, calm)
                    await process.wait()
                    nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()
        if scope.cancelled_caught:
            self.wrong(f"the server neither went on nor died within {SLOWEST_S:g} s ({place})")
        elif process.returncode != -signal.SIGKILL:
            self.wrong(f"the server ended by itself with exit code {process.returncode} ({place})")
        self.report.kills += 1
        self.report.by_place[place] += 1
        calls = Counter({("model", key): count for key, count in self._model_calls().items()})
        arguments = (self.database, self.report.started, self.report.ended, self.ledger.effects + calls)
        self.report.wrong += await trio.to_thread.run_sync(check, *arguments)
        self.report.wrong += await trio.to_thread.run_sync(self._check_money)

    def _check_money(self) -> list[str]:
        """What the provider may bill is recorded as spent, and what is spent is within the limit."""
        cost = price_of("anthropic", MODEL, USAGE)
        assert cost is not None
        billed = cost * len(self.models.requests)
        with closing(sqlite3.connect(self.database)) as conn:
            found = conn.execute("SELECT json_extract(row, '$.microusd') FROM setting WHERE key = 'spend.total'")
            ((spent,),) = found.fetchall() or ((0,),)
        return [] if billed <= spent <= LIMIT_MICROUSD else [f"billed {billed}, spent {spent} of {LIMIT_MICROUSD}"]

    def _model_calls(self) -> Counter[str]:
        return Counter(unquote(each.headers["idempotency-key"]) for each in self.models.requests)

    async def _work(self, nursery: trio.Nursery, process: trio.Process, calm: bool) -> None:
        assert process.stderr is not None
        text = ""
        async with process.stderr:
            async for chunk in process.stderr:
                text += chunk.decode()
                if "Dashboard: " in text and text.endswith("\n") and not self.url:
                    self.url = text.partition("Dashboard: ")[2].split()[0]
                    nursery.start_soon(self._live, process, calm)
        if "Traceback" in text:
            self.wrong(text)

    async def _live(self, process: trio.Process, calm: bool) -> None:
        async with trio.open_nursery() as clients:
            *of_talks, of_runs = self.open_before
            talking = [partial(self._talk, talk, done) for talk, done in zip(self.talks, of_talks, strict=True)]
            for task in (self._listen, partial(self._run, of_runs), *talking):
                clients.start_soon(self._until_gone, task)
            if calm:
                with trio.move_on_after(CALM_S) as patience:
                    await self._calm()
                if patience.cancelled_caught:
                    self.wrong(f"what was open did not end within {CALM_S:g} s")
                self.settled = True
            await trio.sleep(self.rand.uniform(0.05, 0.5))
            process.send_signal(signal.SIGKILL)

    async def _until_gone(self, task: Any) -> None:
        with suppress(Gone):
            await task()

    async def _calm(self) -> None:
        """Returns when nothing that an earlier life had begun is open."""
        for each in self.open_before:
            await each.wait()
        _, processes = await fetch(self.url, "/api/processes?status=pending")
        if left := [each for each in processes if each["agent"]]:  # a run is pending until it is recorded
            self.wrong(f"nobody has taken up {left}")

    # -- clients

    async def _listen(self) -> None:
        """Event ids rise without a gap, over all lives."""
        headers = {"Last-Event-ID": str(self.last_event)} if self.last_event else {}

        def each(_: str, data: dict[str, Any], id_: str) -> bool:
            number = int(id_)
            if self.last_event and number != self.last_event + 1:
                self.wrong(f"event {number} came after {self.last_event}: {data['type']}")
            self.last_event = number
            self.report.events += 1
            return True

        async with asking(self.url, "/api/events", headers=headers) as answer:
            await answer.frames(each)

    async def _run(self, caught_up: trio.Event) -> None:
        """Runs of the workflow, one after the other; those of earlier lives end first."""
        while True:
            for run_id in sorted(self.report.started - self.report.ended.keys()):
                await self._end_of(run_id)
            caught_up.set()
            task = f"t{self.rand.random()}"
            status, body = await fetch(self.url, "/api/workflows/review/run", {"inputs": {"task": task}})
            if status != 202:
                self.wrong(f"a run was refused: {body}")
                return
            self.report.started.add(body["run_id"])

    async def _end_of(self, run_id: str) -> None:
        async with asking(self.url, f"/api/runs/{run_id}/stream") as answer:
            if answer.status != 200:
                self.wrong(f"run {run_id} was acknowledged and is unknown: {answer.status}")
                self.report.ended[run_id] = "lost"
                return
            await answer.frames(lambda *_: True)
        _, run = await fetch(self.url, f"/api/runs/{run_id}")
        self.report.ended[run_id] = run["status"]
        if run["status"] != "completed":
            self.wrong(f"run {run_id} is {run['status']}: {run.get('error')}")

    async def _talk(self, talk: Talk, caught_up: trio.Event) -> None:
        if not talk.session:
            status, body = await fetch(self.url, "/api/sessions", {"agent": "worker"})
            if status != 201:
                self.wrong(f"a session was refused: {body}")
            talk.session = body["id"]
        while True:
            if talk.asked:
                await self._reconcile(talk)
            caught_up.set()
            talk.asked, talk.taken = f"message {len(talk.said)} {self.rand.random()}", False
            await self._ask(talk)

    async def _ask(self, talk: Talk) -> None:
        """Streams an answer; what came through whole is what the history must say for ever."""
        talk.heard = ""
        over = ""

        def each(_: str, data: dict[str, Any], __: str) -> bool:
            nonlocal over
            match data["type"]:
                case "text_delta":
                    talk.heard += data["delta"]
                case "message_reset":
                    talk.heard = data["text"]
                case "error" | "done":
                    over = over or data["type"]
                    if data["type"] == "error":
                        self.wrong(f"the turn of {talk.asked!r} failed: {data['error']}")
            return data["type"] != "done"

        body = {"message": talk.asked, "session": talk.session}
        async with asking(self.url, "/api/agents/worker/chat/stream?v=2", body) as answer:
            if answer.status != 200:
                self.wrong(f"a message was refused: {answer.status} {await answer.body()!r}")
                raise Gone
            talk.taken = True
            await answer.frames(each)
        if over == "done":
            self._acknowledged(talk, talk.heard)

    def _acknowledged(self, talk: Talk, reply: str) -> None:
        talk.said.append((talk.asked, reply))
        talk.asked = ""
        self.report.replies += 1

    async def _reconcile(self, talk: Talk) -> None:
        """After a kill: waits for the turn that was under way, and compares the history with what was told."""
        path = f"/api/agents/worker/chat{{}}?session={talk.session}"
        while (await fetch(self.url, path.format("/status")))[1]["streaming"]:
            async with asking(self.url, path.format("/stream")) as answer:
                await answer.body()  # to its end
        _, history = await fetch(self.url, path.format(""))
        said = [each["content"] for each in history]
        pairs = list(zip(said[::2], said[1::2], strict=False))
        if len(said) % 2:
            self.wrong(f"a message has no answer: {history[-1]}")
        if pairs[: len(talk.said)] != talk.said:
            self.wrong(f"session {talk.session} says {pairs}, and its client was told {talk.said}")
        new = pairs[len(talk.said) :]
        if talk.taken and [asked for asked, _ in new] != [talk.asked]:
            self.wrong(f"message {talk.asked!r} was taken, and {new} is there")
        elif len(new) > 1 or any(asked != talk.asked for asked, _ in new):
            self.wrong(f"{new} is there, asked was {talk.asked!r}")
        if new:
            self._acknowledged(talk, new[0][1])
        talk.asked = ""


async def torture(directory: Path, kills: int, seed: int) -> Report:
    """Kills the server `kills` times. Stops at the first life that finds something wrong."""
    report, rand, ledger = Report(seed=seed), random.Random(seed), Ledger()
    async with trio.open_nursery() as nursery, FakeMessagesServer(answer) as models:
        listeners = await nursery.start(partial(trio.serve_tcp, ledger.serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        (directory / "torture.vega.yaml").write_text(DOCUMENT.format(port=port))
        test = Torture(directory, rand, report, models, port, ledger)
        calm = False
        while report.kills < kills and not report.wrong:
            # What is open at three starts within a minute is given up as poison, so every other life is calm.
            await test.life(calm=calm)
            calm = not test.settled
        nursery.cancel_scope.cancel()
    report.effects = len(ledger.effects)
    report.repeated_reads = sum(count - 1 for count in ledger.effects.values())
    return report
