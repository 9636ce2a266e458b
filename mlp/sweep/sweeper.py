"""``-m``: plan a sweep, run its jobs, sum it up."""

import re
import shlex
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from mlp.base import ConfigError, RunError, UserError
from mlp.config import Search, Settings, part, read_settings
from mlp.reports import importances, save_figure, show_summary
from mlp.runs import (
    Children,
    Record,
    find_sweep,
    git_state,
    read_run,
    short_keys,
    state,
    study_journal,
)
from mlp.sweep.parent import Parent, open_sweep
from mlp.sweep.plan import Plan, plan_grid
from mlp.sweep.pool import physical_cores, prepare
from mlp.sweep.progress import Display
from mlp.sweep.summary import summarise
from mlp.sweep.work import FixedJobs, Proposals, Work
from mlp.tracking import MLflowTracking, NoTracking

FAILED = 1
DONE = ("finished", "pruned")


def sweep(
    arguments: Sequence[str],
    master: DictConfig,
    loader: ConfigLoader,
    launcher: Launcher | None = None,
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
    launcher : Launcher, optional
        Takes all jobs at once; without one, they are run by our pool.

    Raises
    ------
    UserError
        When something is not acceptable; nothing has been written then.
    SystemExit
        Unless every job has succeeded.
    """
    settings = read_settings(master)
    if isinstance(settings, Search):
        plan: Plan = _searching().plan_search(settings, arguments, loader, master)
    else:
        plan = plan_grid(settings, arguments, loader, master)
    workers = 0 if launcher else _workers(master.hydra.launcher.workers, plan)
    earlier = None if settings.fresh else find_sweep(plan.identity)
    states = Children(earlier["id"]).states() if earlier else {}
    display = Display(_metric(plan))
    where = f"by {_choice(master)}" if launcher else f"{workers} at a time"
    display.show_plan(plan, list(states.values()), where)
    if settings.dry_run:
        display.list_jobs(plan, states)
        return
    if plan.jobs:
        workers = min(workers, sum(states.get(job.key) not in DONE for job in plan.jobs))
    try:
        succeeded = _run(settings, plan, _command(arguments, master), launcher, workers, display)
    except UserError:
        raise
    except Exception:  # a mistake of ours; the caller would take it for one in the configuration
        traceback.print_exc()
        succeeded = False
    if not succeeded:
        sys.exit(FAILED)


def _run(
    settings: Settings,
    plan: Plan,
    command: str,
    launcher: Launcher | None,
    workers: int,
    display: Display,
) -> bool:
    """Run the jobs that are not done yet, and sum up; tell whether all have succeeded."""
    tracking = part("tracking", plan.example.config["tracking"], MLflowTracking | NoTracking)
    if workers:
        prepare(with_mlflow=isinstance(tracking, MLflowTracking))
    description = {
        "identity": plan.identity,
        "name": settings.name or " × ".join(short_keys(plan.axes).values()) or None,
        "command": command,
        "monitor": display.metric,
        "axes": plan.axes,
        "jobs": [
            {"key": job.key, "name": job.name, "params": job.params, "overrides": job.overrides}
            for job in plan.jobs
        ],
    }
    waiting = "another process is at this sweep; this one goes on when it has ended"
    parent = None
    try:
        with open_sweep(
            tracking, description, settings.fresh, on_wait=lambda: display.say(waiting)
        ) as parent:
            _work(parent, settings, plan, launcher, workers, display)
    except UserError as error:
        if parent is None:
            raise
        display.say(f"mlp: {error}", "red")
        return False
    except (KeyboardInterrupt, SystemExit):  # a signal
        if parent:
            display.say(read_run(parent.folder)["stop_reason"] or "interrupted", "red")
            display.say(f"go on  {command}")
        raise
    return read_run(parent.folder)["status"] == "FINISHED"


def _work(
    parent: Parent,
    settings: Settings,
    plan: Plan,
    launcher: Launcher | None,
    workers: int,
    display: Display,
) -> None:
    """Run the jobs of a sweep that has been opened, and sum up."""
    for record in parent.children.by_key().values():
        if state(record) == "finished":
            display.consider(record["name"], (record["best"] or {}).get(display.metric))
    _warn_of_other_code(parent.children.read(), display)
    proposals = _proposals(settings, plan, parent, display.metric)
    work = Work(proposals, parent, display, settings.max_failures)
    with display.live(proposals.n_left):
        if launcher:
            work.by(launcher, getattr(settings, "batch", None))
        else:
            work.in_pool(min(workers, max(1, proposals.n_left)))
    if work.gave_up:
        display.say(f"sweep.max_failures={settings.max_failures} reached: no more jobs were begun")
    if shares := proposals.importances():
        save_figure(importances(shares), parent.folder.figures / "importance.png")
    _sum_up(parent, settings, display)


def _searching() -> ModuleType:
    """Return what runs a search; it needs packages that not everyone has installed."""
    try:
        for package in ("optuna", "cmaes"):
            import_module(package)
    except ImportError as error:
        raise ConfigError(f"a search needs {error.name}: pip install 'mlp[search]'") from None
    return import_module("mlp.sweep.trials")


def _proposals(settings: Settings, plan: Plan, parent: Parent, metric: str) -> Proposals:
    """Return what decides on the next job: of a grid, the list of those that are not done yet."""
    if isinstance(settings, Search):
        return _searching().Trials(plan, study_journal(parent.id), metric)
    states = parent.children.states()
    left = [job for job in plan.jobs if states.get(job.key) not in DONE]
    left.sort(key=lambda job: states.get(job.key) == "failed")  # may well fail again
    return FixedJobs(left)


def _sum_up(parent: Parent, settings: Settings, display: Display) -> None:
    """Show the leaderboard, and leave it with its figures in the sweep's folder."""
    try:
        board = summarise(parent.folder, settings.test)
    except RunError as error:  # nothing has finished, or the board cannot be written
        display.say(str(error), "red")
    else:
        show_summary(board, display.terminal)
    display.say(f"sweep {parent.id}  {parent.folder.path}")


def _workers(asked: Any, plan: Plan) -> int:
    """Return the size of our pool: by default, the cores are shared among the threads."""
    if asked is None:
        threads = max(job.config["threads"] or 1 for job in [plan.example, *plan.jobs])
        return max(1, physical_cores() // threads)
    if not isinstance(asked, int) or asked < 1:
        raise ConfigError(f"hydra.launcher.workers must be at least 1, got {asked!r}")
    return asked


def _metric(plan: Plan) -> str:
    """Return what the jobs monitor: without validation data, its training loss."""
    config = plan.example.config
    blind = config["data"]["validation"] == "none" and not config["trainer"]["overfit_batches"]
    metric = config["trainer"]["monitor"]
    return "train/loss" if blind and metric.startswith("val/") else metric


def _choice(master: DictConfig) -> str:
    """Return the launcher's name on the command line."""
    return master.hydra.runtime.choices["hydra/launcher"]


def _command(arguments: Sequence[str], master: DictConfig) -> str:
    """Return the line that starts or continues this sweep."""
    words = [word for word in arguments if not re.match(r"\+*sweep\.fresh=", word)]
    words += [word for word in master.hydra.overrides.hydra if "launcher" in word]
    return shlex.join(["python", "-m", "mlp.run", "-m", *words])


def _warn_of_other_code(records: Iterable[Record], display: Display) -> None:
    """Say so if finished jobs were run by another commit than this one."""
    now = git_state()
    commits = {_commit(r["provenance"]["git"]) for r in records if r["status"] == "FINISHED"}
    others = commits - {_commit(now)}
    if others:
        display.say(
            f"the code has changed since (then {', '.join(sorted(others))}, now {_commit(now)}): "
            "finished jobs are kept, sweep.fresh=true runs them again",
            "yellow",
        )


def _commit(git: Mapping[str, Any] | None) -> str:
    return git["commit"][:10] if git else "unknown"
