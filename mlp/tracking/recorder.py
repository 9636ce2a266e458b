"""One run being recorded: its folder is written as things happen, MLflow follows behind."""

import csv
import time
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from mlp.data import Scaler
from mlp.files import whole
from mlp.nn import MLP, Network, save
from mlp.tracking.evaluations import record_evaluation
from mlp.tracking.folder import RunFolder, read_run, update_run, write_text
from mlp.tracking.follower import Follower
from mlp.training import EpochEnded, Evaluation, Event, RunEnded, RunStarted

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Recorder:
    """Records a run: a listener of its training, and the context in which it all happens.

    Left without an exception the run is FINISHED, or KILLED if ``killed`` was set. Left by Ctrl-C
    or SystemExit it is KILLED, by any other exception FAILED, with the traceback in its folder.

    Parameters
    ----------
    folder : RunFolder
        Of a run that has just been opened.
    client : MlflowClient or None
        None when the run has no counterpart in MLflow.

    Attributes
    ----------
    folder : RunFolder
    killed : bool
        To be set when a signal brought the training to a regular end.
    pruned : bool
        To be set when a pruner did.
    """

    def __init__(self, folder: RunFolder, client: "MlflowClient | None") -> None:
        self.folder, self.killed, self.pruned = folder, False, False
        self._epochs = 0
        self._history: TextIO | None = None
        self._follower = Follower(folder, client) if client else None

    def __enter__(self) -> "Recorder":
        self.log("opened")
        if self._follower:
            self._follower.start()
        return self

    def __call__(self, event: Event) -> None:
        """Record an event of the training."""
        match event:
            case RunStarted():
                update_run(self.folder, monitor=event.monitor)
            case EpochEnded():
                self._append_to_history(event.epoch, event.metrics)
            case RunEnded(outcome):
                best = {"epoch": outcome.best_epoch} | outcome.best if outcome.best else None
                update_run(self.folder, best=best, stop_reason=outcome.stop_reason)
                self.log(f"stopped after {outcome.epochs} epochs: {outcome.stop_reason}")

    def log(self, line: str) -> None:
        """Add a line to the run's log, with the time in front."""
        with self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')}  {line}\n")

    def save_weights(self, model: MLP, network: Network, scaler: Scaler) -> None:
        """Write what evaluation needs: the network and the scaling of its inputs."""
        with whole(self.folder.weights) as unfinished:
            unfinished.mkdir()
            save(unfinished, model, network)
            scaler.save(unfinished)

    def save_test(self, evaluation: Evaluation, classes: Sequence[str]) -> None:
        """Record the result on the run's own test set."""
        record_evaluation(self.folder, evaluation, classes)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._history:
            self._history.close()
        changes: dict[str, Any] = {"epochs": self._epochs, "pruned": self.pruned}
        changes["status"] = "KILLED" if self.killed else "FINISHED"
        if error is not None:
            interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
            changes["status"] = "KILLED" if interrupted else "FAILED"
            changes["stop_reason"] = str(error) or type(error).__name__
            if not interrupted:
                write_text(self.folder.traceback, "".join(traceback.format_exception(error)))
        ended = datetime.now(UTC)
        started = datetime.fromisoformat(read_run(self.folder)["started"])
        changes |= {"ended": ended.isoformat(), "seconds": (ended - started).total_seconds()}
        record = update_run(self.folder, **changes)
        self.log(f"{record['status']}: {record['stop_reason']}")
        if self._follower:
            self._follower.finish()

    def _append_to_history(self, epoch: int, metrics: Mapping[str, float]) -> None:
        row: dict[str, float] = {"epoch": epoch, "timestamp": time.time_ns() // 1_000_000}
        row |= {name: float(value) for name, value in metrics.items()}
        if self._history is None:
            self._history = self.folder.history.open("a", newline="", encoding="utf-8")
            self._rows = csv.DictWriter(self._history, list(row), lineterminator="\n")
            self._rows.writeheader()
        self._rows.writerow(row)
        self._history.flush()
        self._epochs = epoch
        if self._follower:
            self._follower.rows.append(row)
