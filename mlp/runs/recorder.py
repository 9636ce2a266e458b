"""A run being recorded: its folder is written as things happen."""

import csv
import logging
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from errno import ENOSPC
from io import StringIO
from math import isfinite
from os import strerror
from pathlib import Path
from types import TracebackType
from typing import Any

from mlp.base import RunError, atomic_write, counted, in_one_line, remove
from mlp.nn import MLP
from mlp.runs.evaluations import summary_of, write_predictions
from mlp.runs.folder import (
    RunFolder,
    read_history,
    read_training,
    update_run,
    write_csv,
    write_run,
    write_text,
)
from mlp.runs.inspections import append_inspection, read_inspections
from mlp.runs.lock import RunLock
from mlp.runs.own_code import where_in_own_code
from mlp.runs.record import Best, Refit
from mlp.training import (
    DivergedError,
    EpochEnded,
    Evaluation,
    Event,
    Inspected,
    Inspection,
    Outcome,
    Predictor,
    RunEnded,
    RunStarted,
    diagnose,
)

logger = logging.getLogger(__name__)


class Recorder:
    """Records a run: a listener of its training, and the context in which it all happens.

    The context holds the run's lock, and ends the run unless `end` was called in it.

    A folder that cannot be written, for want of space, ends no training: what is to be recorded
    waits, and the weights are stored elsewhere if it comes to that.

    Parameters
    ----------
    folder : RunFolder
        Of a run that has just been opened, or opened again; epochs that its history holds already
        are not recorded twice.
    lock : RunLock
        Of the run.

    Attributes
    ----------
    folder : RunFolder
    record : RunRecord
        What ``run.json`` holds, or would hold if it could be written.
    killed : bool
        To be set when a signal brought the training to a regular end.
    pruned : bool
        To be set when a pruner did.
    keep_checkpoint : bool
        To be set when a FINISHED run is to keep what it could go on from.
    """

    def __init__(self, folder: RunFolder, lock: RunLock) -> None:
        self.folder = folder
        self.killed = self.pruned = self.keep_checkpoint = False
        self.record = read_training(folder)
        self._lock = lock
        self._rows = read_history(folder)
        self._inspected = [inspection.epoch for inspection in read_inspections(folder)]
        self._n_written = len(self._rows)
        self._in_trouble = False
        self._changes: dict[str, Any] = {}  # of the record, that could not be written yet

    def __enter__(self) -> "Recorder":
        self.log("opened")
        return self

    def __call__(self, event: Event) -> None:
        """Record an event of the training."""
        match event:
            case RunStarted():
                self._start(event)
            case EpochEnded():
                self._add(event.epoch, event.metrics)
            case Inspected(inspection):
                self._add_inspection(inspection)
            case RunEnded(outcome):
                best = None
                if self.has_better_than(outcome):
                    best = self.record.best
                elif outcome.best:
                    best = Best(epoch=outcome.best_epoch, metrics=_finite(outcome.best))
                self._update(best=best, stop_reason=outcome.stop_reason)
                self.log(f"stopped after {counted(outcome.epochs, 'epoch')}: {outcome.stop_reason}")

    def log(self, line: str) -> None:
        """Add a line to the run's log, with the time in front."""
        with self._tolerant(), self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')}  {line}\n")

    def has_better_than(self, outcome: Outcome) -> bool:
        """Tell whether an earlier start, which got further than this one, has stored weights."""
        stored = self.record.best and self.folder.weights.exists()
        return bool(stored) and outcome.epochs < self._n_epochs

    def save_weights(self, predictor: Predictor, model: MLP) -> None:
        """Write what predicts: the network, the scaling of its inputs, the names of its classes.

        Raises
        ------
        RunError
            When the run's folder does not take them; it says where they are instead.
        """

        def write(place: Path) -> None:
            with atomic_write(place) as unfinished:
                unfinished.mkdir()
                predictor.save(unfinished, model)

        try:
            try:
                write(self.folder.weights)
            except OSError as error:
                if error.errno != ENOSPC or not self.folder.checkpoints.exists():
                    raise
                self.log("the disk is full: the checkpoints make room for the weights")
                remove(self.folder.checkpoints)
                write(self.folder.weights)
        except OSError as error:
            why, where = error.strerror or error, self._save_elsewhere(write)
            raise RunError(f"{self.folder.path} cannot be written ({why}): {where}") from error

    def _save_elsewhere(self, write_weights: Callable[[Path], None]) -> str:
        """Store weights and history where there is space; tell where, or that they are lost."""
        for place in (Path(tempfile.gettempdir()), Path.home()):
            with suppress(OSError):
                path = Path(tempfile.mkdtemp(prefix=f"mlp-{self.record.id[:8]}-", dir=place))
                saved = RunFolder(path)
                try:
                    write_weights(saved.weights)
                    if self._rows:
                        rows = (row.values() for row in self._rows)
                        write_csv(saved.history, list(self._rows[0]), rows)
                    write_run(saved, self.record)
                    if self.folder.config.exists():  # not in a folder that was deleted meanwhile
                        shutil.copy2(self.folder.config, saved.config)
                except OSError:
                    remove(path)
                    raise
                return f"the best epoch's weights and the history are in {path}"
        return "the weights are lost: the temporary and the home folder do not take them either"

    def save_refit(self, outcome: Outcome) -> None:
        """Record a second training, of which the weights have been written."""
        seconds = sum(epoch["seconds"] for epoch in outcome.history)
        self._update(refit=Refit(epochs=outcome.epochs, seconds=seconds))
        self.log(f"trained again: {counted(outcome.epochs, 'epoch')} in {seconds:.1f} s")

    def interrupt(self, reason: str) -> None:
        """Record why a second training did not come to its end."""
        self._update(stop_reason=reason)

    def save_test(self, evaluation: Evaluation, classes: Sequence[str]) -> None:
        """Record the result on the run's own test set, as far as the disk takes it."""
        self._update(test=summary_of(evaluation, self.record.data.digest))
        with self._tolerant():
            write_predictions(self.folder.test_predictions, evaluation, classes)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.record.status == "RUNNING":
            self.end(error)
        self._lock.end()

    def end(self, error: BaseException | None = None) -> None:
        """Record how the run has ended.

        Without an error it is FINISHED, or KILLED if ``killed`` was set. After Ctrl-C or SystemExit
        it is KILLED, after any other exception FAILED, with the traceback in its folder.
        """
        changes: dict[str, Any] = {"epochs": self._n_epochs, "pruned": self.pruned}
        changes["status"] = "KILLED" if self.killed else "FINISHED"
        if error is not None:
            interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
            changes["status"] = "KILLED" if interrupted else "FAILED"
            changes["stop_reason"] = in_one_line(error) + where_in_own_code(error)
            if interrupted:
                changes["stop_reason"] = self.record.stop_reason or "interrupted"
            else:
                with self._tolerant():
                    text = "".join(traceback.format_exception(error))
                    write_text(self.folder.traceback, text)
        with self._tolerant():
            if looks := read_inspections(self.folder):
                diverged = isinstance(error, DivergedError)
                changes["findings"] = tuple(diagnose(looks, self._rows, diverged))
        self._update(**changes, **self.record.ended_at(datetime.now(UTC)))
        if not self._changes and changes["status"] == "FINISHED" and not self.keep_checkpoint:
            remove(self.folder.checkpoints)
        self.log(f"{self.record.status}: {self.record.stop_reason}")

    @property
    def _n_epochs(self) -> int:
        return int(self._rows[-1]["epoch"]) if self._rows else 0

    def _start(self, event: RunStarted) -> None:
        """Record what is going to be trained, and epochs that were lost with a machine's power."""
        self._update(monitor=event.monitor or "train/loss")
        for past in event.history:
            self._add(int(past["epoch"]), {k: v for k, v in past.items() if k != "epoch"})
        if event.history:
            self.log(f"continued after epoch {len(event.history)}")

    def _add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Append an epoch to the history, unless it is the repetition of one that is there."""
        if epoch <= self._n_epochs:
            return
        now = time.time_ns() // 1_000_000
        self._rows.append({"epoch": epoch, "timestamp": now, **metrics})
        with self._tolerant():
            self._write_rows()

    def _add_inspection(self, inspection: Inspection) -> None:
        """Record a look inside, unless it is the repetition of one that is there."""
        if inspection.epoch > max(self._inspected, default=-1):
            self._inspected.append(inspection.epoch)
            with self._tolerant():
                append_inspection(self.folder, inspection)

    def _write_rows(self) -> None:
        """Append to the history what is not there yet; all of it, or nothing."""
        text = StringIO()
        writer = csv.DictWriter(text, list(self._rows[0]), lineterminator="\n")
        with self.folder.history.open("ab", buffering=0) as file:
            end = file.tell()
            if end == 0:
                writer.writeheader()
            writer.writerows(self._rows[self._n_written :])
            content = text.getvalue().encode()
            if file.write(content) < len(content):
                file.truncate(end)
                raise OSError(ENOSPC, strerror(ENOSPC))
        self._n_written = len(self._rows)

    def _update(self, **changes: Any) -> None:
        """Change entries of the record, in the folder as soon as it can be written."""
        self._changes |= changes
        self.record = self.record.changed(**changes)
        with self._tolerant():
            update_run(self.folder, **self._changes)
            self.record = read_training(self.folder)
            self._changes = {}

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        """Do without something that cannot be written; say so the first time."""
        try:
            yield
        except (OSError, RunError) as error:
            if not self._in_trouble:
                why = getattr(error, "strerror", None) or error
                logger.warning("%s cannot be written: %s", self.folder.path, why)
            self._in_trouble = True


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics that JSON has numbers for."""
    return {name: float(value) for name, value in metrics.items() if isfinite(value)}
