"""Worker processes on this machine: each runs one job after another, with one BLAS thread.

Only as many jobs are handed out as there are workers, so that whoever decides on the next one
knows all that has ended before. A worker that dies costs its own job, and is replaced.
"""

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, forkserver
from types import TracebackType
from typing import Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from mlp.errors import RunError
from mlp.sweep.plan import PlannedJob
from mlp.sweep.record import DIED
from mlp.sweep.worker import ChildResult, run_child

# NumPy's BLAS reads these when it is loaded; a job with more threads raises the number again.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
# Imported once, by the process that all workers are copies of: else each needs two seconds.
PRELOADED = ["mlp.run", "mlp.sweep.pool"]
GRACE = 20.0  # seconds that a job has to end by itself once it was told to
MOST_BREAKS = 3  # in a row; then something kills the workers before they can do anything


def physical_cores() -> int:
    """Return how many cores this process may use, hyper-threads not counted."""
    import joblib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the machine does not tell, it counts all
        return joblib.cpu_count(only_physical_cores=True)


class Pool:
    """Runs jobs in processes of its own; leaving its context ends them.

    Left by an exception, the jobs under way are told to end: they store what they have and count
    as killed.

    Parameters
    ----------
    parent : str
        The sweep's id.
    workers : int
    """

    def __init__(self, parent: str, workers: int) -> None:
        self._parent, self._workers = parent, workers
        self._running: dict[ProcessFuture, PlannedJob] = {}
        self._breaks = 0

    def __enter__(self) -> "Pool":
        self._environment = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(ONE_THREAD)
        self._pool = self._new_pool()
        return self

    @property
    def free(self) -> int:
        """The number of workers without a job."""
        return self._workers - len(self._running)

    @property
    def running(self) -> list[PlannedJob]:
        """The jobs under way."""
        return list(self._running.values())

    def start(self, job: PlannedJob) -> None:
        """Hand a job to a free worker."""
        child = {"parent": self._parent, "key": job.key, "name": job.name, "params": job.params}
        future = self._pool.schedule(run_child, (job.config, job.overrides, child))
        self._running[future] = job

    def wait(self) -> list[tuple[PlannedJob, ChildResult]]:
        """Wait until at least one job has ended; return those that have."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        ended = [(self._running.pop(future), future) for future in done]
        if any(isinstance(future.exception(), BrokenProcessPool) for _, future in ended):
            return self._start_over([job for job, _ in ended])
        self._breaks = 0
        return [(job, _result(future)) for job, future in ended]

    def _start_over(self, jobs: list[PlannedJob]) -> list[tuple[PlannedJob, ChildResult]]:
        """Make a new pool: the workers of the old one died before they had taken a job."""
        self._breaks += 1
        if self._breaks == MOST_BREAKS:
            raise RunError("the worker processes die as soon as they are started")
        self._pool.stop()
        self._pool.join()
        self._pool = self._new_pool()
        for job in jobs:
            self.start(job)
        return []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is not None:
                for process in multiprocessing.active_children():
                    process.terminate()
                wait(self._running, timeout=GRACE)
        finally:
            self._pool.stop()
            self._pool.join()
            for name, value in self._environment.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(self._workers, initializer=_begin_worker, context=_context())


def _context() -> Any:
    """Return how processes are started: not as copies of this one, which has threads."""
    if not sys.platform.startswith("linux"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()  # it imports while this process does other things
    return context


def _begin_worker() -> None:
    """Let the worker end when the process that started it has died."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_outlive_not, args=(parent.sentinel,), daemon=True).start()


def _outlive_not(sentinel: int) -> None:
    connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _result(future: ProcessFuture) -> ChildResult:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, ProcessExpired):
        return ChildResult("killed", f"{DIED} ({_cause(error.exitcode)})")
    return ChildResult("failed", f"{type(error).__name__}: {error}".splitlines()[0])


def _cause(exitcode: int) -> str:
    return signal.Signals(-exitcode).name if exitcode < 0 else f"exit status {exitcode}"
