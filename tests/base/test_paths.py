"""Where the folder of runs is, and what is said when it cannot be there."""

from pathlib import Path

import pytest

from mlp.base import RunError, runs_dir


def test_folder_of_runs_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLP_RUNS", str(tmp_path / "a" / "b"))
    assert runs_dir() == tmp_path / "a" / "b"


def test_link_to_the_folder_of_runs_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    monkeypatch.setenv("MLP_RUNS", str(tmp_path / "link"))
    assert runs_dir() == tmp_path / "there"


@pytest.mark.parametrize("name", ["loop", "x" * 300, "~nobody-of-that-name"])
def test_folder_that_cannot_be_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    (tmp_path / "loop").symlink_to("pool")
    (tmp_path / "pool").symlink_to("loop")
    monkeypatch.setenv("MLP_RUNS", name if name[0] == "~" else str(tmp_path / name))
    with pytest.raises(RunError, match="MLP_RUNS cannot be a folder") as error:
        runs_dir()
    assert len(str(error.value)) < 250
