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
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, forkserver
from types import TracebackType

from pebble import ProcessExpired, ProcessPool

from mlp.base import RunError, handled_signals
from mlp.runs import DIED
from mlp.sweep.composer import PlannedJob
from mlp.sweep.worker import ChildResult, run_child
from mlp.tracking import keep_mlflow_quiet

# NumPy's BLAS reads these when it is loaded; a job with more threads raises the number again.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
# Imported once, by the process that all workers are copies of; else it takes each some seconds.
PRELOADED = ["mlp.sweep.pool", "matplotlib.figure", "matplotlib.backends.backend_agg"]
PRELOADED_MLFLOW = ["mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store"]
# Workers are no copies of this process, which has threads; elsewhere not even of another one.
START = "forkserver" if sys.platform.startswith("linux") else "spawn"
GRACE = 20.0  # seconds that a job has to end by itself once it was told to
MOST_BREAKS = 3  # in a row; then something kills the workers before they can do anything


def physical_cores() -> int:
    """Return how many cores this process may use, hyper-threads not counted."""
    import joblib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the machine does not tell, it counts all
        return joblib.cpu_count(only_physical_cores=True)


def prepare(with_mlflow: bool) -> None:
    """Begin to import what the workers need, while this process does other things."""
    os.environ.update(ONE_THREAD)
    keep_mlflow_quiet()
    if START == "forkserver":
        modules = PRELOADED + (PRELOADED_MLFLOW if with_mlflow else [])
        multiprocessing.get_context(START).set_forkserver_preload(modules)
        with _deaf():
            forkserver.ensure_running()


@contextmanager
def _deaf() -> Iterator[None]:
    """Let what is started here ignore a signal to the whole group: we tell them what it means."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in handled_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
        self._running: dict[Future[ChildResult], PlannedJob] = {}
        self._breaks = 0

    def __enter__(self) -> "Pool":
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
        if not self._pool.active:
            self._renew()
        arguments = (job.config, job.overrides, job.child_of(self._parent))
        future = self._pool.schedule(run_child, arguments)
        self._running[future] = job

    def wait(self) -> list[tuple[PlannedJob, ChildResult]]:
        """Wait until at least one job has ended; return those that have."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        ended = [(self._running.pop(future), future) for future in done]
        broken = [job for job, f in ended if isinstance(f.exception(), BrokenProcessPool)]
        for job in broken:  # no worker had taken it
            self.start(job)
        results = [(job, _result(future)) for job, future in ended if job not in broken]
        self._breaks = 0 if results else self._breaks
        return results

    def _renew(self) -> None:
        """Make a new pool: a worker of the old one died when none had a job."""
        self._breaks += 1
        if self._breaks == MOST_BREAKS:
            raise RunError("the worker processes die as soon as they are started")
        self._pool.stop()
        self._pool.join()
        self._pool = self._new_pool()

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

    def _new_pool(self) -> ProcessPool:
        context = multiprocessing.get_context(START)
        environment = (dict(os.environ),)
        return ProcessPool(
            self._workers, initializer=_begin_worker, initargs=environment, context=context
        )


def _begin_worker(environment: dict[str, str]) -> None:
    """Prepare a worker: it shares our environment, and ends when we say so or have died."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(environment)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_outlive_not, args=(parent.sentinel,), daemon=True).start()


def _outlive_not(sentinel: int) -> None:
    connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _result(future: Future[ChildResult]) -> ChildResult:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, ProcessExpired):
        return ChildResult("killed", f"{DIED} ({_cause(error.exitcode)})")
    return ChildResult("failed", f"{type(error).__name__}: {error}".splitlines()[0])


def _cause(exitcode: int) -> str:
    return signal.Signals(-exitcode).name if exitcode < 0 else f"exit status {exitcode}"
