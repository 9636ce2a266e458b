"""What `mlp compare` is asked to compare: runs, settings of a sweep, presets, whole sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mlp.base import RunError
from mlp.runs.evaluations import read_predictions
from mlp.runs.find import find_run, list_runs
from mlp.runs.folder import RunFolder, read_config, read_run, read_training
from mlp.runs.leaderboard import Leaderboard, read_leaderboard
from mlp.runs.presets import is_same_preset, preset_of
from mlp.runs.record import RunRecord, SweepRecord
from mlp.runs.sweeps import find_runs_or_sweeps

LONGEST_NAME = 40  # of a setting in a sentence


class Repetition(NamedTuple):
    """Which of a setting's trainings a run is."""

    seed: int
    split_seed: int
    fold: int


@dataclass(frozen=True)
class Repeat:
    """A run that is compared."""

    folder: RunFolder
    record: RunRecord

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Its configuration."""
        return read_config(self.folder)

    @cached_property
    def predictions(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels and predictions of its test rows."""
        return read_predictions(self.folder)

    @property
    def right(self) -> np.ndarray:
        """Which of its test rows it classifies rightly."""
        labels, predictions = self.predictions
        return labels == predictions

    @property
    def repetition(self) -> Repetition:
        """Its seeds and its fold: runs of two settings with equal ones make a pair."""
        data, seed = self.config.get("data", {}), self.config.get("seed") or 0
        split_seed = data.get("split_seed")
        return Repetition(seed, seed if split_seed is None else split_seed, data.get("fold") or 0)

    @property
    def test_rows(self) -> tuple[Any, ...]:
        """What is equal for runs that are tested on the same rows."""
        data, record = self.config.get("data", {}), self.record
        chosen = [data.get(key) for key in ("folds", "test_fraction", "test_seed")]
        fold = self.repetition[1:] if data.get("folds") else ()
        return (record.test and record.test.digest, record.data.n_test, *chosen, *fold)


@dataclass(frozen=True)
class Side:
    """One of those that are compared: a run, or the runs of a setting.

    Attributes
    ----------
    name : str
    runs : sequence of Repeat
    sweep : str or None
        The id of the sweep that it is a setting of, if it was chosen by its rank.
    rank, n_settings : int
        Its rank among how many settings of the sweep.
    """

    name: str
    runs: Sequence[Repeat]
    sweep: str | None = None
    rank: int = 1
    n_settings: int = 1

    @classmethod
    def of(cls, name: str, folders: Sequence[RunFolder]) -> "Side":
        """Read the records of a side; RunError when that is not possible."""
        return cls(name, [Repeat(folder, read_training(folder)) for folder in folders])


def find_sides(references: Sequence[str]) -> list[Side | SweepRecord]:
    """Return what references mean, each once.

    Parameters
    ----------
    references : sequence of str
        As `find_run` takes them, ``latest`` alone being the latest sweep; ``SWEEP#2``, the setting
        that is second on a sweep's leaderboard; a preset's name, for all finished runs of it. If
        several are all presets' names, runs and sweeps of these names are not meant.

    Raises
    ------
    RunError
        When a reference is unknown or ambiguous.
    """
    if list(references) == ["latest"]:
        references = [folder.path.name for folder in find_runs_or_sweeps(references)]
    found: dict[Any, tuple[str, Side | SweepRecord]] = {}
    sides = _presets(references) or map(_find, references)
    for reference, side in zip(references, sides, strict=True):
        key = side.id if isinstance(side, SweepRecord) else tuple(run.folder for run in side.runs)
        found[key] = reference, side
    return _told_apart(dict(found.values()))


def side_of(board: Leaderboard, rank: int, name: str | None = None) -> Side:
    """Return the finished runs of a setting of a leaderboard as one side of a comparison.

    Its name is by default the setting, or ``#2``, its rank, where that is too long for a sentence.
    """
    row = board.rows[rank - 1]
    name = name or (row.name if len(row.name) <= LONGEST_NAME else f"#{rank}")
    sweeps = sorted({run.job.parent for each in board.rows for run in each.runs})
    runs = [Repeat(RunFolder.of(run.id), run) for run in row.runs]
    return Side(name, runs, " ".join(sweeps), rank, len(board.rows))


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
    runs = [run for run in Side.of(name, folders).runs if run.record.status == "FINISHED"]
    now = config or (runs[-1].config if runs else {})
    latest = {run.repetition: run for run in runs if is_same_preset(run.config, now)}
    return Side(name, list(latest.values())) if latest else None


def _told_apart(sides: Mapping[str, Side | SweepRecord]) -> list[Side | SweepRecord]:
    """Name sides by their references where their settings or names would not tell them apart."""
    names = {side.name for side in sides.values()}
    sweeps = {side.sweep if isinstance(side, Side) else side.id for side in sides.values()}
    if len(names) == len(sides) and len(sweeps) == 1:
        return list(sides.values())
    return [
        replace(side, name=reference) if isinstance(side, Side) else side
        for reference, side in sides.items()
    ]


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
    board = read_leaderboard([record.id])
    if not 1 <= rank <= (n := len(board.rows)):
        raise RunError(f"{record.name} has {n} settings, and so no {reference}#{rank}")
    return side_of(board, rank)


def _presets(names: Sequence[str]) -> list[Side]:
    """Return the runs of presets; none unless several names are all of presets that have run."""
    if len(names) < 2:
        return []
    found = []
    for name in names:
        if not (preset := find_preset(name)):
            return []
        found.append(preset)
    return found
