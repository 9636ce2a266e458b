"""What Hydra's plugins for submitit and Ray leave undone.

They wait for one job after another. The first one that has died makes them forget all others, and
an interruption leaves the jobs running. Here each job answers for itself, and none outlives the
sweep.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher

from mlp.base import RunError


def managed(launcher: Launcher) -> AbstractContextManager[None]:
    """Return the context that ``launcher.launch`` needs.

    In it, the answer of a job that died has the status UNKNOWN and holds the reason.
    """
    module = type(launcher).__module__
    if "submitit" in module:
        return _submitit()
    return _ray() if "ray" in module else nullcontext()


@contextmanager
def _submitit() -> Iterator[None]:
    from submitit import AutoExecutor

    jobs: list[Any] = []
    submit = AutoExecutor.map_array

    def map_array(executor: AutoExecutor, *arguments: Any) -> list[_Answer]:
        jobs.extend(submit(executor, *arguments))
        return [_Answer(job) for job in jobs]

    with patch.object(AutoExecutor, "map_array", map_array):
        try:
            yield
        except BaseException:
            for job in jobs:
                job.cancel(check=False)
            raise


class _Answer:
    """Stands for a submitit job, whose ``results`` raises if it has died."""

    def __init__(self, job: Any) -> None:
        self._job = job

    def results(self) -> list[JobReturn]:
        try:
            return self._job.results()
        except Exception:
            job = self._job
            reason = f"job {job.job_id} ended without a result ({job.state}): {job.paths.stderr}"
            return [JobReturn(_return_value=RunError(reason))]


@contextmanager
def _ray() -> Iterator[None]:
    import ray

    get = ray.get

    def answer(*arguments: Any, **options: Any) -> Any:
        try:
            return get(*arguments, **options)
        except ray.exceptions.RayError as error:
            return JobReturn(_return_value=error)

    with patch.object(ray, "get", answer):
        try:
            yield
        except BaseException:
            ray.shutdown()
            raise
