"""Real kills and real disks, each in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).with_name("kill_script.py")
DISK = Path(__file__).with_name("disk_script.py")

_SMALL_DISK = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1" full'


def _namespaces() -> bool:
    """Whether this machine lets us mount a small file system that only our child sees."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-Urm", "true"], capture_output=True).returncode == 0


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
    if not _namespaces():
        pytest.skip("no user namespaces here, so no small file system can be mounted")
    command = ["unshare", "-Urm", "sh", "-c", _SMALL_DISK, "sh", str(tmp_path), sys.executable, str(DISK)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
