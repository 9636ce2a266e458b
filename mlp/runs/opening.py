"""Opening a run: its id is drawn, and its folder made with all that is known of it by then."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import numpy as np

from mlp.base import RunError, atomic_write, remove, runs_dir
from mlp.data import Dataset, Parts
from mlp.nn import Network
from mlp.runs.folder import RunFolder, write_run, write_text, write_yaml
from mlp.runs.lock import RunLock, this_process
from mlp.runs.provenance import collect_provenance, git_diff
from mlp.runs.record import RunRecord, Tracking, make_record
from mlp.runs.recorder import Recorder


def open_run(
    tracking: Tracking | None,
    config: Mapping[str, Any],
    overrides: Sequence[str],
    dataset: Dataset,
    parts: Parts,
    network: Network,
    sweep: Mapping[str, Any] | None = None,
) -> Recorder:
    """Open a run and return what records the rest of it.

    To be called when all has been checked and loaded, so that no half-made run remains.

    Parameters
    ----------
    tracking : Tracking or None
        Where the run is mirrored.
    config : mapping
        The composed and resolved configuration, plain containers; its ``name`` and ``tags`` are
        the run's.
    overrides : sequence of str
        As typed; they make the command that repeats the run.
    dataset : Dataset
    parts : Parts
    network : Network
    sweep : mapping, optional
        Of a job of a sweep: ``parent``, the sweep's id, and the ``name`` that the run is to have;
        stored as it is.

    Raises
    ------
    RunError
        When the runs' folder cannot be written.
    """
    own, trainer = uuid4().hex, config["trainer"]
    job = dict(sweep) if sweep else None
    values = {
        "id": own,
        "name": (job.pop("name") if job else config.get("name")) or f"run-{own[:8]}",
        "started": datetime.now(UTC),
        "command": shlex.join(["python", "-m", "mlp.run", *overrides]),
        "tags": config.get("tags") or {},
        "limited": bool(trainer.get("limit_batches") or trainer.get("overfit_batches")),
        "init_from": config.get("init_from"),
        "model": _describe_network(network),
        "data": _describe_data(dataset, parts),
        "provenance": collect_provenance(),
        "process": this_process(),
        "tracking": tracking,
        "sweep": job,
    }
    record = make_record(RunRecord, values)
    make_runs_dir()
    folder = RunFolder.of(record.id)
    try:
        lock = _make_folder(folder, record, config, overrides, dataset.x_train[:1])
    except OSError as error:
        raise RunError(f"the run's folder {folder.path} cannot be written: {error}") from None
    return Recorder(folder, lock)


def make_runs_dir() -> None:
    """Make the folder of the runs if need be; RunError when that is not possible."""
    try:
        runs_dir().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"the folder of the runs, {runs_dir()}, cannot be made: {error.strerror} "
            "(MLP_RUNS=... chooses another)"
        ) from None


def _make_folder(
    folder: RunFolder,
    record: RunRecord,
    config: Mapping[str, Any],
    overrides: Sequence[str],
    example: np.ndarray,
) -> RunLock:
    """Make the folder with all that is known of the run now, or leave nothing."""
    folder.path.mkdir()
    lock = RunLock(folder)
    try:
        write_yaml(folder.config, config)
        write_yaml(folder.overrides, list(overrides))
        if record.provenance.git and record.provenance.git.dirty:
            write_text(folder.diff, git_diff())
        with atomic_write(folder.example) as unfinished, unfinished.open("wb") as file:
            np.save(file, example)
        write_run(folder, record)
    except BaseException:
        lock.end()
        remove(folder.path)
        raise
    return lock


def _describe_network(network: Network) -> dict[str, Any]:
    return {
        "layers": [str(layer) for layer in network.layers],
        "loss": str(network.loss),
        "n_parameters": network.params.size,
    }


def _describe_data(dataset: Dataset, parts: Parts) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "n_in": dataset.n_in,
        "classes": dataset.classes,
        "image_shape": dataset.image_shape,
        "digest": dataset.digest,
        "split": split_digest(parts),
        "n_train": len(parts.train),
        "n_val": len(parts.val) if parts.val else 0,
        "n_test": len(parts.test) if parts.test else 0,
    }


def split_digest(parts: Parts) -> str:
    """Return a hash of which rows train; runs with the same one validate on the same rows."""
    rows = np.arange(len(parts.train)) if parts.train.rows is None else parts.train.rows
    return sha256(rows.astype(np.int64).tobytes()).hexdigest()
