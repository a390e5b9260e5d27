import re
import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
import trio

from vega_trio.messages import ToolCall
from vega_trio.testing import FakeMessagesServer, FakeReply, HttpFault


def asking(text: str = "hi", **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": text}], **more}


async def post(server: FakeMessagesServer, body: dict[str, Any] | bytes) -> httpx.Response:
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    with trio.fail_after(5):
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(server.base_url + "/v1/messages", **content)  # type: ignore[arg-type]


async def test_without_streaming_it_answers_with_a_whole_message() -> None:
    async with FakeMessagesServer([["hello", ToolCall("t", "add", {"a": 1})]]) as server:
        message = (await post(server, asking())).json()
    assert message["content"] == [
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "t", "name": "add", "input": {"a": 1}},
    ]
    assert message["stop_reason"] == "tool_use"


async def test_without_a_script_it_answers_sensibly_and_calls_tools() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    tools = [{"name": "word_count", "description": "", "input_schema": schema}]
    async with FakeMessagesServer() as server:
        first = (await post(server, asking('use word_count on "a b"', tools=tools))).json()
        call = first["content"][1]
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": [{"type": "text", "text": "2"}]}
        again = asking('use word_count on "a b"', tools=tools)
        again["messages"] += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
        second = (await post(server, again)).json()
    assert (call["name"], call["input"]) == ("word_count", {"text": "a b"})
    assert second["content"] == [{"type": "text", "text": "`word_count` answered: 2"}]


async def test_a_function_may_answer_from_the_request() -> None:
    async with FakeMessagesServer([lambda request: request.body["messages"][0]["content"]]) as server:
        assert (await post(server, asking("echo"))).json()["content"][0]["text"] == "echo"


async def test_an_http_fault_has_the_api_s_body_and_headers() -> None:
    async with FakeMessagesServer([HttpFault(429, "rate_limit_error", "slow", retry_after=3)]) as server:
        response = await post(server, asking())
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert response.json() == {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}


async def test_a_step_not_used_and_a_request_not_expected_fail_the_test() -> None:
    with pytest.raises(AssertionError, match=r"1 step\(s\) of the fake server were not used"):
        async with FakeMessagesServer(["never"]):
            pass
    with pytest.raises(AssertionError, match=r"1 request\(s\) for which it had no step"):
        async with FakeMessagesServer([]) as server:
            assert (await post(server, asking())).status_code == 500


async def test_the_block_s_own_error_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError):
        async with FakeMessagesServer(["never"]):
            raise KeyError


async def test_other_routes_broken_json_and_broken_http_do_no_harm() -> None:
    async with FakeMessagesServer(["ok"]) as server:
        assert (await post(server, b"{nonsense")).status_code == 200
        with trio.fail_after(5):
            async with httpx.AsyncClient(trust_env=False) as client:
                assert (await client.get(server.base_url + "/elsewhere")).status_code == 404
            async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
                await stream.send_all(b"\x00\x01 garbage\r\n\r\n")
                assert await stream.receive_some() == b""
    assert server.requests[0].body == {}


async def test_a_cut_comes_after_so_many_bytes_of_the_body() -> None:
    async with FakeMessagesServer([FakeReply("hello", cut_after_bytes=20)]) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(server, asking(stream=True))


@pytest.mark.e2e
def test_it_runs_by_itself_and_ends_on_a_signal() -> None:
    command = [sys.executable, "-m", "vega_trio.testing.fake_messages", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = re.fullmatch(r"ANTHROPIC_BASE_URL=(http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
        assert url
        with httpx.stream("POST", url[1] + "/v1/messages", json=asking("hello", stream=True), trust_env=False) as reply:
            assert "message_stop" in reply.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
