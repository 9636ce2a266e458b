"""The files of a run folder: written whole, read with care."""

import json
import os
from pathlib import Path

import pytest

from mlp.base import RunError
from mlp.runs import (
    RunFolder,
    RunRecord,
    SweepRecord,
    read_config,
    read_history,
    read_run,
    update_run,
    write_csv,
    write_run,
)
from mlp.runs.folder import write_text, write_yaml
from tests.records import RUN, SWEEP


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


class TestWriting:
    def test_an_interrupted_writer_leaves_the_old_file(self, tmp_path: Path, monkeypatch):
        path = tmp_path / "file.txt"
        write_text(path, "old")

        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            write_text(path, "new")
        assert path.read_text() == "old"

    def test_floats_of_a_table_are_exact(self, tmp_path: Path):
        write_csv(tmp_path / "t.csv", ["a", "b"], [[0.1 + 0.2, 1 / 3]])
        assert (tmp_path / "t.csv").read_text() == f"a,b\n{0.1 + 0.2!r},{1 / 3!r}\n"

    def test_a_config_reads_back_as_it_was(self, folder: RunFolder):
        config = {"a": [1, 2.5, None], "b": {"c": "yes", "d": True, "e": "1e-3", "f": "ü\n"}}
        write_yaml(folder.config, config)
        assert read_config(folder) == config


class TestReading:
    def test_there_is_no_history_before_the_first_epoch(self, folder: RunFolder):
        assert read_history(folder) == []

    def test_a_row_that_was_cut_off_is_left_out(self, folder: RunFolder):
        folder.history.write_text("epoch,timestamp,lr\n1,1000,0.5\n2,2000,0.2")
        assert read_history(folder) == [{"epoch": 1, "timestamp": 1000, "lr": 0.5}]

    @pytest.mark.parametrize("text", ["epoch,lr\n1,x\n", "epoch\n1,2\n"])
    def test_a_damaged_history_is_named(self, folder: RunFolder, text: str):
        folder.history.write_text(text)
        with pytest.raises(RunError, match=r"history\.csv is damaged"):
            read_history(folder)

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 1}', "\xff"])
    def test_a_damaged_record_is_named(self, folder: RunFolder, text: str):
        folder.record.write_text(text, encoding="latin-1")
        with pytest.raises(RunError, match=r"run\.json"):
            read_run(folder)

    @pytest.mark.parametrize("text", ["a: [", "- 1", "a: ${b}\x00"])
    def test_a_damaged_config_is_named(self, folder: RunFolder, text: str):
        folder.config.write_text(text)
        with pytest.raises(RunError, match=r"config\.yaml"):
            read_config(folder)

    def test_absent_files_are_named(self, folder: RunFolder):
        with pytest.raises(RunError, match=r"run\.json cannot be read"):
            read_run(folder)
        with pytest.raises(RunError, match=r"config\.yaml cannot be read"):
            read_config(folder)

    def test_a_pipe_is_no_record(self, folder: RunFolder):
        os.mkfifo(folder.record)
        with pytest.raises(RunError, match="not a regular file"):
            read_run(folder)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("name", "\x1b[31mred"),
            ("stop_reason", "\x1b[2J"),
            ("command", "a\x9b"),
            ("tags", {"a": ["\x07"]}),
            ("id", "../other"),
            ("seconds", float("nan")),
            ("best", {"epoch": 1, "metrics": {"val/loss": float("inf")}}),
            ("started", "yesterday"),
            ("started", "2026-01-01T10:00:00"),
            ("monitor", 7),
            ("provenance", []),
            ("pages", "an unknown key"),
        ],
    )
    def test_a_value_of_the_wrong_kind_is_named(self, folder: RunFolder, key: str, value: object):
        record = json.loads(RunRecord.of(RUN).model_dump_json()) | {key: value}
        folder.record.write_text(json.dumps(record))
        with pytest.raises(RunError, match=rf"'{key}") as told:
            read_run(folder)
        assert str(told.value).isprintable()

    def test_a_record_reads_back_as_it_was(self, folder: RunFolder):
        for record in (RunRecord.of(RUN), SweepRecord.of(SWEEP)):
            write_run(folder, record)
            assert read_run(folder) == record


def test_what_cannot_be_read_back_is_not_written(tmp_path: Path):
    write_run(RunFolder(tmp_path), RunRecord.of(RUN))
    with pytest.raises(RunError, match="'seconds'"):
        update_run(RunFolder(tmp_path), seconds=float("nan"))
    assert read_run(RunFolder(tmp_path)).seconds == 2.0
