"""A file system with little room, that only a child of the test sees."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import pytest


def on_small_disk(place: Path, megabytes: int) -> tuple[str, ...]:
    """The beginning of a command whose rest runs with `place` on a disk of that size.

    Skips the test on a machine that lets nobody mount anything.
    """
    mount = f'mount -t tmpfs -o size={megabytes}m tmpfs "$0" && exec "$@"'
    return (*_unshare(), "sh", "-c", mount, str(place))


@functools.cache
def _unshare() -> tuple[str, ...]:
    """A view of the file system of one's own: as a user where the machine allows that, else as root."""
    for command in (("unshare", "--user", "--map-root-user", "--mount"), ("unshare", "--mount")):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    pytest.skip("no small file system can be mounted here: allow user namespaces, or run as root with CAP_SYS_ADMIN")
