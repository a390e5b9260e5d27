"""What workflows remember, beyond their run and their program."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

import vega_trio as vega
from vega_trio.app.memory import RunMemory
from vega_trio.errors import RunFailed, StoreError
from vega_trio.store.key_value_file import KeyValueFile

TEXT = """
name: Diary
agents: {a: {model: demo, system: x}}
workflows:
  keep:
    inputs: {value: any}
    steps:
      - remember: {key: "last of {{workflow}}", value: {said: "{{value}}"}}
      - recall: {key: last of keep, save: found}
    output: found.said
  look:
    steps:
      - recall: {key: last of keep, default: {said: nothing}}
        save: found
    output: found.said
  forget:
    steps:
      - remember: {key: last of keep, value: null}
    output: "done"
  parallel:
    steps:
      - parallel:
          - remember: {key: one, value: 1}
          - remember: {key: two, value: 2}
      - recall: {key: one, save: one}
      - recall: {key: two, save: two}
    output: "{{one}}{{two}}"
"""


@pytest.fixture(autouse=True)
async def _limit() -> AsyncIterator[None]:
    with trio.fail_after(10):
        yield


def document(folder: Path, name: str = "Diary") -> Path:
    path = folder / f"{name}.vega.yaml"
    path.write_text(TEXT.replace("Diary", name))
    return path


async def result(app: vega.App, workflow: str, user: str = "default", **inputs: object) -> object:
    return await (await app.run_workflow(workflow, inputs, user=user)).wait()


async def test_a_value_is_there_for_the_next_run_until_it_is_forgotten(tmp_path: Path) -> None:
    async with vega.open_app(document(tmp_path), model="demo") as app:
        assert await result(app, "look") == "nothing"
        assert await result(app, "keep", value=[1, {"b": None}]) == [1, {"b": None}]
        assert await result(app, "look") == [1, {"b": None}]
        await result(app, "forget")
        assert await result(app, "look") == "nothing"
        assert await result(app, "parallel") == "12"


@pytest.mark.parametrize("where", ["store", "memory"])
async def test_it_outlives_the_program(tmp_path: Path, where: str) -> None:
    path = document(tmp_path)
    database = {where: tmp_path / "home" / "m.db"}
    (tmp_path / "home").mkdir()
    async with vega.open_app(path, model="demo", **database) as app:
        await result(app, "keep", value="hello")
    async with vega.open_app(path, model="demo", **database) as app:
        assert await result(app, "look") == "hello"
        assert await result(app, "look", user="ann") == "nothing"
    async with vega.open_app(document(tmp_path, "Other"), model="demo", **database) as app:
        assert await result(app, "look") == "nothing"


async def test_without_a_file_it_ends_with_the_app(tmp_path: Path) -> None:
    for _ in range(2):
        async with vega.open_app(document(tmp_path), model="demo", home=tmp_path / "home") as app:
            assert await result(app, "look") == "nothing"
            await result(app, "keep", value=1)
    assert not (tmp_path / "home" / "memory.db").exists()


async def test_a_value_of_more_than_256_kib_fails_the_step(tmp_path: Path) -> None:
    async with vega.open_app(document(tmp_path), model="demo") as app:
        with pytest.raises(RunFailed, match="262,144"):
            await result(app, "keep", value="x" * 300_000)


async def test_a_memory_that_cannot_be_written_fails_the_step_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "memory.db").mkdir()
    async with vega.open_app(document(tmp_path), model="demo", memory=tmp_path / "memory.db") as app:
        with pytest.raises(RunFailed, match=r"'last of keep' could not be kept: .*memory\.db"):
            await result(app, "keep", value=1)


async def test_the_shared_file_is_its_owners_and_many_write_to_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "memory.db"
    memory = RunMemory(KeyValueFile(path), "d", "u")
    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(memory.keep, f"k{number}", number)
    assert [await memory.find(f"k{number}") for number in range(10)] == [[number] for number in range(10)]
    assert await RunMemory(KeyValueFile(path), "d", "other").find("k1") == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_that_is_no_database_is_an_error_of_the_store(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    path.write_text("no database at all, but long enough to be taken for the header of one" * 20)
    with pytest.raises(StoreError, match=r"memory\.db"):
        await KeyValueFile(path).get("k")
