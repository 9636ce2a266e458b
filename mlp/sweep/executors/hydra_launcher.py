"""Jobs run by a launcher plugin of Hydra's: joblib's, the serial one, and whatever is installed.

A launcher takes several jobs at once, composes them again, and returns when all have ended.
"""

import json
from itertools import islice

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher

from mlp.base import RunError, UserError
from mlp.sweep.composer import PlannedJob
from mlp.sweep.executors.base import Executor, JobQueue
from mlp.sweep.worker import ChildResult, first_line


class HydraLauncher(Executor):
    """Hands jobs to one of Hydra's launchers.

    Parameters
    ----------
    launcher : Launcher
    name : str
        Its name on the command line.
    batch : int, optional
        Jobs per launch; by default all.
    """

    def __init__(self, launcher: Launcher, name: str, batch: int | None = None) -> None:
        self._launcher, self._name, self._batch = launcher, name, batch

    def describe(self, threads: int) -> str:
        """Name the launcher."""
        return f"by {self._name}"

    def run(self, queue: JobQueue, threads: int) -> None:
        """See `Executor.run`."""
        while jobs := list(islice(iter(queue.next, None), self._batch)):
            for job in jobs:
                queue.started(job)
            words = [[*job.overrides, *_additions(job, queue.id)] for job in jobs]
            try:
                answers = self._launcher.launch(words, initial_job_idx=0)
            except UserError:
                raise
            except Exception as error:
                raise RunError(f"the launcher gave up: {first_line(error)}") from error
            for job, answer in zip(jobs, answers, strict=True):
                queue.ended(job, _result(answer))


def _additions(job: PlannedJob, parent: str) -> list[str]:
    """Return the overrides that tell a job, composed again in whatever folder, what it is."""
    data = {f"data.{key}": job.config["data"].get(key) for key in ("dir", "path")}
    values = data | {"+sweep.child": json.dumps(job.child_of(parent))}
    return [
        f"{key}={QuotedString(value, Quote.single).with_quotes()}"
        for key, value in values.items()
        if value
    ]


def _result(answer: JobReturn) -> ChildResult:
    """Return the outcome of a job."""
    if answer.status != JobStatus.COMPLETED:
        return ChildResult("failed", first_line(answer._return_value))
    result: ChildResult = answer.return_value
    return result
