"""Whatever is in the files that describe a run, only RunError comes out."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given

from mlp.base import RunError
from mlp.runs import (
    RunFolder,
    RunRecord,
    SweepRecord,
    read_config,
    read_history,
    read_run,
)
from tests.fuzz.damage import altered, damaged, fuzz, only
from tests.records import BEST, RUN, START, SWEEP

RESULT = {"metrics": {"loss": 0.2, "accuracy": 0.9}, "timestamp": 1, "digest": "abc"}
WHOLE = RUN | {
    "tags": {"team": "a"},
    "continued": START,
    "ended": START,
    "test": RESULT,
    "init_from": "5eed",
    "evaluations": {"other": RESULT},
    "sweep": {"parent": "5eed", "key": "k", "params": {"lr": [0.1]}, "trial": 1},
    "tracking": {"uri": None, "experiment": "mlp"},
    "resumed": [{"at": START, "changes": {"a.b": 1}, "provenance": RUN["provenance"]}],
}
WINNER = {"run": "5eed", "name": "a", "metric": "val/loss", "value": 0.5, "best": BEST}
FOUND = SWEEP | {"axes": {"lr": [0.1, "a"]}, "counts": {"finished": 1}, "best": WINNER}
RECORD, SWEEP_RECORD = (
    json.loads(kind.of(content).model_dump_json())
    for kind, content in ((RunRecord, WHOLE), (SweepRecord, FOUND))
)
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
@given(record=altered(RECORD) | altered(SWEEP_RECORD))
@example(record=RECORD | {"id": "../../etc"})
@example(record=RECORD | {"id": ".."})
@example(record=RECORD | {"sweep": RECORD["sweep"] | {"parent": "../.."}})
@example(record=RECORD | {"stop_reason": "\x1b[2J"})
@example(record=RECORD | {"tags": {"a": [{"\x9b": 1}]}})
@example(record=RECORD | {"seconds": float("nan")})
def test_record(tmp_path: Path, record: Any):
    """What is read can be relied on: ids lead nowhere else, and a terminal obeys nothing."""
    (tmp_path / "run.json").write_text(json.dumps(record))
    try:
        read = read_run(RunFolder(tmp_path))
    except RunError:
        return
    parent = read.sweep.parent if isinstance(read, RunRecord) and read.sweep else read.id
    for run_id in (read.id, parent):
        assert (tmp_path / run_id).resolve().parent == tmp_path
    text = read.model_dump_json()
    assert json.loads(text, parse_constant=pytest.fail)
    assert not any(f"\\u00{code:02x}" in text for code in [*range(32), *range(0x7F, 0xA0)])
    assert not any("\x7f" <= c <= "\x9f" for c in text)


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
