"""Jobs of Slurm by submitit, or, to try that out, processes of this machine."""

import shutil
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from mlp.base import ConfigError, at_least
from mlp.sweep.composer import JobArguments
from mlp.sweep.executors.base import JobByJob, cores_over, require
from mlp.sweep.worker import ChildResult, run_child

INTERVAL = 0.5  # seconds between two looks at the jobs


@dataclass(kw_only=True)
class SubmititJobs(JobByJob):
    """Processes of this machine.

    Parameters
    ----------
    submitit_folder : str
        Takes what a job says, and what it is handed; ``%j`` stands for its id.
    array_parallelism : int, optional
        Jobs at a time; by default as many as this machine has cores for.
    name, timeout_min, mem_gb, nodes, cpus_per_task, gpus_per_node, tasks_per_node, stderr_to_stdout
        As in `submitit.AutoExecutor.update_parameters`.
    partition, account, qos, constraint, setup, additional_parameters
        As in `submitit.SlurmExecutor`; of no meaning without Slurm.
    """

    cluster: ClassVar[str] = "local"

    submitit_folder: str
    array_parallelism: int | None = None
    name: str = "mlp"
    timeout_min: int = 60
    mem_gb: int | None = None
    nodes: int = 1
    cpus_per_task: int | None = None
    gpus_per_node: int | None = None
    tasks_per_node: int = 1
    stderr_to_stdout: bool = False
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    setup: list[str] | None = None
    additional_parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require("submitit", "slurm")
        at_least(1, timeout_min=self.timeout_min)
        if self.array_parallelism is not None:
            at_least(1, array_parallelism=self.array_parallelism)

    def describe(self, threads: int) -> str:
        """Say how many run at a time."""
        return f"{self._at_once(threads)} at a time by submitit ({self.cluster})"

    def open(self, n_jobs: int, threads: int) -> int:
        """Tell submitit what each job needs."""
        import submitit

        parameters = asdict(self) | {"cpus_per_task": self.cpus_per_task or threads}
        folder = parameters.pop("submitit_folder")
        slurm = ("partition", "account", "qos", "constraint", "setup", "additional_parameters")
        own = {f"slurm_{key}": parameters.pop(key) for key in (*slurm, "array_parallelism")}
        self._executor = submitit.AutoExecutor(folder, cluster=self.cluster)
        self._executor.update_parameters(**parameters, **own)
        return self._at_once(threads)

    def submit(self, arguments: JobArguments) -> Any:
        """Queue a job."""
        return self._executor.submit(run_child, *arguments)

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

    def close(self) -> None:
        """Do nothing: there are no resources but the jobs."""

    def _at_once(self, threads: int) -> int:
        return self.array_parallelism or cores_over(threads)


class SlurmJobs(SubmititJobs):
    """Jobs of Slurm; see `SubmititJobs`."""

    cluster = "slurm"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not shutil.which("srun"):
            raise ConfigError("hydra/launcher=slurm needs srun: start it where Slurm is")
