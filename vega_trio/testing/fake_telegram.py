"""A Bot API server on loopback: users write and press buttons, the bot's messages are kept, and it can fail.

`async with FakeTelegram().open() as server:` serves at `server.base_url`, for `TELEGRAM_BASE_URL`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs
import h11
import trio

from vega_trio.testing.fake_messages import Gone, Wire

TOKEN: Final = "123456:fake-token-of-a-test"  # noqa: S105  # of no bot
BOT: Final = {"id": 123456, "is_bot": True, "first_name": "Fake", "username": "fake_bot"}


@attrs.frozen
class Fault:
    """How a request goes wrong: refused with `status`, or taken and never answered (`cut`)."""

    status: int = 500
    description: str = "Internal Server Error"
    retry_after: int | None = None
    cut: bool = False


@attrs.define
class Sent:
    """A message of the bot. `texts` are what it said, one after the other; `buttons` what a press of each sends."""

    id: int
    chat: int
    texts: list[str]
    at: list[float]
    buttons: dict[str, str] = attrs.field(factory=dict)

    @property
    def text(self) -> str:
        return self.texts[-1]


class Refused(Exception):
    """What the server answers with a status of its own."""


@attrs.define(eq=False)
class FakeTelegram:
    """`calls` are the requests but for those for updates; `polls` counts these. `messages`: as they stand now."""

    token: str = TOKEN
    port: int = attrs.field(default=0, kw_only=True)
    messages: dict[int, Sent] = attrs.field(factory=dict, init=False)
    calls: list[tuple[str, dict[str, str]]] = attrs.field(factory=list, init=False, repr=False)
    polls: list[int | None] = attrs.field(factory=list, init=False, repr=False)
    faults: dict[str, deque[Fault]] = attrs.field(factory=dict, init=False, repr=False)
    answers: dict[str, deque[Any]] = attrs.field(factory=dict, init=False, repr=False)
    """What the next requests of a method are answered with instead of what is so."""
    _updates: list[dict[str, Any]] = attrs.field(factory=list, init=False, repr=False)
    _next_update: int = attrs.field(default=1000, init=False)
    _next_message: int = attrs.field(default=1, init=False)
    _news: trio.Event = attrs.field(factory=trio.Event, init=False, repr=False)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeTelegram]:
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, self._connection, self.port, host="127.0.0.1")
            listeners = await nursery.start(serve)
            self.port = listeners[0].socket.getsockname()[1]
            yield self
            nursery.cancel_scope.cancel()

    # -- what users do

    def write(self, user: int, text: str | None, *, chat: str = "private") -> int:
        """A user writes; None: sends a picture. The update's id."""
        message = {**self._message(user, chat), **({} if text is None else {"text": text})}
        return self._arrive({"message": message})

    def press(self, user: int, message: Sent, button: str) -> int:
        """A user presses a button below a message of the bot."""
        shown = {**self._message(message.chat, "private"), "message_id": message.id, "from": BOT, "text": message.text}
        query = {"id": f"q{self._next_update}", "from": _person(user), "chat_instance": "1", "message": shown}
        return self._arrive({"callback_query": {**query, "data": message.buttons[button]}})

    def arrive(self, update: dict[str, Any]) -> int:
        """An update as it is, whatever is wrong with it. Its id."""
        return self._arrive(update)

    def fail(self, method: str, *faults: Fault) -> None:
        """The next requests of a method go wrong."""
        self.faults.setdefault(method, deque()).extend(faults)

    def said(self, chat: int) -> list[str]:
        """What a chat shows of the bot."""
        return [message.text for message in self.messages.values() if message.chat == chat]

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until something is so; looked at whenever the bot has done something."""
        while not condition():
            await self._news.wait()

    # -- what the server does

    def _arrive(self, update: dict[str, Any]) -> int:
        update_id, self._next_update = self._next_update, self._next_update + 1
        self._updates.append({"update_id": update_id, **update})
        self._tell()
        return update_id

    def _message(self, user: int, chat: str) -> dict[str, Any]:
        number, self._next_message = self._next_message, self._next_message + 1
        place = {"id": user, "type": "private"} if chat == "private" else {"id": -user, "type": chat, "title": "x"}
        return {"message_id": number, "date": 1_700_000_000, "chat": place, "from": _person(user)}

    def _tell(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()

    async def _connection(self, stream: trio.SocketStream) -> None:
        wire = Wire(stream)
        try:
            async with stream:
                while await self._exchange(wire):
                    pass
        except (Gone, trio.BrokenResourceError, h11.RemoteProtocolError):
            return

    async def _exchange(self, wire: Wire) -> bool:
        request = await wire.receive()
        where, _, method = request.path.rpartition("/")
        given = dict(parse_qsl(request.data.decode(), keep_blank_values=True))
        fault = self.faults[method].popleft() if self.faults.get(method) else None
        if fault is not None and not fault.cut:
            await wire.send_whole(fault.status, [], _refusal(fault))
        elif where != f"/bot{self.token}":
            await wire.send_whole(401, [], _refusal(Fault(401, "Unauthorized")))
        else:
            await self._answer(wire, method, given, cut=fault is not None)
        self._tell()
        return wire.next()

    async def _answer(self, wire: Wire, method: str, given: dict[str, str], *, cut: bool) -> None:
        if self.answers.get(method):
            result: Any = self.answers[method].popleft()
        elif method == "getUpdates":
            result = await self._updates_for(given)
        else:
            self.calls.append((method, given))
            try:
                result = self._do(method, given)
            except Refused as refused:
                await wire.send_whole(400, [], _refusal(Fault(400, f"Bad Request: {refused}")))
                return
        if cut:
            self._tell()
            raise Gone
        await wire.send_whole(200, [], json.dumps({"ok": True, "result": result}).encode())

    async def _updates_for(self, given: Mapping[str, str]) -> list[dict[str, Any]]:
        offset = int(given["offset"]) if given.get("offset") else None
        self.polls.append(offset)
        self._tell()
        if offset is not None:
            self._updates = [each for each in self._updates if each["update_id"] >= offset]
        with trio.move_on_after(float(given.get("timeout", "0"))):
            while not self._updates:
                await self._news.wait()
        return self._updates[:100]

    def _do(self, method: str, given: Mapping[str, str]) -> Any:
        match method:
            case "getMe":
                return BOT
            case "sendMessage":
                return self._send(given)
            case "editMessageText" | "editMessageReplyMarkup" | "deleteMessage":
                return self._change(method, given)
            case "sendChatAction" | "answerCallbackQuery":
                return True
        raise Refused(f"method {method} not found")

    def _send(self, given: Mapping[str, str]) -> dict[str, Any]:
        chat, text = int(given["chat_id"]), _checked(given["text"])
        shown = self._message(chat, "private")
        sent = Sent(shown["message_id"], chat, [text], [trio.current_time()], _buttons(given))
        self.messages[sent.id] = sent
        return {**shown, "from": BOT, "text": text}

    def _change(self, method: str, given: Mapping[str, str]) -> Any:
        sent = self.messages.get(int(given["message_id"]))
        if sent is None or sent.chat != int(given["chat_id"]):
            raise Refused("message to edit not found")
        if method == "deleteMessage":
            del self.messages[sent.id]
            return True
        buttons, text = _buttons(given), _checked(given.get("text", sent.text))
        if buttons == sent.buttons and text == sent.text:
            raise Refused("message is not modified: specified new message content is exactly the same")
        sent.buttons = buttons
        sent.texts.append(text)
        sent.at.append(trio.current_time())
        return {**self._message(sent.chat, "private"), "message_id": sent.id, "from": BOT, "text": text}


def _person(user: int) -> dict[str, Any]:
    return {"id": user, "is_bot": False, "first_name": f"User {user}"}


def _checked(text: str) -> str:
    """Raises: Refused, as the real server, for what is empty or too long; it counts UTF-16 units."""
    if not text.strip():
        raise Refused("message text is empty")
    if len(text.encode("utf-16-le")) // 2 > 4096:
        raise Refused("message is too long")
    return text


def _buttons(given: Mapping[str, str]) -> dict[str, str]:
    rows = json.loads(given.get("reply_markup") or "{}").get("inline_keyboard", [])
    buttons = {each["text"]: each["callback_data"] for row in rows for each in row}
    if any(len(data.encode()) > 64 for data in buttons.values()):
        raise Refused("BUTTON_DATA_INVALID")
    return buttons


def _refusal(fault: Fault) -> bytes:
    parameters = {} if fault.retry_after is None else {"parameters": {"retry_after": fault.retry_after}}
    said = {"ok": False, "error_code": fault.status, "description": fault.description, **parameters}
    return json.dumps(said).encode()
