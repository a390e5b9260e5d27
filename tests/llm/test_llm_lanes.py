"""Calls spread over clients, so that none looks through hundreds of connections."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from vega_trio.llm.lanes import ALL, Lanes


class Client:
    """What a lane needs of one."""

    closed = False

    async def aclose(self) -> None:
        self.closed = True


def lanes_of(opened: list[Client], most: float) -> Lanes:
    def open_client() -> Client:
        opened.append(Client())
        return opened[-1]

    return Lanes(open_client, most)  # type: ignore[arg-type]


async def test_each_client_has_so_many_calls_and_the_first_with_room_takes_the_next() -> None:
    opened: list[Client] = []
    lanes = lanes_of(opened, 2)
    first, _, third = [await lanes.enter() for _ in range(3)]
    assert len(opened) == 2
    assert third.client is opened[1]  # type: ignore[comparison-overlap]
    first.leave()
    assert (await lanes.enter()) is first


@pytest.mark.parametrize(("most", "clients"), [(ALL, 1), (5, 10)])
async def test_fifty_calls_open_no_more_clients_than_they_need(most: float, clients: int) -> None:
    opened: list[Client] = []
    lanes = lanes_of(opened, most)
    for _ in range(50):
        await lanes.enter()
    assert len(opened) == clients


async def test_clients_that_have_been_idle_for_a_while_are_closed_but_the_first(autojump_clock: MockClock) -> None:
    opened: list[Client] = []
    lanes = lanes_of(opened, 1)
    for lane in [await lanes.enter() for _ in range(3)]:
        lane.leave()
    (await lanes.enter()).leave()
    assert not any(client.closed for client in opened)
    await trio.sleep(10)
    await lanes.enter()
    assert [client.closed for client in opened] == [False, True, True]
    await lanes.aclose()
    assert all(client.closed for client in opened)
