"""What `mlp compare` is asked to compare: runs, settings of a sweep, presets, whole sweeps."""

from collections.abc import Sequence

from mlp.base import RunError
from mlp.runs.find import find_run, list_runs
from mlp.runs.folder import RunFolder, read_overrides, read_run, read_training
from mlp.runs.leaderboard import Row, read_leaderboard
from mlp.runs.pairs import Repeat, Side
from mlp.runs.record import SweepRecord
from mlp.runs.sweeps import find_runs_or_sweeps

# What may be said besides a preset: it does not change what is measured, but for seed and split.
FREE = {"seed", "data.split_seed", "threads", "name", "test", "tracking", "data", "data.dir"}


def find_sides(references: Sequence[str]) -> list[Side | SweepRecord]:
    """Return what references mean, each once.

    Parameters
    ----------
    references : sequence of str
        As `find_run` takes them, ``latest`` alone being the latest sweep; ``SWEEP#2``, the setting
        that is second on a sweep's leaderboard; a preset's name, for all finished runs of it.

    Raises
    ------
    RunError
        When a reference is unknown or ambiguous.
    """
    if list(references) == ["latest"]:
        references = [folder.path.name for folder in find_runs_or_sweeps(references)]
    found = {}
    for reference in references:
        side = _find(reference)
        key = side.id if isinstance(side, SweepRecord) else tuple(run.folder for run in side.runs)
        found[key] = side
    return list(found.values())


def side_of(row: Row, name: str | None = None) -> Side:
    """Return the finished runs of a row of a leaderboard as one side of a comparison."""
    return Side(name or row.name, [Repeat(RunFolder.of(run.id), run) for run in row.runs])


def preset_of(folder: RunFolder) -> str | None:
    """Return the preset (``experiment=NAME``) that a run was, None unless it was one as it is."""
    words = (word.lstrip("+").partition("=") for word in read_overrides(folder))
    given = {key: value for key, _, value in words}
    preset = given.pop("experiment", None)
    return preset if given.keys() <= FREE else None


def _find(reference: str) -> Side | SweepRecord:
    sweep, _, rank = reference.rpartition("#")
    if sweep and rank.isdecimal():
        return _setting(sweep, int(rank))
    try:
        folder = find_run(reference)
    except RunError:
        if side := _preset(reference):
            return side
        raise
    record = read_run(folder)
    return record if isinstance(record, SweepRecord) else Side.of(record.name, [folder])


def _setting(reference: str, rank: int) -> Side:
    """Return a setting of a sweep by its rank."""
    [folder] = find_runs_or_sweeps([reference])
    record = read_run(folder)
    if not isinstance(record, SweepRecord):
        raise RunError(f"{reference!r} is a run, and only a sweep has settings, as in sweep#{rank}")
    rows = read_leaderboard([record.id]).rows
    if not 1 <= rank <= len(rows):
        raise RunError(f"{record.name} has {len(rows)} settings, and so no {reference}#{rank}")
    return side_of(rows[rank - 1])


def _preset(name: str) -> Side | None:
    """Return the finished runs of a preset, of each seed the latest; None without any."""
    folders = [folder for folder in list_runs() if preset_of(folder) == name]
    folders = [folder for folder in folders if read_training(folder).status == "FINISHED"]
    if not folders:
        return None
    latest = {run.repetition: run for run in Side.of(name, folders).runs}
    return Side(name, list(latest.values()))
