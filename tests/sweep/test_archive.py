"""A run's folder copied back from another machine's disk."""

from pathlib import Path

import pytest

from mlp.runs import read_run, undelivered_runs
from mlp.sweep.archive import pack, unpack
from tests.records import make_child


def test_it_is_delivered_from_here(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tracking = {"uri": None, "experiment": "mlp"}
    there = make_child(tmp_path / "there", "a", {}, tracking=tracking)
    runs.mkdir()
    unpack(pack(there.path), runs)
    [here] = undelivered_runs()
    assert here.path == runs / "a"
    assert read_run(here) == read_run(there)
