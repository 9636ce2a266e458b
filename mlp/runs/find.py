"""Where runs lie, and how one is found again by what a user remembers of it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlp.base import ConfigError, RunError, closest, runs_dir
from mlp.runs.folder import RunFolder, read_run
from mlp.runs.index import Entry, read_index
from mlp.runs.record import Record
from mlp.training import higher_is_better

LONGEST_NAME = 200
RESERVED_NAMES = ("latest", "best")
TAG = re.compile(r"\w[\w.\- ]{0,199}")


def check_name(name: str | None, key: str = "name") -> None:
    """Raise ConfigError for a name that a page could not show or `find_run` not find.

    A name is data and never becomes a path, so slashes and dots are harmless.
    """
    if name is None:
        return
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(
            f"{key} must be 1 to {LONGEST_NAME} printable characters, got {name[:40]!r}"
        )
    if name in RESERVED_NAMES:
        raise ConfigError(f"{key} must not be {name!r}, which stands for a run already")


def check_tags(tags: Mapping[str, Any]) -> None:
    """Raise ConfigError for a tag that MLflow would not take."""
    for key in tags:
        if not TAG.fullmatch(key):
            raise ConfigError(
                f"tags.{key[:40]!r} must be named with 1 to 200 letters, digits, '_', '-', '.' or "
                "spaces, the first a letter, a digit or '_'"
            )


def list_runs() -> list[RunFolder]:
    """Return every readable training run, the first started first."""
    return [run.path for run in read_index() if run.kind == "run"]


def find_run(reference: str) -> RunFolder:
    """Return the one run, a training's or a sweep's, that a reference means.

    Parameters
    ----------
    reference : str
        A run's folder, wherever it was moved; ``latest`` or ``best`` (below); a run's id, its
        name, or the first characters of its id, if no other run shares them.

    Notes
    -----
    ``latest`` is what was started last, a sweep or a training outside of one.

    ``best`` compares the FINISHED trainings with the data, the split and the loss of the latest
    FINISHED one, by the metric which that one monitored, each at its best epoch. Trainings with
    ``limit_batches`` or ``overfit_batches`` never count.

    Raises
    ------
    RunError
        When no run or more than one is meant, with those that could be.
    """
    with suppress(OSError):  # too long for a path
        if (Path(reference) / "run.json").is_file():
            return RunFolder(Path(reference).resolve())
    runs = read_index()
    trainings = [run for run in runs if run.kind == "run"]
    if not runs:
        raise RunError(f"there is no run in {runs_dir()} yet, so {reference!r} means none")
    if reference == "latest":
        return _latest(runs)
    if reference == "best":
        return _best(trainings)
    matches = [run for run in runs if run.id == reference] or [
        run for run in runs if run.name == reference or run.id.startswith(reference)
    ]
    if len(matches) == 1:
        return matches[0].path
    if matches:
        raise RunError(f"{reference!r} means {len(matches)} runs:{_listing(matches)}")
    for folder in sorted(runs_dir().iterdir()):
        if folder.name.startswith(reference):
            read_run(RunFolder(folder))  # says why it is in no list
    hint = closest(reference, [run.name for run in runs])
    raise RunError(
        f"no run is called {reference!r} and no id starts so{hint}; the last ones:{_listing(runs)}"
    )


def all_runs() -> list[Record]:
    """Return the record of every readable run and sweep, the first started first.

    Copies, links, and folders that were renamed are passed over.
    """
    records = []
    for path in runs_dir().glob("*/run.json"):
        with suppress(RunError):  # one damaged record must not hide the others
            record = read_run(RunFolder(path.parent))
            if path.parent.name == record.id and not path.parent.is_symlink():
                records.append(record)
    return sorted(records, key=lambda record: (record.started, record.id))


def _latest(runs: list[Entry]) -> RunFolder:
    """Return what was started last; the runs of a sweep that is there belong to it."""
    sweeps = {run.id for run in runs if run.kind == "sweep"}
    return [run for run in runs if run.sweep not in sweeps][-1].path


def _best(trainings: list[Entry]) -> RunFolder:
    finished = [run for run in trainings if run.status == "FINISHED" and run.task]
    if not finished:
        raise RunError(
            "no run has finished yet, so there is no 'best' (one with limit_batches or "
            "overfit_batches does not count)"
        )
    latest = finished[-1]
    rivals = [run for run in finished if run.task == latest.task and latest.monitor in run.metrics]
    choose = max if higher_is_better(latest.monitor) else min
    return choose(rivals, key=lambda run: run.metrics[latest.monitor]).path


def _listing(runs: list[Entry], most: int = 10) -> str:
    """One line for each of the latest runs, as the tail of a message."""
    return "".join(
        f"\n  {run.id[:8]}  {run.started:%Y-%m-%d %H:%M:%S}  {run.status}  {run.name}"
        for run in runs[-most:]
    )
