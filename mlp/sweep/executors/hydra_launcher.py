"""Jobs run by any launcher that Hydra has: joblib's, the serial one, ...

A launcher takes some jobs at once and returns when all are through. What happens meanwhile is read
from the folders of the runs.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher

from mlp.base import RunError, UserError, runs_dir
from mlp.runs import Children, Record
from mlp.sweep.archive import unpack
from mlp.sweep.composer import PlannedJob
from mlp.sweep.executors.base import GRACE, Executor, Queue
from mlp.sweep.worker import ChildResult, first_line

INTERVAL = 1.0  # seconds between two looks at the folders


class HydraLauncher(Executor):
    """Hands jobs to one of Hydra's launchers.

    Parameters
    ----------
    launcher : Launcher
    name : str
        Its name on the command line.
    batch : int, optional
        So many jobs at once; by default all.
    """

    def __init__(self, launcher: Launcher, name: str, batch: int | None = None) -> None:
        self._launcher, self._name, self._batch = launcher, name, batch

    def describe(self, threads: int) -> str:
        """Name the launcher."""
        return f"by {self._name}"

    def run(self, queue: Queue, threads: int) -> None:
        """See `Executor.run`."""
        while jobs := list(islice(iter(queue.next, None), self._batch)):
            self._launch(jobs, queue)

    def _launch(self, jobs: Sequence[PlannedJob], queue: Queue) -> None:
        follower = _Follower(jobs, queue)
        words = [[*job.overrides, *_additions(job, queue.children.parent)] for job in jobs]
        try:
            with follower.following():
                answers = self._launcher.launch(words, initial_job_idx=0)
        except UserError:
            raise
        except Exception as error:
            raise RunError(f"the launcher gave up: {first_line(error)}") from error
        except BaseException:
            _await_end(queue.children)
            raise
        for job, answer in zip(jobs, answers, strict=True):
            if job.key not in follower.ended:
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


class _Follower:
    """Looks at the folders of the runs from time to time, in a thread of its own."""

    def __init__(self, jobs: Sequence[PlannedJob], queue: Queue) -> None:
        self._jobs = defaultdict(list)  # a search may propose the same twice
        for job in jobs:
            self._jobs[job.key].append(job)
        self._queue = queue
        self._earlier = [_attempt(record) for record in queue.children.read()]
        self._started: set[str] = set()
        self.ended: set[str] = set()

    @contextmanager
    def following(self) -> Iterator[None]:
        over = threading.Event()

        def follow() -> None:
            while not over.wait(INTERVAL):
                self._look()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._look()

    def _look(self) -> None:
        """Report what has changed."""
        for record in self._queue.children.read():
            key = record["sweep"]["key"]
            if key not in self._jobs or _attempt(record) in self._earlier:
                continue
            if key not in self._started:
                self._started.add(key)
                for job in self._jobs[key]:
                    self._queue.started(job)
            if record["status"] != "RUNNING" and key not in self.ended:
                self.ended.add(key)
                for job in self._jobs[key]:
                    self._queue.ended(job, ChildResult.of(record))


def _attempt(record: Record) -> tuple[str, str | None]:
    """Return what tells a start of a run from the one before, which was interrupted."""
    return record["id"], record.get("continued")


def _await_end(children: Children) -> None:
    """Give the jobs under way the time to store what they have."""
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        children.bury_dead()
        if not children.counts()["running"]:
            return
        time.sleep(0.1)


def _result(answer: JobReturn) -> ChildResult:
    """Return what a job has come to; its run is here then, if there is one."""
    if answer.status != JobStatus.COMPLETED:
        return ChildResult("failed", first_line(answer._return_value))
    result: ChildResult = answer.return_value
    if result.archive:
        unpack(result.archive, runs_dir())
    return result
