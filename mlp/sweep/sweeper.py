"""Sweeps (``-m``): plan the jobs, run them, summarise the results."""

import shlex
import sys
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from mlp.base import RunError, UserError, runs_dir
from mlp.config import Grid, Search, build, read_settings
from mlp.reports import importances, save_figure, show_summary
from mlp.runs import (
    Children,
    Git,
    RunFolder,
    SweepRecord,
    collect_provenance,
    digest_of,
    find_sweep,
    git_state,
    read_run,
    short_keys,
    this_process,
)
from mlp.sweep.archive import unpack
from mlp.sweep.composer import CommandLine, PlannedJob
from mlp.sweep.executors.base import Executor, require, share_environment
from mlp.sweep.executors.choice import choose_executor
from mlp.sweep.lifecycle import OpenSweep, open_sweep
from mlp.sweep.plan import Plan, plan_grid
from mlp.sweep.progress import SweepProgress
from mlp.sweep.summary import summarise
from mlp.sweep.worker import ChildResult
from mlp.tracking import MLflowTracking, NoTracking


def run_sweep(line: CommandLine) -> None:
    """Run the sweep that a command line describes, or what is left of it.

    Parameters
    ----------
    line : CommandLine

    Raises
    ------
    UserError
        When something is not acceptable; nothing has been written then.
    SystemExit
        Unless every job has succeeded.
    """
    share_environment()
    settings = read_settings(line.config)
    executor = choose_executor(line, getattr(settings, "batch", None))
    progress = SweepProgress()
    plan = _plan(settings, line, progress)
    earlier = None if settings.fresh else find_sweep(plan.identity)
    children = Children(earlier.id) if earlier else None
    states = children.states() if children else {}
    progress.show_plan(plan, states, executor.describe(plan.threads))
    if settings.dry_run:
        progress.list_jobs(plan, states)
        return
    sweeper = Sweeper(settings, plan, progress, _command(line))
    if earlier and children:
        _warn_of_other_code(children, progress)
        if earlier.status == "FINISHED" and not plan.source(children).n_left:
            sweeper.sum_up(RunFolder.of(earlier.id), news=False)
            return
    try:
        succeeded = sweeper.run(executor)
    except UserError:
        raise
    except Exception:  # a bug; the caller would blame the configuration
        traceback.print_exc()
        succeeded = False
    if not succeeded:
        sys.exit(1)


def _plan(settings: Grid | Search, line: CommandLine, progress: SweepProgress) -> Plan:
    if not isinstance(settings, Search):
        return plan_grid(settings, line, progress.checking)
    for package in ("optuna", "cmaes"):
        require(package, "search", "a search")
    from mlp.sweep.search.trials import plan_search

    return plan_search(settings, line)


def _command(line: CommandLine) -> str:
    """Return the line that starts or continues this sweep."""
    words = [word for word in line.words if word.lstrip("+").partition("=")[0] != "sweep.fresh"]
    words += [word for word in line.config.hydra.overrides.hydra if "launcher" in word]
    return shlex.join(["python", "-m", "mlp.run", "-m", *words])


def _warn_of_other_code(children: Children, progress: SweepProgress) -> None:
    """Say so if finished jobs were run by other code than there is now."""
    now = _commit(git_state())
    finished = [record for record in children.read() if record.status == "FINISHED"]
    if others := {_commit(record.provenance.git) for record in finished} - {now}:
        progress.say(
            f"the code has changed since (then {', '.join(sorted(others))}, now {now}): "
            "finished jobs are kept, sweep.fresh=true runs them again",
            "yellow",
        )
    own = {(name, own) for record in finished for name, own in record.code.items()}
    if changed := {name for name, own in own if digest_of(own.file) != own.digest}:
        progress.say(
            f"{', '.join(sorted(changed))} changed since: finished jobs are kept, "
            "sweep.fresh=true runs them again",
            "yellow",
        )


def _commit(git: Git | None) -> str:
    return git.commit[:10] if git else "unknown"


class Sweeper:
    """Runs a planned sweep; an executor asks it for jobs and reports their outcomes.

    Parameters
    ----------
    settings : Grid or Search
    plan : Plan
    progress : SweepProgress
    command : str
        The line that continues it.
    """

    def __init__(
        self, settings: Grid | Search, plan: Plan, progress: SweepProgress, command: str
    ) -> None:
        self._settings, self._plan, self._progress = settings, plan, progress
        self._command = command
        self._n_failed = 0

    def run(self, executor: Executor) -> bool:
        """Run the jobs that are left and summarise; tell whether all have succeeded."""
        record, opened = self._new_record(), None
        try:
            with open_sweep(record, self._settings.fresh, self._wait) as opened:
                self._run_jobs(opened, executor)
                self.sum_up(opened.folder)
        except (UserError, OSError) as error:  # OSError: the disk is full
            if opened is None:
                raise
            self._progress.say(f"mlp: {error}", "red")
            return False
        except (KeyboardInterrupt, SystemExit):  # a signal
            if opened:
                self._progress.say(read_run(opened.folder).stop_reason or "interrupted", "red")
                self._progress.say(f"go on  {self._command}")
            raise
        return bool(read_run(opened.folder).status == "FINISHED")

    def _new_record(self) -> SweepRecord:
        """Return the record of the sweep as if it were started for the first time."""
        plan, own = self._plan, uuid4().hex
        name = self._settings.name or " × ".join(short_keys(plan.axes).values())
        tracking = build("tracking", plan.example.config["tracking"], MLflowTracking | NoTracking)
        values = {
            "id": own,
            "name": name or f"run-{own[:8]}",
            "identity": plan.identity,
            "started": datetime.now(UTC),
            "command": self._command,
            "monitor": plan.example.monitor,
            "axes": plan.axes,
            "n_jobs": len(plan.jobs),
            "provenance": collect_provenance(),
            "process": this_process(),
            "tracking": tracking.destination(),
        }
        return SweepRecord.of(values)

    def _wait(self) -> None:
        self._progress.say("another process is running this sweep: this one waits for its end")

    def _run_jobs(self, opened: OpenSweep, executor: Executor) -> None:
        self._opened, self.id = opened, opened.id
        for record in opened.children.by_key().values():
            if record.state == "finished":
                self._progress.consider(record.name, record.metrics)
        self._source = self._plan.source(opened.children)
        with self._progress.live(self.n_left):
            executor.run(self, self._plan.threads)
        if self._gave_up:
            n = self._settings.max_failures
            self._progress.say(f"sweep.max_failures={n} reached: no more jobs were begun")
        if shares := self._source.importances():
            save_figure(importances(shares), opened.folder.figures / "importance.png")

    @property
    def n_left(self) -> int:
        """The number of jobs that have not ended, at most."""
        return self._source.n_left

    @property
    def _gave_up(self) -> bool:
        """Whether too many jobs have failed to start the others."""
        most = self._settings.max_failures
        return most is not None and self._n_failed >= most and self.n_left > 0

    def next(self) -> PlannedJob | None:
        """Return the next job; None when there is none before one under way has ended."""
        return None if self._gave_up else self._source.ask()

    def started(self, job: PlannedJob) -> None:
        """Show that a job has started."""
        self._progress.started(job)

    def ended(self, job: PlannedJob, result: ChildResult) -> None:
        """Record the outcome of a job."""
        if result.archive:
            unpack(result.archive, runs_dir())
        if result.state == "killed" and result.run is None:  # it could not say so itself
            self._opened.children.mark_orphaned_runs()
            if record := self._opened.children.by_key().get(job.key):
                result = replace(result, run=record.id)
        if result.run is None:
            self._opened.lost[result.state] += 1
        self._n_failed += result.state in ("failed", "killed")
        self._opened.log(f"{result.state}  {job.name}: {result.reason}")
        self._source.tell(job, result)
        self._progress.ended(job, result, self.n_left)

    def sum_up(self, folder: RunFolder, news: bool = True) -> None:
        """Show the leaderboard, and store it with its figures in the sweep's folder."""
        try:
            board = summarise(folder, self._settings.test, news)
        except (RunError, OSError) as error:  # nothing has finished, or the disk is full
            self._progress.say(str(error), "red")
        else:
            show_summary(board, self._progress.terminal)
        self._progress.say(f"sweep {folder.path.name}  {folder.path}")
