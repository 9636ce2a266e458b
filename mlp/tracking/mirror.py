"""The process that brings runs to MLflow: ``python -m mlp.tracking.mirror``, see `ensure_mirror`.

It serves the outbox: it sends the new epochs of runs in training, and everything of runs that have
ended. It depends on no other process; what it leaves undone when it dies, the next one does.
"""

import fcntl
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING

from mlp.base import RunError, collect_seldom
from mlp.runs import (
    Record,
    RunFolder,
    SweepRecord,
    is_alive,
    mark_orphaned,
    read_history,
    read_run,
    settle,
    undelivered_runs,
)
from mlp.tracking.address import is_lost, tracking_uri, uri_of
from mlp.tracking.delivery import deliver, last_epoch, send_opening, send_rows
from mlp.tracking.mirror_start import lock_file, locked
from mlp.tracking.retry import retrying
from mlp.tracking.store import keep_mlflow_quiet, mlflow_client, reason_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

POLL = 0.05  # seconds between two looks at the outbox, at least
INTERVAL = 2.0  # seconds between two batches of a run's epochs; a shorter run is sent as a whole
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 30.0  # seconds between two attempts at what fails
TURN = 2.0  # seconds given to ended runs before those that are being trained are served again
IDLE = 10.0  # seconds without anything to do after which the process ends


def main() -> None:
    """Serve the outbox until there is nothing left to do; the lock was acquired by our parent."""
    collect_seldom()
    lock, mirror = int(sys.argv[1]), Mirror()
    mirror.get_ready()
    last = monotonic()
    while _is_current(lock) and not mirror.has_lost_store:
        begin = monotonic()
        if mirror.step():
            last = monotonic()
        elif monotonic() > last + IDLE:
            fcntl.flock(lock, fcntl.LOCK_UN)  # from here on another process may be started
            if not mirror.step() or not locked(lock):
                return
        sleep(max(POLL, monotonic() - begin))


def _is_current(lock: int) -> bool:
    """Tell whether the runs' folder is still the one in which we hold the lock."""
    try:
        return os.path.samestat(os.fstat(lock), lock_file().stat())
    except FileNotFoundError:
        return False


@dataclass
class _Progress:
    """How much of a run in the outbox has been sent."""

    record: bytes = b""  # at the last attempt
    running: bool = False
    due: float = 0.0  # when it is tried again, unless its record changes before
    pause: float = 0.0  # after the last failure
    run_id: str = ""  # of its counterpart, while it is being trained
    sent: bytes = b""  # of a sweep, its record
    epoch: int = 0  # the last that was sent
    next_batch: float = field(default_factory=lambda: monotonic() + INTERVAL)


class Mirror:
    """Brings the runs in the outbox to the MLflow store in force."""

    def __init__(self) -> None:
        self._progress: dict[str, _Progress] = {}

    @cached_property
    def _client(self) -> "MlflowClient":
        return retrying(mlflow_client())

    def get_ready(self) -> None:
        """Import what takes long, and connect to a store that exists: a run may be on its way."""
        keep_mlflow_quiet()
        import mlflow.pyfunc  # noqa: F401 - the models'

        with suppress(Exception):  # it is tried again, and told, with the first run
            if not is_lost(tracking_uri()):
                _ = self._client

    @property
    def has_lost_store(self) -> bool:
        """Whether our database was deleted after it was opened: what is written now is lost."""
        return "_client" in self.__dict__ and is_lost(tracking_uri())

    def step(self) -> bool:
        """Send what is new; tell whether something was sent, or will be."""
        end_of_turn, busy = monotonic() + TURN, False
        for folder in undelivered_runs():
            progress = self._progress.setdefault(folder.path.name, _Progress())
            if progress.running or monotonic() < end_of_turn:
                busy |= self._serve(folder, progress)
        return busy

    def _serve(self, folder: RunFolder, progress: _Progress) -> bool:
        """Send what is new of one run; tell whether something was sent, or will be."""
        try:
            content = folder.record.read_bytes()
            if content == progress.record and monotonic() < progress.due:
                return progress.running
            progress.record, progress.due = content, inf
            record = mark_orphaned(folder) or read_run(folder)
        except (OSError, RunError):  # damaged, or just being made
            if not folder.path.exists():
                folder.undelivered.unlink(missing_ok=True)
            return False
        if record.tracking is None or uri_of(record.tracking) != tracking_uri():
            return False
        progress.running = record.status == "RUNNING" or is_alive(folder)
        try:
            if progress.running:
                self._follow(folder, record, progress)
            else:
                deliver(folder, self._client)
        except Exception as error:
            progress.pause = min(2 * progress.pause or SHORTEST_PAUSE, LONGEST_PAUSE)
            progress.due = monotonic() + progress.pause
            settle(folder, content, reason_of(error))
            return progress.running
        progress.pause, progress.due = 0.0, 0.0
        if not progress.running:
            del self._progress[folder.path.name]
            settle(folder, content)
        return True

    def _follow(self, folder: RunFolder, record: Record, progress: _Progress) -> None:
        """Send what has happened since the last time in a run that has not ended."""
        if isinstance(record, SweepRecord):
            if progress.sent != progress.record:
                deliver(folder, self._client)
                progress.sent = progress.record
            return
        if monotonic() < progress.next_batch:
            return
        rows = read_history(folder)
        if not progress.run_id:
            run = send_opening(folder, self._client)
            progress.run_id, progress.epoch = run.info.run_id, last_epoch(self._client, run, rows)
        new = [row for row in rows if row["epoch"] > progress.epoch]
        send_rows(self._client, progress.run_id, new, record.monitor)
        progress.epoch = max([progress.epoch, *(int(row["epoch"]) for row in new)])
        progress.next_batch = monotonic() + INTERVAL


if __name__ == "__main__":
    main()
