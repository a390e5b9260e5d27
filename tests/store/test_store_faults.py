"""Real kills and real disks, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_disk import on_small_disk

pytestmark = pytest.mark.e2e

KILLS = Path(__file__).with_name("kill_script.py")
DISK = Path(__file__).with_name("disk_script.py")


def test_ten_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    seed = int(os.environ.get("VEGA_SEED", "0")) or int.from_bytes(os.urandom(4), "big")
    print(f"VEGA_SEED={seed}")
    command = [sys.executable, str(KILLS), str(tmp_path / "vega.db"), "10", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert result["kills"] == 10
    assert result["acknowledged"] > 100


def test_an_io_error_fails_its_changes_and_the_store_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, str(DISK), str(tmp_path), "broken"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_a_full_disk_fails_its_changes_and_the_store_goes_on_once_there_is_space(tmp_path: Path) -> None:
    command = [*on_small_disk(tmp_path, 1), sys.executable, str(DISK), str(tmp_path), "full"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
