"""Hand-made records of a sweep and its runs, as `mlp.sweep` leaves them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlp.runs import RunFolder, write_csv, write_run
from mlp.runs.folder import write_yaml


def make_sweep(runs: Path, sweep_id: str = "5eed", **changes: Any) -> RunFolder:
    """Write a sweep of no run yet."""
    folder = RunFolder(runs / sweep_id)
    folder.path.mkdir(parents=True)
    record = {
        "kind": "sweep",
        "id": sweep_id,
        "name": f"sweep-{sweep_id}",
        "status": "FINISHED",
        "started": "2026-01-01T10:00:00+00:00",
        "jobs": [],
        "tracking": None,
    }
    write_run(folder, record | changes)
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
    best = {"epoch": 2, "val/loss": value, "val/accuracy": 0.9, "lr": 0.1}
    record = {
        "id": run_id,
        "name": " ".join(f"{key}={params[key]}" for key in params),
        "status": "FINISHED",
        "started": f"2026-01-01T10:00:{len(list(runs.iterdir())):02}+00:00",
        "seconds": 2.0,
        "stop_reason": "max_epochs",
        "monitor": "val/loss",
        "epochs": 3,
        "best": None if value is None else best,
        "test": None,
        "evaluations": {},
        "data": {"digest": "abc", "n_test": 10},
        "provenance": {"git": None, "host": "here"},
        "tracking": None,
        "sweep": {"parent": parent, "key": f"key of {run_id}", "name": "", "params": dict(params)},
    }
    write_run(folder, record | changes)
    write_yaml(folder.config, nested(params))
    level = value or 1.0
    rows = [(epoch, 0, level * factor, 0.8) for epoch, factor in enumerate((2.0, 1.0, 1.5), 1)]
    write_csv(folder.history, ["epoch", "timestamp", "val/loss", "val/accuracy"], rows)
    return folder


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
