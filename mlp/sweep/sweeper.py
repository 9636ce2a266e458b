"""``-m``: plan a sweep, run its jobs, sum it up."""

import shlex
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from mlp.base import ConfigError, RunError, UserError, runs_dir
from mlp.config import Grid, Search, Settings, build, read_settings
from mlp.reports import importances, save_figure, show_summary
from mlp.runs import Children, Record, RunFolder, find_sweep, git_state, read_run, short_keys, state
from mlp.sweep.composer import PlannedJob
from mlp.sweep.executors.base import Executor
from mlp.sweep.executors.choice import choose_executor
from mlp.sweep.parent import Parent, open_sweep
from mlp.sweep.plan import JobSource, Plan, plan_grid
from mlp.sweep.progress import SweepProgress
from mlp.sweep.summary import summarise
from mlp.sweep.worker import ChildResult
from mlp.tracking import MLflowTracking, NoTracking

FAILED = 1


def run_sweep(
    arguments: Sequence[str], master: DictConfig, loader: ConfigLoader, launcher: Launcher
) -> None:
    """Run the sweep that a command line describes, or what is left of it.

    Parameters
    ----------
    arguments : sequence of str
        The command line's words.
    master : DictConfig
        What Hydra has composed of those that have one value.
    loader : ConfigLoader
        Hydra's.
    launcher : Launcher
        What Hydra has made of ``hydra/launcher``.

    Raises
    ------
    UserError
        When something is not acceptable; nothing has been written then.
    SystemExit
        Unless every job has succeeded.
    """
    settings = read_settings(master)
    executor = choose_executor(master.hydra, launcher, getattr(settings, "batch", None))
    progress = SweepProgress()
    plan = _plan(settings, arguments, loader, master, progress)
    earlier = None if settings.fresh else find_sweep(plan.identity)
    children = Children(earlier["id"]) if earlier else None
    states = children.states() if children else {}
    progress.show_plan(plan, list(states.values()), executor.describe(plan.threads))
    if settings.dry_run:
        progress.list_jobs(plan, states)
        return
    if earlier and children:
        _warn_of_other_code(children.read(), progress)
        if earlier["status"] == "FINISHED" and not plan.source(children).n_left:
            _sum_up(RunFolder(runs_dir() / earlier["id"]), settings, progress, news=False)
            return
    try:
        succeeded = _run(settings, plan, _command(arguments, master), executor, progress)
    except UserError:
        raise
    except Exception:  # a mistake of ours; the caller would take it for one in the configuration
        traceback.print_exc()
        succeeded = False
    if not succeeded:
        sys.exit(FAILED)


def _plan(
    settings: Grid | Search,
    arguments: Sequence[str],
    loader: ConfigLoader,
    master: DictConfig,
    progress: SweepProgress,
) -> Plan:
    if not isinstance(settings, Search):
        return plan_grid(settings, arguments, loader, master, progress.checking)
    try:  # a search needs packages that not everyone has installed
        for package in ("optuna", "cmaes"):
            import_module(package)
    except ImportError as error:
        raise ConfigError(f"a search needs {error.name}: pip install 'mlp[search]'") from None
    from mlp.sweep.search.trials import plan_search

    return plan_search(settings, arguments, loader, master)


def _run(
    settings: Settings, plan: Plan, command: str, executor: Executor, progress: SweepProgress
) -> bool:
    """Run the jobs that are not done yet, and sum up; tell whether all have succeeded."""
    tracking = build("tracking", plan.example.config["tracking"], MLflowTracking | NoTracking)
    executor.prepare(with_mlflow=isinstance(tracking, MLflowTracking))
    description = {
        "identity": plan.identity,
        "name": settings.name or " × ".join(short_keys(plan.axes).values()) or None,
        "command": command,
        "monitor": plan.example.metric,
        "axes": plan.axes,
        "jobs": [
            {"key": job.key, "name": job.name, "params": job.params, "overrides": job.overrides}
            for job in plan.jobs
        ],
    }
    waiting = "another process is running this sweep; this one goes on when it has ended"
    parent = None
    try:
        with open_sweep(
            tracking, description, settings.fresh, on_wait=lambda: progress.say(waiting)
        ) as parent:
            _run_jobs(parent, settings, plan, executor, progress)
            _sum_up(parent.folder, settings, progress)
    except UserError as error:
        if parent is None:
            raise
        progress.say(f"mlp: {error}", "red")
        return False
    except (KeyboardInterrupt, SystemExit):  # a signal
        if parent:
            progress.say(read_run(parent.folder)["stop_reason"] or "interrupted", "red")
            progress.say(f"go on  {command}")
        raise
    return bool(read_run(parent.folder)["status"] == "FINISHED")


def _run_jobs(
    parent: Parent, settings: Settings, plan: Plan, executor: Executor, progress: SweepProgress
) -> None:
    for record in parent.children.by_key().values():
        if state(record) == "finished":
            progress.consider(record["name"], record["best"])
    source = plan.source(parent.children)
    queue = JobQueue(source, parent, progress, settings.max_failures)
    with progress.live(source.n_left):
        executor.run(queue, plan.threads)
    if queue.gave_up:
        progress.say(f"sweep.max_failures={settings.max_failures} reached: no more jobs were begun")
    if shares := source.importances():
        save_figure(importances(shares), parent.folder.figures / "importance.png")


class JobQueue:
    """The jobs of a sweep under way, given out and taken in (see `Queue`).

    Parameters
    ----------
    source : JobSource
    parent : Parent
    progress : SweepProgress
    max_failures : int, optional
        No job begins once so many have failed; a launcher of Hydra's has them all by then.
    """

    def __init__(
        self,
        source: JobSource,
        parent: Parent,
        progress: SweepProgress,
        max_failures: int | None = None,
    ) -> None:
        self.children = parent.children
        self._source, self._parent, self._progress = source, parent, progress
        self._max_failures, self._n_failed = max_failures, 0

    @property
    def n_left(self) -> int:
        """How many jobs have not ended, or not begun, at most."""
        return self._source.n_left

    @property
    def gave_up(self) -> bool:
        """Whether too many jobs have failed, and others were left for that."""
        reached = self._max_failures and self._n_failed >= self._max_failures
        return bool(reached) and self.n_left > 0

    def next(self) -> PlannedJob | None:
        """Return the next job; None when there is none before one under way has ended."""
        return None if self.gave_up else self._source.ask()

    def started(self, job: PlannedJob) -> None:
        """Take note of a job that has begun."""
        self._progress.started(job)

    def ended(self, job: PlannedJob, result: ChildResult) -> None:
        """Take in what has become of a job."""
        if result.state == "killed" and result.run is None:  # it could not say so itself
            self._parent.bury_dead()
            if record := self.children.by_key().get(job.key):
                result = replace(result, run=record["id"])
        if result.run is None:
            self._parent.lost[result.state] += 1
        self._n_failed += result.state in ("failed", "killed")
        self._parent.log(f"{result.state}  {job.name}: {result.reason}")
        self._source.tell(job, result)
        self._progress.ended(job, result, self.n_left)


def _sum_up(
    folder: RunFolder, settings: Settings, progress: SweepProgress, news: bool = True
) -> None:
    """Show the leaderboard, and leave it with its figures in the sweep's folder."""
    try:
        board = summarise(folder, settings.test, news)
    except RunError as error:  # nothing has finished, or the board cannot be written
        progress.say(str(error), "red")
    else:
        show_summary(board, progress.terminal)
    progress.say(f"sweep {folder.path.name}  {folder.path}")


def _command(arguments: Sequence[str], master: DictConfig) -> str:
    """Return the line that starts or continues this sweep."""
    words = [word for word in arguments if word.lstrip("+").partition("=")[0] != "sweep.fresh"]
    words += [word for word in master.hydra.overrides.hydra if "launcher" in word]
    return shlex.join(["python", "-m", "mlp.run", "-m", *words])


def _warn_of_other_code(records: Iterable[Record], progress: SweepProgress) -> None:
    """Say so if finished jobs were run by another commit than this one."""
    now = git_state()
    commits = {_commit(r["provenance"]["git"]) for r in records if r["status"] == "FINISHED"}
    if others := commits - {_commit(now)}:
        progress.say(
            f"the code has changed since (then {', '.join(sorted(others))}, now {_commit(now)}): "
            "finished jobs are kept, sweep.fresh=true runs them again",
            "yellow",
        )


def _commit(git: Mapping[str, Any] | None) -> str:
    return git["commit"][:10] if git else "unknown"
