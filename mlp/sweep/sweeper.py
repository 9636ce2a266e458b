"""Sweeps (``-m``): plan the jobs, run them, summarise the results."""

import shlex
import sys
import traceback
from contextlib import closing
from dataclasses import replace
from math import inf

from mlp.base import RunError, UserError, relative, require
from mlp.config import Grid, Search, Settings, config_places, read_settings
from mlp.reports import importances, save_figure, show_places, show_summary
from mlp.runs import Children, RunFolder, digest_of, find_sweep, git_state, read_run
from mlp.sweep.composer import CommandLine, PlannedJob
from mlp.sweep.executors.base import Executor, share_environment
from mlp.sweep.executors.launcher import choose_executor
from mlp.sweep.lifecycle import OpenSweep, open_sweep
from mlp.sweep.plan import Plan, plan_grid
from mlp.sweep.progress import SweepProgress
from mlp.sweep.summary import summarise
from mlp.sweep.watch import Watch


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
    if not settings.dry_run:
        executor.prepare()
    plan = _plan(settings, line, progress)
    earlier = None if settings.fresh else find_sweep(plan.identity)
    children = Children(earlier.id) if earlier else None
    states = children.states() if children else {}
    progress.show_plan(plan, states, executor.describe(plan.threads))
    if settings.dry_run:
        progress.list_jobs(plan, states)
        return
    if earlier and children:
        _warn_of_other_code(children, progress)
        if earlier.status == "FINISHED" and not plan.source(children).n_left:
            _sum_up(RunFolder.of(earlier.id), settings, progress, news=False)
            return
    command, opened = _command(line), None
    try:
        with open_sweep(settings, plan, command, progress.waiting) as opened:
            _run_jobs(opened, settings, plan, executor, progress)
            _sum_up(opened.folder, settings, progress)
    except (KeyboardInterrupt, SystemExit):  # a signal
        if opened:
            progress.say(read_run(opened.folder).stop_reason or "interrupted", "red")
            progress.say(f"go on  {command}")
        raise
    except Exception as error:
        if opened is None and isinstance(error, UserError):
            raise
        if isinstance(error, UserError | OSError):  # OSError: the disk is full
            progress.say(f"mlp: {error}", "red")
        else:  # a bug; the caller would blame the configuration
            traceback.print_exc()
    if opened is None or read_run(opened.folder).status != "FINISHED":
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
    words = [*config_places(line.config.hydra), *words]
    return shlex.join(["mlp", "run", "-m", *words])


def _warn_of_other_code(children: Children, progress: SweepProgress) -> None:
    """Say so if finished jobs were run by other code than there is now."""
    finished = [record for record in children.read() if record.status == "FINISHED"]
    states = [git_state(), *(record.provenance.git for record in finished)]
    now, *then = [git.commit[:10] if git else "unknown" for git in states]
    changes = []
    if others := set(then) - {now}:
        changes.append(f"the code has changed since (then {', '.join(sorted(others))}, now {now})")
    own = {(name, own) for record in finished for name, own in record.code.items()}
    if changed := {name for name, own in own if digest_of(own.file) != own.digest}:
        changes.append(f"{', '.join(sorted(changed))} changed since")
    for change in changes:
        kept = "finished jobs are kept, sweep.fresh=true runs them again"
        progress.say(f"{change}: {kept}", "yellow")


def _sum_up(
    folder: RunFolder, settings: Settings, progress: SweepProgress, news: bool = True
) -> None:
    """Show the leaderboard, and store it with its figures in the sweep's folder."""
    own = {"sweep": folder.path.name[:8], "folder": str(relative(folder.path))}
    try:
        with progress.terminal.status("ranking the runs, drawing figures"):
            board = summarise(folder, settings.test, news)
    except (RunError, OSError) as error:  # nothing has finished, or the disk is full
        progress.say(str(error), "red")
        show_places(own, progress.terminal)
        return
    if folder.report.exists():
        own["report"] = str(relative(folder.report))
    show_summary(board, progress.terminal, own)


def _run_jobs(
    sweep: OpenSweep,
    settings: Settings,
    plan: Plan,
    executor: Executor,
    progress: SweepProgress,
) -> None:
    """Let an executor run the jobs that are left, and record their outcomes."""
    source, failed = plan.source(sweep.children), list[PlannedJob]()
    most = settings.max_failures or inf
    for record in sweep.children.by_key().values():
        if record.state == "finished":
            progress.consider(record.name, record.metrics)

    def ask() -> PlannedJob | None:
        job = source.ask() if len(failed) < most else None
        if job:
            job = replace(job, parent=sweep.id)
            progress.started(job)
        return job

    outcomes = executor.run(ask, source.n_left, plan.threads)
    with progress.live(source.n_left, Watch(sweep.children)), closing(outcomes):
        for job, outcome in outcomes:
            result = sweep.ended(job, outcome)
            if result.state in ("failed", "killed"):
                failed.append(job)
            source.tell(job, result)
            progress.ended(job, result, source.n_left)
    if len(failed) >= most and source.n_left:
        progress.say(f"sweep.max_failures={most} reached: no more jobs were begun")
    if shares := source.importances():
        save_figure(importances(shares), sweep.folder.figures / "importance.png")
