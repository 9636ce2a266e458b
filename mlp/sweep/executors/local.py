"""Worker processes on this machine: each runs one job after another, with one BLAS thread.

A worker that dies costs its own job, and is replaced.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from typing import Annotated

from annotated_types import Ge
from pebble import ProcessExpired, ProcessPool

from mlp.base import RunError, SignalCatcher, collect_seldom, handled_signals
from mlp.runs import DIED
from mlp.sweep.composer import PlannedJob
from mlp.sweep.executors.base import GRACE, JobByJob, cores_over
from mlp.sweep.worker import ChildResult, first_line, run_child

# Imported once, by the process that all workers are copies of; else it takes each some seconds.
PRELOADED = ["mlp.sweep.worker"]
MOST_BREAKS = 3  # in a row; then something kills the workers before they can do anything


@dataclass
class LocalPool(JobByJob):
    """Processes on this machine.

    Parameters
    ----------
    workers : int, optional
        By default, the physical cores are shared among the threads.
    """

    workers: Annotated[int, Ge(1)] | None = None

    def describe(self, threads: int) -> str:
        """Say how many run at a time."""
        return f"{self.workers or cores_over(threads)} at a time"

    def prepare(self) -> None:
        """Start the process that the workers will be copies of."""
        forkserver.set_forkserver_preload(PRELOADED)
        with _signals_ignored():
            forkserver.ensure_running()

    def open(self, n_jobs: int, threads: int) -> int:
        """Start no more workers than there are jobs."""
        self.prepare()
        self._n_workers = max(1, min(self.workers or cores_over(threads), n_jobs))
        self._pool, self._breaks = self._new_pool(), 0
        with SignalCatcher() as interruption:
            self._pool.active  # noqa: B018 - starts the workers
        if number := interruption.signal:
            for worker in multiprocessing.active_children():
                worker.kill()  # one that is half begun would complain that we are gone
            self.close()
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
        return self._n_workers

    def submit(self, job: PlannedJob) -> Future[ChildResult]:
        """Hand a job to a free worker."""
        if not self._pool.active:  # a worker died while none had a job
            self._breaks += 1
            if self._breaks == MOST_BREAKS:
                raise RunError("the worker processes die as soon as they are started")
            self.close()
            self._pool = self._new_pool()
        return self._pool.schedule(run_child, (job,))

    def result(self, handle: Future[ChildResult]) -> ChildResult | None:
        """Return what the worker has returned, or why it has not."""
        error = handle.exception()
        if isinstance(error, BrokenProcessPool):  # no worker had taken it
            return None
        self._breaks = 0
        if isinstance(error, ProcessExpired):
            code = error.exitcode
            cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
            return ChildResult("killed", f"{DIED} ({cause})")
        return ChildResult("failed", first_line(error)) if error else handle.result()

    def cancel(self, handles: Collection[Future[ChildResult]]) -> None:
        """Terminate the workers: they end their jobs in order."""
        for process in multiprocessing.active_children():
            process.terminate()

    def close(self) -> None:
        """End the workers."""
        self._pool.stop()
        self._pool.join()

    def _new_pool(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")  # this process has threads
        return ProcessPool(self._n_workers, 0, _begin_worker, (dict(os.environ),), context)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Let what is started here ignore a signal to the whole group: we tell them what it means."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in handled_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _begin_worker(environment: dict[str, str]) -> None:
    """Prepare a worker: it shares our environment, and ends when we say so or have died."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    collect_seldom()
    os.environ.update(environment)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=exit_with_parent, args=(parent.sentinel,), daemon=True).start()


def exit_with_parent(sentinel: int) -> None:
    """End this process when its parent has died: in order, and if that hangs, at once."""
    connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)  # another worker may have died with a lock that this one waits for
    os._exit(1)
