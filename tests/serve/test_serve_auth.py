"""Closed by default: who is let in, as whom, and what is whose, over a real server."""

from __future__ import annotations

import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from vega_trio.app.tokens import home_secret
from vega_trio.errors import ConfigError
from vega_trio.serve.assets import Bundle
from vega_trio.serve.desk import Route
from vega_trio.serve.door import CODE_S, FREE, Door
from vega_trio.serve.web import all_routes

pytestmark = pytest.mark.e2e


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


async def new_token(served: Any, user: str, role: str = "owner") -> dict[str, str]:
    """Headers of a new token."""
    answer = await served.http.post("/api/tokens", json={"user": user, "role": role}, headers=served.operator)
    assert answer.status_code == 201, answer.text
    return bearer(answer.json()["token"])


def routes() -> list[Route]:
    return all_routes(Bundle({}, None))


def address(route: Route) -> str:
    return re.sub(r"<[^>]*>", "x", route.path)


async def test_every_route_wants_the_token_and_no_other_will_do(serving: Any) -> None:
    streams = ("/api/events", "/api/events?")
    with trio.fail_after(60):
        async with serving(token=True, limits={"requests_per_s": 10_000}) as served:
            secret = served.operator["authorization"].removeprefix("Bearer ")
            for route in routes():
                path = address(route)
                if path in FREE:
                    continue
                wrong = ({"authorization": "Bearer"}, {"authorization": secret}, {"cookie": "vega_1=x"})
                for headers in ({}, bearer("wrong"), *wrong):
                    answer = await served.http.request(route.method, path, headers=headers)
                    assert answer.status_code == 401, (route, headers, answer.text)
                    assert answer.headers["www-authenticate"] == "Bearer"
                    assert answer.json()["code"] == "unauthorized"
                if path not in streams:
                    answer = await served.http.request(route.method, path, headers=served.operator)
                    assert answer.status_code not in (401, 403, 500), (route, answer.text)


async def test_what_is_free_of_credentials_answers_without(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            answers = [(await served.http.get(path)).status_code for path in sorted(FREE) if "auth" not in path]
    assert answers == [200] * 4


async def test_a_browser_without_credentials_is_led_to_the_login_page_with_its_code(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            page = {"accept": "text/html"}
            plain = await served.http.get("/overview", headers=page)
            coded = await served.http.get("/?code=abc", headers=page)
            login = await served.http.get("/login")
    assert (plain.status_code, plain.headers["location"]) == (303, "/login")
    assert coded.headers["location"] == "/login?code=abc"
    assert "nonce-" in login.headers["content-security-policy"]
    assert "<script>" not in login.text


async def test_a_code_is_exchanged_once_for_a_strict_cookie_that_lets_in_until_logout(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            code = served.door.new_code()
            wrong = await served.http.post("/api/auth/login", json={"code": "x" + code})
            answer = await served.http.post("/api/auth/login", json={"code": code})
            again = await served.http.post("/api/auth/login", json={"code": code})
            cookie = answer.headers["set-cookie"]
            me = await served.http.get("/api/auth/me")  # the client keeps the cookie
            out = await served.http.post("/api/auth/logout")
            kept = {"cookie": cookie.split(";")[0]}
            after = await served.http.get("/api/auth/me", headers=kept)
    assert (wrong.status_code, answer.status_code, again.status_code) == (401, 200, 401)
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert served.operator["authorization"].removeprefix("Bearer ") not in cookie
    assert answer.json() == me.json() == {"user": "default", "role": "owner", "mode": "token"}
    assert (out.status_code, after.status_code) == (200, 401)


async def test_a_code_is_good_for_ten_minutes(autojump_clock: Any) -> None:
    door = Door("token")
    first = door.new_code()
    await trio.sleep(CODE_S - 1)
    second = door.new_code()
    assert door.take_code(first)
    await trio.sleep(CODE_S + 1)
    assert not door.take_code(second)


async def test_a_token_logs_in_too_and_its_cookie_ends_with_it(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            made = (await served.http.post("/api/tokens", json={"user": "ann"}, headers=served.operator)).json()
            login = await served.http.post("/api/auth/login", json={"token": made["token"]})
            cookie = {"cookie": login.headers["set-cookie"].split(";")[0]}
            served.http.cookies.clear()
            inside = await served.http.get("/api/auth/me", headers=cookie)
            await served.http.delete(f"/api/tokens/{made['id']}", headers=served.operator)
            outside = await served.http.get("/api/auth/me", headers=cookie)
            both = await served.http.post("/api/auth/login", json={"token": "a", "code": "b"})
    assert inside.json() == {"user": "ann", "role": "owner", "mode": "token"}
    assert (outside.status_code, both.status_code) == (401, 400)


async def test_tokens_are_made_listed_and_revoked_and_never_stored(serving: Any, tmp_path: Path) -> None:
    path = tmp_path / "vega.db"
    with trio.fail_after(30):
        async with serving(token=True, store=path) as served:
            viewer = {"user": "ann", "role": "viewer"}
            made = await served.http.post("/api/tokens", json=viewer, headers=served.operator)
            listed = await served.http.get("/api/tokens", headers=served.operator)
            wrong = await served.http.post("/api/tokens", json={"user": "ann", "role": "king"}, headers=served.operator)
            nobody = await served.http.post("/api/tokens", json={"user": ""}, headers=served.operator)
        async with serving(token=True, store=path) as served:  # they outlive the server
            kept = await served.http.get("/api/agents", headers=bearer(made.json()["token"]))
            gone = await served.http.delete(f"/api/tokens/{made.json()['id']}", headers=served.operator)
            after = await served.http.get("/api/agents", headers=bearer(made.json()["token"]))
            unknown = await served.http.delete("/api/tokens/nosuch", headers=served.operator)
    shown = {key: value for key, value in made.json().items() if key != "token"}
    assert listed.json() == [shown]
    assert list(shown) == ["id", "user", "role", "created_at"]
    assert (wrong.status_code, wrong.json()["field"], nobody.status_code) == (400, "role", 400)
    assert (kept.status_code, gone.status_code, after.status_code, unknown.status_code) == (200, 200, 401, 404)
    with closing(sqlite3.connect(path)) as database:
        dump = "\n".join(database.iterdump())
    assert made.json()["token"] not in dump
    assert served.operator["authorization"].removeprefix("Bearer ") not in dump


async def test_a_viewer_looks_and_changes_nothing(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True, limits={"requests_per_s": 10_000}) as served:
            viewer = await new_token(served, "vic", "viewer")
            assert (await served.http.get("/api/agents", headers=viewer)).status_code == 200
            for route in routes():
                if route.method != "GET" and not route.path.startswith("/api/auth"):
                    answer = await served.http.request(route.method, address(route), headers=viewer, json={})
                    assert (answer.status_code, answer.json()["code"]) == (403, "read_only"), route
            tokens = await served.http.get("/api/tokens", headers=viewer)
            out = await served.http.post("/api/auth/logout", headers=viewer)
    assert (tokens.status_code, out.status_code) == (403, 200)


async def test_a_read_only_server_makes_everybody_a_viewer(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(read_only=True) as served:
            me = await served.http.get("/api/auth/me")
            answer = await served.http.post("/api/agents/assistant/chat", json={"message": "hi"})
    assert me.json() == {"user": "default", "role": "viewer", "mode": "local"}
    assert answer.status_code == 403


async def test_another_users_objects_do_not_exist(serving: Any) -> None:
    with trio.fail_after(20):
        async with serving(["one", "two", "draft", "verdict"], token=True) as served:
            ann, bob = await new_token(served, "ann"), await new_token(served, "bob")
            await served.http.post("/api/agents/assistant/chat", json={"message": "mine"}, headers=ann)
            await served.http.post("/api/agents/assistant/chat", json={"message": "yours"}, headers=bob)
            run = (
                await served.http.post(
                    "/api/workflows/review/run", json={"inputs": {"task": "x"}, "wait": 10}, headers=ann
                )
            ).json()
            [session] = (await served.http.get("/api/sessions", headers=ann)).json()
            processes = (await served.http.get("/api/processes", headers=ann)).json()
            paths = [
                ("GET", f"/api/sessions/{session['id']}"),
                ("GET", f"/api/sessions/{session['id']}/messages"),
                ("GET", f"/api/sessions/{session['id']}/export"),
                ("PATCH", f"/api/sessions/{session['id']}"),
                ("DELETE", f"/api/sessions/{session['id']}"),
                ("GET", f"/api/agents/assistant/chat?session={session['id']}"),
                ("GET", f"/api/runs/{run['run_id']}"),
                ("GET", f"/api/runs/{run['run_id']}/stream"),
                ("POST", f"/api/runs/{run['run_id']}/cancel"),
            ]
            for process in processes:
                path = f"/api/processes/{process['id']}"
                paths += [("GET", path), ("DELETE", path), ("GET", f"{path}/impact?action=kill")]
                paths += [("POST", f"{path}/restart"), ("POST", f"{path}/stop")]
            for method, path in paths:
                body = {"title": "x"} if method == "PATCH" else None
                answer = await served.http.request(method, path, headers=bob, json=body)
                assert answer.status_code == 404, (method, path, answer.text)
            theirs = (await served.http.get("/api/processes", headers=bob)).json()
            tree = (await served.http.get("/api/spawn-tree", headers=bob)).json()
            runs = (await served.http.get("/api/runs", headers=bob)).json()
            log = (await served.http.get("/api/events/log", headers=bob)).json()
            every = (await served.http.get("/api/processes", headers=served.operator)).json()
    assert len(processes) >= 2
    assert len(theirs) == len(tree) == 1
    assert runs == []
    assert {event.get("process_id") for event in log} <= {theirs[0]["id"], None}
    assert log
    assert len(every) == len(processes) + len(theirs)


async def test_an_owner_may_speak_for_a_user_and_a_viewer_may_not(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hello"], token=True) as served:
            viewer = await new_token(served, "vic", "viewer")
            await served.http.post("/api/agents/assistant:7/chat", json={"message": "x"}, headers=served.operator)
            seen = await served.http.get("/api/agents/assistant:7/chat", headers=served.operator)
            own = await served.http.get("/api/agents/assistant:vic/chat", headers=viewer)
            other = await served.http.get("/api/agents/assistant:7/chat", headers=viewer)
    assert [each["content"] for each in seen.json()] == ["x", "hello"]
    assert (own.status_code, other.status_code) == (200, 404)


async def test_a_user_hears_of_his_own_things_only(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["one", "two"], token=True) as served:
            ann, bob = await new_token(served, "ann"), await new_token(served, "bob")
            async with served.listening(bob) as events:
                await served.http.post("/api/agents/assistant/chat", json={"message": "mine"}, headers=ann)
                await served.http.post("/api/agents/assistant/chat", json={"message": "yours"}, headers=bob)
                async for event in events:
                    if event.event == "turn.finished":
                        break
            assert event.data["data"]["text"] == "two"


def test_the_operators_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "token"
    first = home_secret(path)
    assert home_secret(path) == first
    assert len(first) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        home_secret(path)


@pytest.mark.parametrize("content", ["", "short"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(ConfigError, match="256 bits"):
        home_secret(path)
