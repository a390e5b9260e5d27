"""Conformance kits in Python that need nothing which is not here, installed on demand into a folder put on the path."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "mcp"))
import peers  # noqa: E402

PINNED = (
    "crashresume==0.1.0",
    "compaction-conformance-kit==0.8.0",
    "ag-ui-validate==0.4.0",
    "ag-ui-protocol==1.0.0",
)


def open_kits() -> None:
    """Makes them importable."""
    place = peers.folder() / "kits"
    mark = place / "installed"
    if not (mark.is_file() and mark.read_text() == str(PINNED)):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--upgrade", "--target", str(place), *PINNED], check=True)
        mark.write_text(str(PINNED))
    sys.path.append(str(place))
