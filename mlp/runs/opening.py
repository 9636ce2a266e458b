"""Opening a run for the first time, with all that is known of it by then, or once more."""

import logging
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import numpy as np

from mlp.base import RunError, atomic_write, remove, remove_unfinished, runs_dir
from mlp.data import Dataset, Parts
from mlp.nn import Network
from mlp.runs.checkout import checkout_of_sweep, read_checkout
from mlp.runs.code import code_changes, code_of_run, code_of_today
from mlp.runs.folder import (
    RunFolder,
    config_digest,
    mend_history,
    read_config,
    read_history,
    read_training,
    update_run,
    write_run,
    write_text,
    write_yaml,
)
from mlp.runs.inspections import read_inspections
from mlp.runs.lock import RunLock, mark_orphaned, this_process
from mlp.runs.own_code import copy_code, own_classes
from mlp.runs.presets import is_changed_preset
from mlp.runs.provenance import collect_provenance, origin_changes
from mlp.runs.record import Resumption, RunRecord, Tracking
from mlp.runs.recorder import Recorder

logger = logging.getLogger(__name__)


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
    checkout = checkout_of_sweep(job["parent"]) if job else read_checkout()
    values = {
        "id": own,
        "name": (job.pop("name") if job else config.get("name")) or f"run-{own[:8]}",
        "started": datetime.now(UTC),
        "command": shlex.join(["mlp", "run", *overrides]),
        "tags": config.get("tags") or {},
        "config_digest": config_digest(config),
        "limited": bool(trainer.get("limit_batches") or trainer.get("overfit_batches")),
        "init_from": config.get("init_from"),
        "published": None if is_changed_preset(overrides) else config.get("published"),
        "model": _describe_network(network),
        "data": _describe_data(dataset, parts),
        "provenance": collect_provenance(checkout),
        "process": this_process(),
        "tracking": tracking,
        "sweep": job,
        "code": own_classes(config),
    }
    record, folder = RunRecord.of(values), RunFolder.of(own)
    make_runs_dir()
    with opening_lock(folder, new=True) as lock:
        write_yaml(folder.config, config)
        write_yaml(folder.overrides, list(overrides))
        if checkout.diff:
            write_text(folder.diff, checkout.diff)
        copy_code(record.code, folder)
        with atomic_write(folder.example) as unfinished, unfinished.open("wb") as file:
            np.save(file, dataset.x_train[:1])
        write_run(folder, record)
        return Recorder(folder, lock)


def reopen_run(folder: RunFolder, dataset: Dataset, changes: Mapping[str, Any]) -> Recorder:
    """Open an interrupted run again, and return what records the rest of it.

    Parameters
    ----------
    folder : RunFolder
    dataset : Dataset
        As it is today.
    changes : mapping
        What differs from the stored configuration from here on, by dotted key.

    Raises
    ------
    RunError
        When another process works on the run, or its data have changed.
    """
    mark_orphaned(folder)
    with opening_lock(folder) as lock:
        record = read_training(folder)
        if dataset.digest != record.data.digest:
            raise RunError(
                f"the data of {record.name} have changed since it began; it cannot go on with "
                "others"
            )
        remove_unfinished(folder.path)
        remove_unfinished(folder.figures)
        remove(folder.traceback)
        mend_history(folder)
        read_history(folder)  # a damaged one is refused before anything is changed
        read_inspections(folder)
        job = record.sweep
        checkout = checkout_of_sweep(job.parent) if job else read_checkout()
        edits = code_changes(code_of_run(folder), code_of_today(read_config(folder), checkout))
        now, origin = datetime.now(UTC), collect_provenance(checkout)
        resumption = Resumption(
            at=now, changes=dict(changes), provenance=origin, code_changes=tuple(edits)
        )
        update_run(
            folder,
            status="RUNNING",
            continued=now,
            ended=None,
            stop_reason=None,
            refit=None,
            test=None,
            process=this_process(),
            resumed=[*record.resumed, resumption],
        )
        run = Recorder(folder, lock)
    for difference in (*origin_changes(record.provenance, origin), *edits):
        logger.warning("%s: the results may differ", difference)
        run.log(difference)
    return run


def make_runs_dir() -> None:
    """Make the folder of the runs if need be; RunError when that is not possible."""
    try:
        runs_dir().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"the folder of the runs, {runs_dir()}, cannot be made: {error.strerror} "
            "(MLP_RUNS=... chooses another)"
        ) from None


@contextmanager
def opening_lock(folder: RunFolder, new: bool = False) -> Iterator[RunLock]:
    """Hold a run's lock, which is given back, and a new run removed, if it cannot be opened."""
    try:
        folder.path.mkdir(exist_ok=not new)
        lock = RunLock(folder)
        try:
            yield lock
        except BaseException:
            lock.end()
            if new:
                remove(folder.path)
            raise
    except OSError as error:
        why = error.strerror or error
        raise RunError(f"the run's folder {folder.path} cannot be written: {why}") from None


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
        "columns": {column.name: column.kind for column in dataset.columns or ()},
        "classes": dataset.classes,
        "targets": dataset.targets,
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
