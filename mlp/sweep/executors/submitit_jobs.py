"""Jobs of Slurm by submitit, or, to try that out, processes of this machine."""

import shutil
import time
from collections.abc import Collection
from typing import Annotated, Any, Literal

from annotated_types import Ge

from mlp.base import ConfigError, require
from mlp.sweep.composer import PlannedJob
from mlp.sweep.executors.base import JobByJob, cores_over
from mlp.sweep.worker import ChildResult, run_child

SLURM_ONLY = ("partition", "account", "qos", "constraint", "setup", "additional_parameters")
INTERVAL = 0.5  # seconds between two looks at the jobs


class SubmititJobs(JobByJob):
    """Jobs that submitit queues.

    Parameters
    ----------
    submitit_folder : str
        Takes what a job says, and what it is handed; ``%j`` stands for its id.
    cluster : {"local", "slurm"}
        ``local`` is this machine.
    array_parallelism : int, optional
        Jobs at a time; by default as many as this machine has cores for.
    **settings
        As in `submitit.AutoExecutor.update_parameters`, or in `submitit.SlurmExecutor` if it is one
        of `SLURM_ONLY`.
    """

    def __init__(
        self,
        submitit_folder: str,
        cluster: Literal["local", "slurm"] = "local",
        array_parallelism: Annotated[int, Ge(1)] | None = None,
        **settings: Any,
    ) -> None:
        require("submitit", "slurm", "this hydra/launcher")
        import submitit

        if cluster == "slurm" and not shutil.which("srun"):
            raise ConfigError("hydra/launcher=slurm needs srun: start it where Slurm is")
        self._folder, self._cluster = submitit_folder, cluster
        self._most_at_once = array_parallelism
        self._settings = {("slurm_" * (k in SLURM_ONLY)) + k: v for k, v in settings.items()}
        checking = submitit.AutoExecutor(submitit_folder, cluster="debug")  # writes nothing
        checking.update_parameters(**self._settings)

    def describe(self, threads: int) -> str:
        """Say how many run at a time."""
        return f"{self._at_once(threads)} at a time by submitit ({self._cluster})"

    def open(self, n_jobs: int, threads: int) -> int:
        """Give a job a core for each thread, unless it is to have another number."""
        import submitit

        cores = self._settings.get("cpus_per_task") or threads
        self._executor = submitit.AutoExecutor(self._folder, cluster=self._cluster)
        self._executor.update_parameters(**self._settings | {"cpus_per_task": cores})
        return self._at_once(threads)

    def submit(self, job: PlannedJob) -> Any:
        """Queue a job."""
        return self._executor.submit(run_child, job)

    def wait(self, handles: Collection[Any], timeout: float | None = None) -> Collection[Any]:
        """Look at the jobs until one has ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (done := [job for job in handles if job.done()]):
            if deadline and time.monotonic() > deadline:
                break
            time.sleep(INTERVAL)
        return done

    def result(self, handle: Any) -> ChildResult:
        """Return what the job has stored."""
        from submitit.core.utils import FailedJobError, UncompletedJobError

        try:
            result: ChildResult = handle.result()
        except (FailedJobError, UncompletedJobError):
            reason = f"job {handle.job_id} ended without a result ({handle.state})"
            return ChildResult("killed", f"{reason}: {handle.paths.stderr}")
        return result

    def cancel(self, handles: Collection[Any]) -> None:
        """Cancel jobs, also those that have not begun."""
        for job in handles:
            job.cancel(check=False)

    def _at_once(self, threads: int) -> int:
        return self._most_at_once or cores_over(threads)
