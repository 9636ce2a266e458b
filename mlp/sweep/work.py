"""Jobs are handed out, and what becomes of them is taken in: by the pool, or by a launcher."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Protocol

from hydra.plugins.launcher import Launcher

from mlp.sweep.composer import PlannedJob
from mlp.sweep.launchers import launch
from mlp.sweep.parent import Parent
from mlp.sweep.pool import Pool
from mlp.sweep.progress import Display
from mlp.sweep.worker import ChildResult


class Proposals(Protocol):
    """Who decides which jobs are run."""

    @property
    def n_left(self) -> int:
        """How many jobs have not ended, or not begun, at most."""

    def ask(self) -> PlannedJob | None:
        """Return the next job; None when there is none before one that is under way has ended."""

    def tell(self, job: PlannedJob, result: ChildResult) -> None:
        """Learn what has become of a job."""

    def importances(self) -> dict[str, float]:
        """Return how much each axis matters, where that can be told; see `Study.importances`."""


class FixedJobs:
    """The jobs of a grid, one after the other."""

    def __init__(self, jobs: Iterable[PlannedJob]) -> None:
        self._jobs = deque(jobs)
        self._n_left = len(self._jobs)

    @property
    def n_left(self) -> int:
        """How many jobs have not ended, or not begun."""
        return self._n_left

    def ask(self) -> PlannedJob | None:
        """Return the next job."""
        return self._jobs.popleft() if self._jobs else None

    def tell(self, job: PlannedJob, result: ChildResult) -> None:
        """Count; the list stands."""
        self._n_left -= 1

    def importances(self) -> dict[str, float]:
        """Return nothing: the figure of the axes shows it all."""
        return {}


class Work:
    """The jobs of a sweep on their way.

    Parameters
    ----------
    proposals : Proposals
    parent : Parent
    display : Display
    max_failures : int, optional
        No job begins once so many have failed; a launcher of Hydra's has them all by then.
    """

    def __init__(
        self,
        proposals: Proposals,
        parent: Parent,
        display: Display,
        max_failures: int | None = None,
    ) -> None:
        self._proposals, self._parent, self._display = proposals, parent, display
        self._max_failures, self._n_failed = max_failures, 0

    def in_pool(self, workers: int) -> None:
        """Run the jobs in processes of our own, each as soon as a worker is free."""
        with Pool(self._parent.id, workers) as pool:
            while True:
                while pool.free and (job := self._next()):
                    pool.start(job)
                    self._display.started(job)
                if not pool.running:
                    return
                for job, result in pool.wait():
                    self._ended(job, result)

    def by(self, launcher: Launcher, batch: int | None = None) -> None:
        """Let a launcher of Hydra's run the jobs, all at once or so many at a time."""
        while jobs := list(islice(iter(self._next, None), batch)):
            launch(launcher, jobs, self._parent.children, self._display.started, self._ended)

    @property
    def gave_up(self) -> bool:
        """Whether too many jobs have failed, and others were left for that."""
        reached = self._max_failures and self._n_failed >= self._max_failures
        return bool(reached) and self._proposals.n_left > 0

    def _next(self) -> PlannedJob | None:
        return None if self.gave_up else self._proposals.ask()

    def _ended(self, job: PlannedJob, result: ChildResult) -> None:
        if result.state == "killed" and result.run is None:  # it could not say so itself
            self._parent.bury_dead()
            if record := self._parent.children.by_key().get(job.key):
                result = replace(result, run=record["id"])
        if result.run is None:
            self._parent.lost[result.state] += 1
        self._n_failed += result.state in ("failed", "killed")
        self._parent.log(f"{result.state}  {job.name}: {result.reason}")
        self._proposals.tell(job, result)
        self._display.ended(job, result, self._proposals.n_left)
