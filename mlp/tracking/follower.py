"""What brings a run to MLflow while it is trained, in a thread of its own."""

import logging
import threading
from typing import TYPE_CHECKING

from mlp.tracking.folder import RunFolder, read_run
from mlp.tracking.projection import project, project_metrics, project_opening

if TYPE_CHECKING:
    from mlflow import MlflowClient

INTERVAL = 2.0  # seconds between two batches
logger = logging.getLogger(__name__)


class Follower(threading.Thread):
    """Sends the run's opening and then the new rows of its history, a batch every two seconds.

    The training thread only appends to ``rows``. What MLflow does not take is tried again with the
    next batch; it is in the folder anyway.

    Parameters
    ----------
    folder : RunFolder
        Of a run that was created in MLflow.
    client : MlflowClient
    """

    def __init__(self, folder: RunFolder, client: "MlflowClient") -> None:
        super().__init__(name=f"mlflow-{folder.path.name}", daemon=True)
        self.rows: list[dict[str, float]] = []
        self._folder, self._client = folder, client
        self._sent = 0
        self._finished = threading.Event()

    def run(self) -> None:
        """Follow the run until `finish` is called."""
        try:
            project_opening(self._folder, self._client)
        except Exception as error:  # `finish` sends it again, and reports
            logger.info("the run's opening did not reach MLflow yet: %s", error)
        run_id = read_run(self._folder)["mlflow"]["run_id"]
        while not self._finished.wait(INTERVAL):
            rows = self.rows[self._sent :]
            try:
                project_metrics(self._client, run_id, rows)
            except Exception as error:
                logger.info("%d epochs did not reach MLflow yet: %s", len(rows), error)
            else:
                self._sent += len(rows)

    def finish(self) -> None:
        """Bring the ended run over as a whole; say so if MLflow does not take it."""
        self._finished.set()
        self.join()
        try:
            project(self._folder, self._client, self._sent)
        except Exception as error:
            logger.warning(
                "MLflow did not take all of the run (%s); everything is in %s",
                error,
                self._folder.path,
            )
