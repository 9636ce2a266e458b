"""What brings a run to MLflow while it is trained, in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING

from mlp.runs.folder import RunFolder, read_run
from mlp.tracking.counterpart import mlflow_id
from mlp.tracking.delivery import project, project_metrics, project_opening
from mlp.tracking.store import is_outage, reason_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

INTERVAL = 2.0  # seconds between two batches
LONGEST_PAUSE = 30.0  # seconds between two attempts to reach a server that does not answer
LAST_WAIT = 10.0  # seconds that the end of a run waits for a server
logger = logging.getLogger(__name__)


class Follower(threading.Thread):
    """Sends the run's opening and then the new rows of its history, a batch every two seconds.

    The training thread only appends to ``rows``. What MLflow does not take is tried again, at
    growing intervals; it is in the folder anyway.

    Parameters
    ----------
    folder : RunFolder
        Of a run that is to be in MLflow.
    client : MlflowClient
    """

    def __init__(self, folder: RunFolder, client: "MlflowClient") -> None:
        super().__init__(name=f"mlflow-{folder.path.name}", daemon=True)
        self.rows: list[dict[str, float]] = []
        self._folder, self._client = folder, client
        self._opened, self._sent = False, 0
        self._finished = threading.Event()
        self._deadline = 0.0
        self._error: Exception | None = None  # that the last attempt met

    def run(self) -> None:
        """Follow the run until `finish` is called, then bring it over as a whole."""
        pause = 0.0
        while not self._finished.wait(pause):
            self._attempt(self._send_news)
            pause = min(2 * pause, LONGEST_PAUSE) if self._error and pause else INTERVAL
        answered = self._error is None  # else the server has been gone for longer
        self._attempt(self._send_all)
        while answered and self._waits_for_server() and monotonic() < self._deadline:
            sleep(INTERVAL / 2)
            self._attempt(self._send_all)

    def finish(self) -> None:
        """Bring the ended run over; say so if MLflow does not take it, or not in time."""
        remote = self._client.tracking_uri.startswith("http")
        self._deadline = monotonic() + LAST_WAIT
        self._finished.set()
        self.join(LAST_WAIT if remote else None)
        record = read_run(self._folder)
        if not record["mlflow"]["delivered"] and not record.get("sweep"):
            reason = reason_of(self._error) if self._error else "it is slow to answer"
            logger.warning(
                "MLflow does not have all of run %s yet (%s); its folder does, and "
                "python -m mlp.sync brings it over",
                record["id"][:8],
                reason,
            )

    def abandon(self) -> None:
        """Only tell MLflow that the run was killed, if it answers at once."""
        self._finished.set()
        place = read_run(self._folder)["mlflow"]
        if place["run_id"]:
            end = threading.Thread(target=self._tell_killed, args=(place["run_id"],), daemon=True)
            end.start()
            end.join(1.0)

    def _tell_killed(self, run_id: str) -> None:
        with suppress(Exception):  # `mlp.sync` does it later
            self._client.set_terminated(run_id, "KILLED")

    def _attempt(self, send: Callable[[], None]) -> None:
        try:
            send()
        except Exception as error:
            logger.info("something did not reach MLflow yet: %s", error)
            self._error = error
        else:
            self._error = None

    def _send_news(self) -> None:
        if not self._opened:
            project_opening(self._folder, self._client)
            self._opened = True
        rows = self.rows[self._sent :]
        if rows:
            project_metrics(self._client, mlflow_id(self._folder, self._client), rows)
            self._sent += len(rows)

    def _send_all(self) -> None:
        project(self._folder, self._client, self._sent)

    def _waits_for_server(self) -> bool:
        return self._error is not None and is_outage(self._error, self._client.tracking_uri)
