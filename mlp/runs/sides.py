"""What `mlp compare` is asked to compare: runs, settings of a sweep, presets, whole sweeps."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlp.base import RunError
from mlp.runs.find import find_run, list_runs
from mlp.runs.folder import RunFolder, read_run, read_training
from mlp.runs.leaderboard import Row, read_leaderboard
from mlp.runs.pairs import Repeat, Side
from mlp.runs.presets import is_same_preset, preset_of
from mlp.runs.record import SweepRecord
from mlp.runs.sweeps import find_runs_or_sweeps


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


def find_preset(name: str, config: Mapping[str, Any] | None = None) -> Side | None:
    """Return the finished runs of a preset, of each seed and split the latest; None without any.

    Parameters
    ----------
    name : str
    config : mapping, optional
        What the preset is today; by default, what it was in its latest run. Runs of it from
        before it was changed are left out.
    """
    folders = [folder for folder in list_runs() if preset_of(folder) == name]
    folders = [folder for folder in folders if read_training(folder).status == "FINISHED"]
    runs = Side.of(name, folders).runs
    now = config or (runs[-1].config if runs else {})
    latest = {run.repetition: run for run in runs if is_same_preset(run.config, now)}
    return Side(name, list(latest.values())) if latest else None


def _find(reference: str) -> Side | SweepRecord:
    sweep, _, rank = reference.rpartition("#")
    if sweep and rank.isdecimal():
        return _setting(sweep, int(rank))
    try:
        folder = find_run(reference)
    except RunError:
        if side := find_preset(reference):
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
