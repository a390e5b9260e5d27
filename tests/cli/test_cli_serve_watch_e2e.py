"""`vega serve --watch --open`: edits are taken up while it serves, and the page is shown."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator

import pytest
from cli_shell import DOCUMENT, Shell

pytestmark = pytest.mark.e2e

EDITED = DOCUMENT.replace("workflows:", "  editor: {model: demo, system: You edit.}\nworkflows:", 1)


def lines_of(server: subprocess.Popen[str]) -> Iterator[str]:
    assert server.stderr is not None
    yield from server.stderr


def awaited(lines: Iterator[str], part: str) -> str:
    seen: list[str] = []
    for line in lines:
        seen.append(line)
        if part in line:
            return line
    raise AssertionError(f"no {part!r} in {seen}")


def agents_at(url: str) -> list[str]:
    with urllib.request.urlopen(f"{url}/api/agents", timeout=30) as answer:
        return sorted(each["name"] for each in json.load(answer))


def test_valid_edits_are_taken_up_wrong_ones_are_told_and_the_browser_is_opened(vega: Shell) -> None:
    browser, shown = vega.cwd / "browser", vega.cwd / "shown"
    os.mkfifo(shown)
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    browser.chmod(0o700)
    command = [sys.executable, "-m", "vega_trio", "serve", "--watch", "--open", "--addr", ":0", "--db", "v.db"]
    environment = vega.env(BROWSER=f"{browser} %s")
    page = os.open(shown, os.O_RDWR)
    with subprocess.Popen(command, cwd=vega.cwd, env=environment, stderr=subprocess.PIPE, text=True) as server:
        guard = threading.Timer(60, server.kill)
        guard.start()
        try:
            lines = lines_of(server)
            url = awaited(lines, "Dashboard: ").split("Dashboard: ")[1].strip()
            assert select.select([page], [], [], 30)[0], "no browser was opened"
            assert os.read(page, 4096).decode().strip() == url
            vega.write("team.vega.yaml", EDITED)
            assert "new: editor" in awaited(lines, "taken up")
            assert "editor" in agents_at(url)
            vega.write("team.vega.yaml", EDITED.replace("model: demo, system", "modle: demo, system"))
            awaited(lines, "unknown key 'modle'")
            assert "editor" in agents_at(url)
            vega.write("team.vega.yaml", DOCUMENT)
            assert "gone: editor" in awaited(lines, "taken up")
            assert "editor" not in agents_at(url)
            server.terminate()
            assert server.wait(30) == 0
        finally:
            guard.cancel()
            server.kill()
            os.close(page)


def test_without_a_document_there_is_nothing_to_watch(vega: Shell) -> None:
    (vega.cwd / "team.vega.yaml").unlink()
    with vega.start("serve", "--watch", "--addr", ":0") as server:
        _, told = server.communicate(timeout=30)
    assert server.returncode == 2
    assert b"--watch needs a document of your own" in told
