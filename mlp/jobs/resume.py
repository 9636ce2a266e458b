"""``resume=RUN``: an interrupted run goes on as if nothing had happened, or a little longer."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlp import runs
from mlp.base import ConfigError, RunError, print_error
from mlp.config import Job, changed, check
from mlp.jobs.train import Result, run_job
from mlp.reports import Console
from mlp.runs import RunFolder, RunRecord, SweepRecord

LIMITS = ("trainer.max_epochs", "trainer.patience", "trainer.max_seconds")  # may be raised
FREE = ("trainer.checkpoint_every", "trainer.keep_checkpoint", "trainer.inspect", "test")  # at will
POINTS = 10_000  # at which a schedule is compared with itself in a longer training


def resume_run(
    reference: str, overrides: Sequence[str] = (), console: Console | None = None
) -> Result:
    """Go on with a run from its last checkpoint, with as many BLAS threads as it had.

    Parameters
    ----------
    reference : str
        As for `find_run`.
    overrides : sequence of str
        Limits to be raised, as on the command line.
    console : Console, optional
        Where to show it; nowhere by default.

    Raises
    ------
    UserError
        When a process works on the run, when it has FINISHED, or when a change would not be that
        run any more.
    """
    folder = runs.find_run(reference)
    record = idle_run(folder)
    stored = last_config(folder, record)
    config = changed(stored, overrides)
    runs.check_own_classes(config, record, folder)
    changes = _changes(stored, check(config))
    if record.sweep and (longer := changes.keys() & set(LIMITS)):
        raise ConfigError(
            f"{longer.pop()} cannot be raised for a job of a sweep: it would not be that job any "
            f"more; init_from={record.id[:8]} starts a run of its own from its weights"
        )
    if record.status == "FINISHED":
        _check_longer(folder, record, changes)
    sweep = record.sweep.model_dump() if record.sweep else None
    return run_job(config, console=console, sweep=sweep, resume=folder, changes=changes)


def announce_orphaned_runs() -> None:
    """Mark what dead processes have left, and say, in a line each, how it goes on."""
    for record in runs.mark_orphaned_runs():
        if isinstance(record, SweepRecord):
            line = record.command
        elif record.sweep:  # the sweep's line goes on with its jobs, too
            continue
        else:
            line = f"mlp run resume={record.id[:8]}"
        print_error(f"the process of {record.name} died; to go on: {line}")


def idle_run(folder: RunFolder) -> RunRecord:
    """Return the record of a training that no process works on; RunError when it is none."""
    runs.refuse_links(folder)
    if runs.is_alive(folder):
        record = runs.read_run(folder)
        who = f"process {record.process.pid} on {record.process.host}"
        raise RunError(f"{who} is working on {record.name} ({folder.path})")
    record = runs.mark_orphaned(folder) or runs.read_run(folder)
    if isinstance(record, SweepRecord):
        raise RunError(
            f"{record.name} is a sweep, which the same line goes on with: {record.command}"
        )
    if record.members:
        raise RunError(f"{record.name} is an ensemble, of which there is nothing to train")
    return record


def last_config(folder: RunFolder, record: RunRecord) -> dict[str, Any]:
    """Return the configuration that a run had last, with the BLAS threads that it had first."""
    config = runs.read_config(folder)
    for resumption in record.resumed:
        for key, value in resumption.changes.items():
            group, _, name = key.rpartition(".")
            place = config.get(group) if group else config
            if not isinstance(place, dict):
                raise RunError(f"{folder.config} is damaged: there is no {group}")
            place[name] = value
    config["threads"] = config.get("threads") or record.provenance.blas.threads
    return config


def _changes(stored: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Return what is new in a job, by dotted key; ConfigError where that changes the past."""
    before, after = runs.flat(stored), runs.flat(job.config)
    changes: dict[str, Any] = {}
    for key in (key for key in after if before.get(key) != after[key]):
        if key not in LIMITS + FREE:
            raise ConfigError(
                f"{key} cannot be changed: the run's past depends on it (it is "
                f"{before.get(key, 'not set')}); only {', '.join(LIMITS)} can be raised, and "
                f"only {', '.join(FREE)} can be set anew; init_from=RUN starts another run "
                "from its weights"
            )
        changes[key] = after[key]
        if key in LIMITS and _is_lower(after[key], before[key]):
            raise ConfigError(f"{key} can only be raised: it is {before[key]}, got {after[key]}")
    if "trainer.max_epochs" in changes:
        _check_schedule(job, before["trainer.max_epochs"])
    return changes


def _check_schedule(job: Job, max_epochs: int) -> None:
    """Raise ConfigError if the schedule went another way in a training of so many epochs."""
    schedule = job.schedule
    epochs = [max_epochs * i / POINTS for i in range(POINTS)]
    past, now = (
        [schedule.factor(epoch, schedule.horizon or length) for epoch in epochs]
        for length in (max_epochs, job.trainer.max_epochs)
    )
    if past != now:
        hint = " (a schedule.horizon, given from the beginning, makes it independent)"
        raise ConfigError(
            f"trainer.max_epochs cannot be raised: the schedule {type(schedule).__name__} is "
            f"spread over {max_epochs} epochs{hint if 'horizon' in job.config['schedule'] else ''}"
        )


def _is_lower(new: float | None, old: float | None) -> bool:
    """Compare limits, of which null is the highest."""
    return new is not None and (old is None or new < old)


def _check_longer(folder: RunFolder, record: RunRecord, changes: Mapping[str, Any]) -> None:
    """Raise RunError unless a FINISHED run can be made longer, and is to be."""
    what = f"{record.name} has FINISHED ({record.stop_reason})"
    if not folder.checkpoints.exists():
        raise RunError(
            f"{what} and has no checkpoint: trainer.keep_checkpoint=true keeps one; init_from="
            f"{record.id[:8]} starts another run from its weights"
        )
    if not changes.keys() & set(LIMITS):
        raise RunError(f"{what}; to make it longer, raise {' or '.join(LIMITS)}")
