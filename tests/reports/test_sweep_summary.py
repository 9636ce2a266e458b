"""The summary of a sweep: its files."""

from pathlib import Path

import pytest

from mlp.reports import write_summary
from mlp.runs import read_leaderboard
from tests.records import make_child


def test_a_figure_that_cannot_be_drawn_is_a_warning(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: object) -> None:
        raise ValueError("no such colour")

    make_child(runs, "a", {"optimizer.lr": 1})
    monkeypatch.setattr("mlp.reports.sweep_figures.curves", fail)
    write_summary(read_leaderboard(["5eed"]), tmp_path)
    assert (tmp_path / "leaderboard.csv").exists()
    assert f"not all figures of {tmp_path} could be drawn: no such colour" in caplog.text
