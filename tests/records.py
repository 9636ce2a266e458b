"""Hand-made records of a sweep and its runs, as `mlp.sweep` leaves them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlp.runs import RunFolder, RunRecord, SweepRecord, write_csv, write_run
from mlp.runs.folder import write_yaml

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
BEST = {"epoch": 2, "metrics": {"val/loss": 0.5, "val/accuracy": 0.9, "lr": 0.1}}
PROVENANCE: dict[str, Any] = {
    "git": None,
    "versions": {"numpy": "2.0"},
    "blas": {"library": "openblas", "version": "0.3", "threads": 1},
    "host": "here",
    "platform": "Linux",
    "user": "me",
}
COMMON: dict[str, Any] = {
    "id": "5eed",
    "name": "a run",
    "status": "FINISHED",
    "started": START,
    "seconds": 2.0,
    "stop_reason": "max_epochs",
    "command": "mlp run",
    "provenance": PROVENANCE,
    "process": {"host": "here", "pid": 1},
    "tracking": None,
}
RUN: dict[str, Any] = COMMON | {
    "kind": "run",
    "monitor": "val/loss",
    "limited": False,
    "epochs": 3,
    "best": BEST,
    "model": {"layers": ["dense 2 → 2"], "loss": "SoftmaxCrossEntropy", "n_parameters": 6},
    "data": {
        "name": "npz",
        "n_in": 2,
        "classes": ["0", "1"],
        "image_shape": None,
        "digest": "abc",
        "split": "def",
        "n_train": 20,
        "n_val": 5,
        "n_test": 10,
    },
}
SWEEP: dict[str, Any] = COMMON | {
    "kind": "sweep",
    "identity": "",
    "monitor": "val/loss",
    "axes": {},
    "n_jobs": 0,
}


def make_run(runs: Path, run_id: str, **changes: Any) -> RunFolder:
    """Write a run of its own; of ``data`` and ``best`` (flat), what differs will do."""
    folder = RunFolder(runs / run_id)
    folder.path.mkdir(parents=True)
    start = START + timedelta(minutes=len(list(runs.iterdir())))
    own = {"id": run_id, "name": f"name-{run_id}", "started": start}
    write_run(folder, RunRecord.of(RUN | own | _whole(changes)))
    return folder


def make_sweep(runs: Path, sweep_id: str = "5eed", **changes: Any) -> RunFolder:
    """Write a sweep of no run yet."""
    folder = RunFolder(runs / sweep_id)
    folder.path.mkdir(parents=True)
    own = {"id": sweep_id, "name": f"sweep-{sweep_id}"}
    write_run(folder, SweepRecord.of(SWEEP | own | changes))
    return folder


def make_child(
    runs: Path,
    run_id: str,
    params: Mapping[str, Any],
    value: float | None = 0.5,
    *,
    parent: str = "5eed",
    **changes: Any,
) -> RunFolder:
    """Write a run of a sweep, whose val/loss was best, with ``value``, in the second epoch."""
    folder = RunFolder(runs / run_id)
    folder.path.mkdir(parents=True)
    metrics = BEST["metrics"] | {"val/loss": value}
    own = {
        "id": run_id,
        "name": " ".join(f"{key}={params[key]}" for key in params),
        "started": START + timedelta(seconds=len(list(runs.iterdir()))),
        "best": None if value is None else BEST | {"metrics": metrics},
        "sweep": {"parent": parent, "key": f"key of {run_id}", "params": dict(params)},
    }
    write_run(folder, RunRecord.of(RUN | own | _whole(changes)))
    write_yaml(folder.config, nested(params))
    level = value or 1.0
    rows = [(epoch, 0, level * factor, 0.8) for epoch, factor in enumerate((2.0, 1.0, 1.5), 1)]
    write_csv(folder.history, ["epoch", "timestamp", "val/loss", "val/accuracy"], rows)
    return folder


def _whole(changes: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(changes)
    if best := whole.get("best"):
        metrics = {key: value for key, value in best.items() if key != "epoch"}
        whole["best"] = {"epoch": best["epoch"], "metrics": metrics}
    if "data" in whole:
        whole["data"] = RUN["data"] | whole["data"]
    return whole


def nested(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with these values under these dotted keys, among others."""
    config: dict[str, Any] = {
        "name": None,
        "model": {"_target_": "mlp.nn.MLP", "dropout": 0.0},
        "optimizer": {"_target_": "mlp.nn.SGD", "lr": 0.1},
    }
    for key, value in params.items():
        group, _, name = key.rpartition(".")
        (config.setdefault(group, {}) if group else config)[name] = value
    return config
