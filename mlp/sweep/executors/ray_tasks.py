"""Jobs as tasks of Ray: of one's own on this machine, or of a cluster that is running."""

import signal
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from mlp.base import RunError, require
from mlp.sweep.composer import PlannedJob
from mlp.sweep.executors.base import JobByJob
from mlp.sweep.worker import ChildResult, first_line, run_child


@dataclass
class RayTasks(JobByJob):
    """Tasks of Ray.

    Parameters
    ----------
    ray : dict of str to dict
        ``init``, the arguments of `ray.init`, and ``remote``, the options of each task.
    """

    ray: dict[str, dict[str, Any]]

    def __post_init__(self) -> None:
        require("ray", "ray", "this hydra/launcher")

    def describe(self, threads: int) -> str:
        """Name Ray and its address."""
        return f"by Ray ({self.ray['init'].get('address') or 'on this machine'})"

    def open(self, n_jobs: int, threads: int) -> int:
        """Start or join Ray, and count its cores."""
        import ray

        self._references: dict[Future[ChildResult], Any] = {}
        before = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(**self.ray.get("init", {}))
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise RunError(f"Ray cannot be started or joined: {first_line(error)}") from error
        finally:
            signal.signal(signal.SIGTERM, before)  # Ray sets one of its own
        options = {"max_retries": 0, **self.ray.get("remote", {})}
        options["num_cpus"] = options.get("num_cpus") or threads
        self._task = ray.remote(**options)(run_child)
        return max(1, int(ray.cluster_resources().get("CPU", 1) // options["num_cpus"]))

    def submit(self, job: PlannedJob) -> Future[ChildResult]:
        """Start a task."""
        reference = self._task.remote(job)
        future: Future[ChildResult] = reference.future()
        self._references[future] = reference
        return future

    def result(self, handle: Future[ChildResult]) -> ChildResult:
        """Return what the task has returned."""
        del self._references[handle]
        if error := handle.exception():
            return ChildResult("killed", first_line(error))
        return handle.result()

    def cancel(self, handles: Collection[Future[ChildResult]]) -> None:
        """Interrupt the tasks, as Ctrl-C would."""
        import ray

        for handle in handles:
            ray.cancel(self._references[handle])

    def close(self) -> None:
        """End a Ray of one's own, or leave the cluster."""
        import ray

        ray.shutdown()
