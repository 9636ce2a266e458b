"""One run being recorded: its folder is written as things happen, MLflow follows behind."""

import csv
import logging
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import ENOSPC
from io import StringIO
from os import strerror
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mlp.base import RunError, atomic_write, remove
from mlp.data import Scaler
from mlp.nn import MLP, Network, save
from mlp.runs.evaluations import record_evaluation
from mlp.runs.fallback import rescue
from mlp.runs.folder import RunFolder, read_history, read_run, update_run, write_text
from mlp.runs.lock import Life
from mlp.tracking.follower import Follower
from mlp.training import EpochEnded, Evaluation, Event, Outcome, RunEnded, RunStarted

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)


class Recorder:
    """Records a run: a listener of its training, and the context in which it all happens.

    Left without an exception the run is FINISHED, or KILLED if ``killed`` was set. Left by Ctrl-C
    or SystemExit it is KILLED, by any other exception FAILED, with the traceback in its folder.

    A folder that cannot be written, for want of space, ends no training: what is to be recorded
    waits, and the weights are stored elsewhere if it comes to that.

    Parameters
    ----------
    folder : RunFolder
        Of a run that has just been opened, or opened again; epochs that its history holds already
        are not recorded twice.
    client : MlflowClient or None
        None when the run has no counterpart in MLflow.
    life : Life
        Of the run; it is ended with it.
    sent : mapping of int to dict, optional
        Rows, by epoch, that MLflow has and the folder has lost: that epoch is recorded as it was
        then, and not a second time with other times.

    Attributes
    ----------
    folder : RunFolder
    record : dict
        What ``run.json`` holds, or would hold if it could be written.
    killed : bool
        To be set when a signal brought the training to a regular end.
    pruned : bool
        To be set when a pruner did.
    keep_checkpoint : bool
        To be set when a FINISHED run is to keep what it could go on from.
    """

    def __init__(
        self,
        folder: RunFolder,
        client: "MlflowClient | None",
        life: Life,
        sent: Mapping[int, dict[str, float]] | None = None,
    ) -> None:
        self.folder = folder
        self.killed = self.pruned = self.keep_checkpoint = False
        self.record = read_run(folder)
        self._life = life
        self._sent = sent or {}
        self._rows = read_history(folder)
        self._n_written = len(self._rows)
        self._in_trouble = False
        self._changes: dict[str, Any] = {}  # of the record, that could not be written yet
        self._follower = Follower(folder, client) if client else None
        if self._follower:
            self._follower.rows = self._rows

    def __enter__(self) -> "Recorder":
        self.log("opened")
        if self._follower:
            self._follower.start()
        return self

    def __call__(self, event: Event) -> None:
        """Record an event of the training."""
        match event:
            case RunStarted():
                self._start(event)
            case EpochEnded():
                self._add(event.epoch, event.metrics)
            case RunEnded(outcome):
                best = {"epoch": outcome.best_epoch} | outcome.best if outcome.best else None
                best = self.record["best"] if self.has_better_than(outcome) else best
                self._update(best=best, stop_reason=outcome.stop_reason)
                self.log(f"stopped after {outcome.epochs} epochs: {outcome.stop_reason}")

    def log(self, line: str) -> None:
        """Add a line to the run's log, with the time in front."""
        with self._tolerant(), self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')}  {line}\n")

    def has_better_than(self, outcome: Outcome) -> bool:
        """Tell whether an earlier start, which got further than this one, has stored weights."""
        stored = self.record["best"] and self.folder.weights.exists()
        return bool(stored) and outcome.epochs < self._n_epochs

    def save_weights(self, model: MLP, network: Network, scaler: Scaler) -> None:
        """Write what evaluation needs: the network and the scaling of its inputs.

        Raises
        ------
        RunError
            When the run's folder does not take them; it says where they are instead.
        """

        def write(place: Path) -> None:
            with atomic_write(place) as unfinished:
                unfinished.mkdir()
                save(unfinished, model, network)
                scaler.save(unfinished)

        try:
            write(self.folder.weights)
        except OSError as error:
            where = rescue(self.folder, self.record, self._rows, write)
            why = error.strerror or error
            raise RunError(f"{self.folder.path} cannot be written ({why}): {where}") from error

    def save_test(self, evaluation: Evaluation, classes: Sequence[str]) -> None:
        """Record the result on the run's own test set."""
        record_evaluation(self.folder, evaluation, classes)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        changes: dict[str, Any] = {"epochs": self._n_epochs, "pruned": self.pruned}
        changes["status"] = "KILLED" if self.killed else "FINISHED"
        if error is not None:
            interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
            changes["status"] = "KILLED" if interrupted else "FAILED"
            changes["stop_reason"] = str(error) or type(error).__name__
            if interrupted:
                changes["stop_reason"] = self.record["stop_reason"] or "interrupted"
            else:
                with self._tolerant():
                    text = "".join(traceback.format_exception(error))
                    write_text(self.folder.traceback, text)
        ended = datetime.now(UTC)
        since = datetime.fromisoformat(self.record.get("continued") or self.record["started"])
        seconds = (self.record["seconds"] or 0.0) + (ended - since).total_seconds()
        in_order = self._update(**changes, ended=ended.isoformat(), seconds=seconds)
        if in_order and changes["status"] == "FINISHED" and not self.keep_checkpoint:
            remove(self.folder.checkpoints)
        self.log(f"{self.record['status']}: {self.record['stop_reason']}")
        if self._follower and in_order:
            if isinstance(error, SystemExit):  # a second signal: the user waits for nothing more
                self._follower.abandon()
            else:
                self._follower.finish()
                self.record = read_run(self.folder)  # which tells now whether MLflow has it
        self._life.end(in_order)

    @property
    def _n_epochs(self) -> int:
        return int(self._rows[-1]["epoch"]) if self._rows else 0

    def _start(self, event: RunStarted) -> None:
        """Record what is going to be trained, and epochs that were lost with a machine's power."""
        self._update(monitor=event.monitor)
        for past in event.history:
            self._add(int(past["epoch"]), {k: v for k, v in past.items() if k != "epoch"})
        if event.history:
            self.log(f"continued after epoch {len(event.history)}")

    def _add(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Append an epoch to the history, unless it is the repetition of one that is there."""
        if epoch <= self._n_epochs:
            return
        row = {"timestamp": time.time_ns() // 1_000_000, **metrics} | self._sent.get(epoch, {})
        values = {name: float(row[name]) for name in metrics}
        self._rows.append({"epoch": epoch, "timestamp": row["timestamp"], **values})
        with self._tolerant():
            self._write_rows()

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

    def _update(self, **changes: Any) -> bool:
        """Change entries of the record; tell whether the folder has it."""
        self._changes |= changes
        self.record = self.record | changes
        with self._tolerant():
            self.record = update_run(self.folder, **self._changes)
            self._changes = {}
            return True
        return False

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
