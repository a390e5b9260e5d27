"""Conversations in this process, with a scripted model."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import trio
import trio.testing
from cli_shell import DOCUMENT

from vega_trio.app.application import App
from vega_trio.app.open import open_app
from vega_trio.cli.chat import command
from vega_trio.cli.failure import Failure
from vega_trio.cli.talk import Conversation, choose_agent, read_lines
from vega_trio.cli.turns import Screen
from vega_trio.errors import ModelError, TurnFailed, UnknownAgent
from vega_trio.messages import ToolCall
from vega_trio.session import ErrorClass, Session
from vega_trio.testing import ScriptedModel, ScriptedReply


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "team.vega.yaml"
    path.write_text(DOCUMENT)
    return path


def conversation(app: App, *, session: Session | None = None, interactive: bool = False) -> Conversation:
    screen = Screen(streaming=False, color=False, quiet=False)
    return Conversation(app=app, session=session or Session("writer"), screen=screen, interactive=interactive)


async def test_a_reply_is_written_whole_when_nobody_watches(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with trio.fail_after(10):
        async with open_app(document, model=ScriptedModel(["Hello \x1b[1mthere"])) as app:
            assert await conversation(app).hold("hi") == 0
    captured = capsys.readouterr()
    assert captured.out == "Hello \x1b[1mthere\n"  # data is not changed on its way into a file
    assert captured.err == ""


async def test_a_terminal_gets_text_as_it_comes_and_no_escape_sequences(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ScriptedModel([["Let me see. ", ToolCall("t1", "list_files", {"path": "\x1b[2J"})], "Done\x1b[2J"])
    tools = DOCUMENT.replace("system: You write.", "system: You write.\n    tools: [list_files]")
    document.write_text(tools)
    with trio.fail_after(10):
        async with open_app(document, model=model) as app:
            talk = conversation(app)
            talk.screen.streaming = True
            await talk.hold("hi")
    captured = capsys.readouterr()
    assert captured.out == "Let me see. \nDone\u241b[2J\n"
    assert "· list_files {" in captured.err
    assert "\x1b" not in captured.err


async def test_a_failed_turn_ends_a_script_and_is_told_to_a_person(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = ModelError("invalid x-api-key", ErrorClass.AUTHENTICATION)
    with trio.fail_after(10):
        async with open_app(document, model=ScriptedModel([refused, refused])) as app:
            with pytest.RaisesGroup(TurnFailed, allow_unwrapped=True, flatten_subgroups=True):
                await conversation(app).hold("hi")
            assert await conversation(app, interactive=True).hold("hi") == 0
    said = capsys.readouterr().err
    assert "error: " in said
    assert "ANTHROPIC_API_KEY" in said


async def test_conversations_are_kept_apart_unless_one_is_continued(document: Path, tmp_path: Path) -> None:
    model = ScriptedModel(lambda request: str(len(request.messages)))
    with trio.fail_after(10):
        async with open_app(document, model=model, store=tmp_path / "chat.db") as app:
            for _ in range(2):
                await conversation(app, session=await app.new_session("writer")).hold("hi")
        async with open_app(document, model=model, store=tmp_path / "chat.db") as app:
            await conversation(app).hold("hi")
    assert [len(request.messages) for request in model.requests] == [1, 1, 3]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_stops_the_turn_of_a_script_keeping_its_text(
    document: Path, number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def then_forever(_request: object) -> ScriptedReply:
        os.kill(os.getpid(), number)
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(10):
        model = ScriptedModel([["So far ", ToolCall("t", "none", {})], then_forever])
        async with open_app(document, model=model) as app:
            assert await conversation(app).hold("hi") == code
    assert capsys.readouterr().out == "So far \n"


async def test_a_second_ctrl_c_leaves_at_once(document: Path) -> None:
    async def stubborn(_request: object) -> ScriptedReply:
        os.kill(os.getpid(), signal.SIGINT)
        with trio.CancelScope(shield=True):
            await trio.testing.wait_all_tasks_blocked(0.01)
            os.kill(os.getpid(), signal.SIGINT)
            await trio.testing.wait_all_tasks_blocked(0.01)
        await trio.sleep_forever()
        raise AssertionError

    with trio.fail_after(10):
        async with open_app(document, model=ScriptedModel([stubborn])) as app:
            assert await conversation(app, interactive=True).hold("hi") == 130


async def test_an_agent_is_named_or_the_only_one(document: Path) -> None:
    with trio.fail_after(10):
        async with open_app(document, model=ScriptedModel([])) as app:
            assert choose_agent(app, None) == choose_agent(app, "writer") == "writer"
            with pytest.raises(UnknownAgent, match="did you mean 'writer'"):
                choose_agent(app, "wirter")


async def test_lines_end_as_people_end_them_and_need_no_last_end() -> None:
    ours, theirs = os.pipe()
    keep = os.dup(0)
    os.dup2(ours, 0)
    os.close(ours)
    try:
        os.write(theirs, "one\r\n\nzwölf\nlast".encode())
        os.close(theirs)
        with trio.fail_after(10):
            send, receive = trio.open_memory_channel[str](10)
            await read_lines(send)
            assert [line async for line in receive] == ["one", "", "zwölf", "last"]
    finally:
        os.dup2(keep, 0)
        os.close(keep)


@pytest.mark.parametrize(
    "args", [["one", "two"], ["a.yaml", "b.yaml"], ["--file", "a.yaml", "b.yaml"], ["one", "a.yaml", "two"]]
)
def test_there_is_one_agent_and_one_file(args: list[str]) -> None:
    with pytest.raises(Exception, match="one AGENT and one FILE"):
        command.main(args, standalone_mode=False)


def test_failures_carry_their_hint() -> None:
    assert Failure("x", "y").hint == "y"
