"""Several stored runs as one model: the mean of what they predict."""

from collections.abc import Sequence

from mlp import runs
from mlp.base import RunError
from mlp.config import Job, check
from mlp.jobs.evaluate import evaluate_run, tested_rows
from mlp.reports import Console
from mlp.runs import RunFolder, RunRecord, SweepRecord
from mlp.tracking import wait_for_delivery


def members_of(references: Sequence[str], top: int | None = None) -> list[RunFolder]:
    """Return the runs that references mean, each once.

    Parameters
    ----------
    references : sequence of str
        As `find_runs_or_sweeps` takes them. A sweep stands for all runs of its best setting.
    top : int, optional
        Let a sweep stand for so many of its best runs instead, whatever their settings.

    Raises
    ------
    RunError
        When a reference is unknown or ambiguous, or a sweep has fewer runs.
    """
    found = []
    for folder in runs.find_runs_or_sweeps(references):
        if isinstance(record := runs.read_run(folder), SweepRecord):
            board = runs.read_leaderboard([record.id])
            members = board.best_runs(top) if top else board.rows[0].runs
            if top and len(members) < top:
                raise RunError(f"{record.name} has {len(members)} ranked runs, and not {top}")
            found += [RunFolder.of(member.id) for member in members]
        else:
            found.append(folder)
    return list(dict.fromkeys(found))


def make_ensemble(
    members: Sequence[RunFolder], name: str | None = None, console: Console | None = None
) -> RunFolder:
    """Store the mean of some runs' predictions as a run of its own, and test it.

    Parameters
    ----------
    members : sequence of RunFolder
        Two or more, tested on the same rows. They may differ in network, inputs' scaling, training.
    name : str, optional
    console : Console, optional
        Where to show the result; nowhere by default.

    Returns
    -------
    RunFolder
        It holds the members' weights, and is evaluated and served without them.

    Raises
    ------
    RunError
        When the members cannot be one model; nothing is written.
    """
    runs.check_name(name)
    if len(members) < 2:
        raise RunError(f"an ensemble is made of two or more runs, got {len(members)}")
    records = [_read_member(folder) for folder in members]
    jobs = [_job(folder, record) for folder, record in zip(members, records, strict=True)]
    _check_alike(records, jobs)
    console = console or Console(quiet=True)
    with runs.open_ensemble(jobs[0].tracking.destination(), members, records, name) as run:
        evaluate_run(run.folder, console=console)
        run.end()
    wait_for_delivery([run.folder])
    console.show_places(run.record, run.folder.path)
    return run.folder


def _read_member(folder: RunFolder) -> RunRecord:
    """Return the record of a run that has something to predict with."""
    runs.refuse_links(folder)
    record = runs.read_training(folder)
    if record.members:
        raise RunError(f"{record.name} is an ensemble already; name its members")
    if not folder.weights.is_dir():
        raise RunError(f"{record.name} has no weights to predict with: it is {record.state}")
    return record


def _job(folder: RunFolder, record: RunRecord) -> Job:
    """Return the job that a member was."""
    config = runs.read_config(folder) | {"init_from": None, "callbacks": {}}
    runs.check_own_classes(config, record, folder)
    return check(config)


def _check_alike(records: Sequence[RunRecord], jobs: Sequence[Job]) -> None:
    """Raise RunError unless all predict the same, and can be tested on the same rows."""
    first, job = records[0], jobs[0]
    dataset = job.data.load(job.task.targets)
    tested = tested_rows(job, dataset)
    for record, other in zip(records, jobs, strict=True):
        both = f"{first.name} and {record.name}"
        if record.data.digest != first.data.digest:
            raise RunError(f"{both} were trained on different data, and cannot be one model")
        if (record.data.classes, record.data.targets) != (first.data.classes, first.data.targets):
            raise RunError(f"{both} predict different things, and cannot be one model")
        if tested_rows(other, dataset) != tested:
            raise RunError(
                f"{both} were tested on different rows: one may have been trained on what the "
                "other is tested on"
            )
    if not first.data.n_test:
        raise RunError(f"{first.data.name} has no test set to evaluate the ensemble on")
