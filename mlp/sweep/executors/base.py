"""The interface of all executors: they run the jobs of a queue and report the outcomes."""

import os
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any

from mlp.base import runs_dir
from mlp.sweep.composer import PlannedJob
from mlp.sweep.worker import ChildResult

GRACE = 20.0  # seconds that jobs have to end by themselves once they were told to
# NumPy's BLAS reads these when it is loaded; a job with more threads raises the number again.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


Ask = Callable[[], PlannedJob | None]
Outcomes = Generator[tuple[PlannedJob, ChildResult], None, None]


class Executor(ABC):
    """Runs the jobs of a sweep."""

    @abstractmethod
    def describe(self, threads: int) -> str:
        """Say in a few words how jobs of so many threads are run."""

    def prepare(self) -> None:
        """Begin with what takes long and depends on no job, while the jobs are being planned."""

    @abstractmethod
    def run(self, ask: Ask, n_jobs: int, threads: int) -> Outcomes:
        """Run jobs until there is no more, and yield each with its outcome.

        Interrupted by an exception, or closed, the jobs under way are told to end: they store what
        they have and count as killed.

        Parameters
        ----------
        ask : callable
            Gives out a job, or None if there is none until a running one ends.
        n_jobs : int
            How many there will be, at most.
        threads : int
            Of a job.
        """


class JobByJob(Executor):
    """Starts a job as soon as there is room for it.

    A search then decides on each job with the results of all that have ended before.
    """

    def run(self, ask: Ask, n_jobs: int, threads: int) -> Outcomes:
        """See `Executor.run`."""
        if not n_jobs:  # another process has run them
            return
        capacity = self.open(n_jobs, threads)
        running: dict[Any, PlannedJob] = {}
        try:
            while True:
                while len(running) < capacity and (job := ask()):
                    running[self.submit(job)] = job
                if not running:
                    return
                for handle in self.wait(running):
                    job = running.pop(handle)
                    if result := self.result(handle):
                        yield job, result
                    else:
                        running[self.submit(job)] = job
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
    def open(self, n_jobs: int, threads: int) -> int:
        """Get ready for so many jobs at most, and return how many can run at once."""

    @abstractmethod
    def submit(self, job: PlannedJob) -> Any:
        """Start `run_child`; return a handle: a Future, unless `wait` says otherwise."""

    def wait(self, handles: Collection[Any], timeout: float | None = None) -> Collection[Any]:
        """Return the handles of jobs that have ended, once there is one or the time is over."""
        return wait(handles, timeout, FIRST_COMPLETED).done

    @abstractmethod
    def result(self, handle: Any) -> ChildResult | None:
        """Return the outcome of a job; None if it never began and has to be submitted again."""

    @abstractmethod
    def cancel(self, handles: Collection[Any]) -> None:
        """Tell jobs to end."""

    def close(self) -> None:
        """Release all resources."""


def cores_over(threads: int) -> int:
    """Return how many jobs this machine runs at once, by physical cores."""
    import joblib

    with warnings.catch_warnings(action="ignore"):  # where the machine does not tell, it counts all
        cores: int = joblib.cpu_count(only_physical_cores=True)
    return max(1, cores // threads)


def share_environment() -> None:
    """Set what jobs inherit, or what the launchers' configurations pass on to them."""
    os.environ |= ONE_THREAD | {"MLP_RUNS": str(runs_dir())}
