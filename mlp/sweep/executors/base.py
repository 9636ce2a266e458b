"""The one interface of all executors: run the jobs that a queue gives out, report their results."""

import os
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any, Protocol

from mlp.base import runs_dir
from mlp.runs import Children
from mlp.sweep.composer import PlannedJob
from mlp.sweep.worker import ChildResult

GRACE = 20.0  # seconds that jobs have to end by themselves once they were told to
# NumPy's BLAS reads these when it is loaded; a job with more threads raises the number again.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class Queue(Protocol):
    """The jobs of a sweep that has been opened, as an executor sees them."""

    children: Children

    @property
    def n_left(self) -> int:
        """How many jobs have not ended, or not begun, at most."""

    def next(self) -> PlannedJob | None:
        """Return the next job; None when there is none before one under way has ended."""

    def started(self, job: PlannedJob) -> None:
        """Take note of a job that has begun."""

    def ended(self, job: PlannedJob, result: ChildResult) -> None:
        """Take in what has become of a job."""


class Executor(ABC):
    """Runs the jobs of a sweep."""

    def prepare(self, with_mlflow: bool) -> None:
        """Begin, in the background, whatever takes long."""

    @abstractmethod
    def describe(self, threads: int) -> str:
        """Say in a few words how jobs of so many threads are run."""

    @abstractmethod
    def run(self, queue: Queue, threads: int) -> None:
        """Run jobs until the queue has no more.

        Interrupted by an exception, the jobs under way are told to end: they store what they have
        and count as killed.

        Parameters
        ----------
        queue : Queue
        threads : int
            Of a job.
        """


class JobByJob(Executor):
    """Hands out only as many jobs as can run at once, each as soon as there is room for it.

    Whoever decides on the next job then knows all that has ended before.
    """

    def run(self, queue: Queue, threads: int) -> None:
        """See `Executor.run`."""
        capacity = self.open(queue, threads)
        running: dict[Any, PlannedJob] = {}
        try:
            while True:
                while len(running) < capacity and (job := queue.next()):
                    running[self.submit(job, queue.children.parent)] = job
                    queue.started(job)
                if not running:
                    return
                for handle in self.wait(running):
                    job = running.pop(handle)
                    if result := self.result(handle):
                        queue.ended(job, result)
                    else:
                        running[self.submit(job, queue.children.parent)] = job
        except BaseException:
            self.cancel(running)
            deadline = time.monotonic() + GRACE
            while running and (seconds := deadline - time.monotonic()) > 0:
                for handle in self.wait(running, seconds):
                    del running[handle]
            raise
        finally:
            self.close()

    @abstractmethod
    def open(self, queue: Queue, threads: int) -> int:
        """Get ready, and return how many jobs can run at once."""

    @abstractmethod
    def submit(self, job: PlannedJob, sweep: str) -> Any:
        """Start a job; return a handle: a Future, unless `wait` says otherwise."""

    def wait(self, handles: Collection[Any], timeout: float | None = None) -> Collection[Any]:
        """Return the handles of jobs that have ended, once there is one or the time is over."""
        return wait(handles, timeout, FIRST_COMPLETED).done

    @abstractmethod
    def result(self, handle: Any) -> ChildResult | None:
        """Return what has become of a job; None if it never began and is to be submitted again."""

    @abstractmethod
    def cancel(self, handles: Collection[Any]) -> None:
        """Tell jobs to end."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all resources."""


def cores_over(threads: int) -> int:
    """Return how many jobs this machine runs at once, by physical cores."""
    import joblib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the machine does not tell, it counts all
        cores: int = joblib.cpu_count(only_physical_cores=True)
    return max(1, cores // threads)


def share_environment() -> None:
    """Set what jobs inherit, or what the launchers' configurations pass on to them."""
    os.environ |= ONE_THREAD | {"MLP_RUNS": str(runs_dir())}
