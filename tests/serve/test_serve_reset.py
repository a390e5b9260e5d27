"""A reset over HTTP: who may ask for it, and with which word. What it does is tested with `vega serve`."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

import pytest
import trio

from vega_trio.serve.server import _watch_signals

pytestmark = pytest.mark.e2e


async def test_a_reset_wants_its_word_and_a_server_that_can_start_anew(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            for body, status, code in (
                ({"confirm": "yes"}, 400, "bad_value"),
                ({}, 400, "bad_body"),
                ({"confirm": "reset"}, 409, "not_resettable"),
            ):
                answer = await served.http.post("/api/reset", json=body)
                assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
            keyed = await served.http.post("/api/reset", json=body, headers={"idempotency-key": "k"})
            assert (keyed.status_code, keyed.json()["field"]) == (400, "Idempotency-Key"), keyed.text


async def test_a_reset_is_the_operators(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            for user, role in (("ada", "owner"), ("default", "viewer")):
                made = await served.http.post("/api/tokens", json={"user": user, "role": role}, headers=served.operator)
                theirs = {"authorization": f"Bearer {made.json()['token']}"}
                posted = await served.http.post("/api/reset", json={"confirm": "reset"}, headers=theirs)
                assert posted.status_code == 403
            posted = await served.http.post("/api/reset", json={"confirm": "reset"}, headers=served.operator)
            assert posted.status_code == 409


async def test_the_first_signal_during_a_reset_stops_the_server_in_order_and_for_good() -> None:
    stop = trio.Event()
    listener, other = socket.socketpair()
    kept = [listener]
    with other, trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            await nursery.start(_watch_signals, stop, kept)
            stop.set()  # as a reset does
            os.kill(os.getpid(), signal.SIGTERM)
            while kept:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    assert listener.fileno() == -1
