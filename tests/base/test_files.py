"""What is written appears as a whole or not at all, whatever ends the writer."""

import os
from pathlib import Path

import pytest

from mlp.base import atomic_write, remove_unfinished


def write(path: Path, text: str) -> None:
    with atomic_write(path) as unfinished:
        unfinished.write_text(text)


def write_folder(path: Path, **files: str) -> None:
    with atomic_write(path) as unfinished:
        unfinished.mkdir()
        for name, text in files.items():
            (unfinished / name).write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_file_is_replaced(tmp_path: Path):
    write(tmp_path / "a", "old")
    write(tmp_path / "a", "new")
    assert contents(tmp_path) == {"a": "new"}


def test_folder_is_replaced_with_all_in_it(tmp_path: Path):
    write_folder(tmp_path / "a", one="1", two="2")
    write_folder(tmp_path / "a", two="3")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert contents(tmp_path / "a") == {"two": "3"}


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failing_writer_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
):
    """On a full disk as at a signal, for a file as for a folder; and no litter."""

    def fail(*_: object) -> None:
        raise error

    (tmp_path / "files").mkdir()
    write(tmp_path / "files" / "a", "old")
    write_folder(tmp_path / "folder", one="old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(type(error)):
        write(tmp_path / "files" / "a", "new")
    with pytest.raises(type(error)):
        write_folder(tmp_path / "folder", one="new", two="new")
    assert contents(tmp_path / "files") == {"a": "old"}
    assert contents(tmp_path / "folder") == {"one": "old"}
    assert {path.name for path in tmp_path.iterdir()} == {"files", "folder"}


def test_content_is_forced_to_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Else a power cut could leave the name with nothing behind it."""
    calls = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("fsync"), sync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("replace"), replace(a, b)))
    write_folder(tmp_path / "a", one="1", two="2")
    assert calls == ["fsync", "fsync", "fsync", "replace", "fsync"]


def test_litter_of_a_dead_writer_can_be_removed(tmp_path: Path):
    pid = os.fork()
    if pid == 0:
        with atomic_write(tmp_path / "a") as unfinished:
            unfinished.mkdir()
            os._exit(0)
    os.waitpid(pid, 0)
    write(tmp_path / "b", "stays")
    assert len(list(tmp_path.iterdir())) == 2
    remove_unfinished(tmp_path)
    assert contents(tmp_path) == {"b": "stays"}
