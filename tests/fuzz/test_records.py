"""Whatever is in the files that describe a run, only RunError comes out."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given

from mlp.base import RunError
from mlp.runs import RunFolder, read_config, read_history, read_run
from tests.fuzz.damage import altered, damaged, fuzz, only

RECORD = {
    "id": "5eed",
    "name": "a run",
    "status": "FINISHED",
    "started": "2026-01-01T10:00:00+00:00",
    "tags": {},
    "data": {"digest": "x"},
    "best": {"epoch": 1},
    "test": None,
    "tracking": None,
    "evaluations": {},
    "provenance": {},
    "sweep": {"parent": "5eed"},
}
CONFIG = b"model:\n  hidden_sizes: [128, 64]\nname: null\ntags: {a: 'b', ? c : d}\n"
HISTORY = b"epoch,timestamp,val/loss\n1,1700000000000,0.5\n2,1700000001000,0.25\n"
BOMB = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@fuzz
@given(content=damaged(json.dumps(RECORD).encode()))
@example(content=b"[" * 100_000)
def test_bytes_of_the_record(tmp_path: Path, content: bytes):
    (tmp_path / "run.json").write_bytes(content)
    only(RunError, lambda: read_run(RunFolder(tmp_path)))


@fuzz
@given(record=altered(RECORD))
@example(record=RECORD | {"id": "../../etc"})
@example(record=RECORD | {"id": ".."})
@example(record=RECORD | {"sweep": {"parent": "../.."}})
def test_record(tmp_path: Path, record: Any):
    """What is read can be relied on: its ids lead nowhere else."""
    (tmp_path / "run.json").write_text(json.dumps(record))
    try:
        read = read_run(RunFolder(tmp_path))
    except RunError:
        return
    for run_id in (read["id"], (read.get("sweep") or {}).get("parent", read["id"])):
        assert (tmp_path / run_id).resolve().parent == tmp_path
    assert isinstance(read["status"] + read["started"], str)


@pytest.mark.e2e
@fuzz
@given(content=damaged(CONFIG))
@example(content=BOMB)
@example(content=b"[" * 5_000)
@example(content=b"!!python/object/apply:os.system ['true']")
def test_config(tmp_path: Path, content: bytes):
    (tmp_path / "config.yaml").write_bytes(content)
    only(RunError, lambda: read_config(RunFolder(tmp_path)))


@fuzz
@given(content=damaged(HISTORY))
def test_history(tmp_path: Path, content: bytes):
    (tmp_path / "history.csv").write_bytes(content)
    only(RunError, lambda: read_history(RunFolder(tmp_path)))
