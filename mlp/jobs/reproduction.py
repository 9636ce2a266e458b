"""``mlp reproduce RUN``: a stored run is repeated from its folder, and compared bit by bit."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlp import runs
from mlp.base import RunError, UserError
from mlp.config import changed, check, compose
from mlp.jobs.comparison import comparisons, data_changed
from mlp.jobs.repetition import repeat
from mlp.jobs.resume import idle_run, last_config
from mlp.jobs.worktree import repeat_at_commit
from mlp.reports import Console, ProgressConsole
from mlp.runs import RunFolder, RunRecord

MOST_NAMED = 3  # of several keys


@dataclass(frozen=True)
class Reproduction:
    """What has become of a run that was repeated.

    Attributes
    ----------
    same : list of str
        What was compared and found to be the same, bit by bit.
    difference : str or None
        The first one.
    changes : list of str
        In what the circumstances are known to differ from the run's: the likely causes.
    """

    same: list[str]
    difference: str | None
    changes: list[str]


def reproduce_run(
    folder: RunFolder, at_commit: bool = False, console: Console | None = None
) -> Reproduction:
    """Repeat a stored run, which stays as it is, and compare the two.

    Parameters
    ----------
    folder : RunFolder
    at_commit : bool
        Train with the code of the recorded commit and its uncommitted changes, not with this code.
    console : Console, optional
        Shows the progress; nowhere by default.

    Raises
    ------
    UserError
        When the run cannot be repeated.
    SystemExit
        At a signal, with 128 plus its number.
    """
    record = idle_run(folder)
    rows = runs.read_history(folder)
    if not rows:
        raise RunError(f"{record.name} has not completed an epoch: there is nothing to compare")
    stored = last_config(folder, record)
    config = _config_to_repeat(stored, folder, record)
    plan: dict[str, Any] = {
        "config": config,
        "epochs": int(rows[-1]["epoch"]),
        "early": record.state != "finished",
    }
    changes = [*_edits(folder, record), *_other_origin(config.get("init_from"), record)]
    with _scratch_runs() as scratch:
        if at_commit:
            repeat_at_commit(folder, record, plan)
        else:
            job = check(config)
            dataset = job.data.load(job.task.targets)
            if dataset.digest != record.data.digest:  # training on it would tell nothing more
                changes += _changes_of_reading(folder, record, config)
                return Reproduction([], data_changed(record, dataset.digest), changes)
            console = console or ProgressConsole(quiet=True)
            result = repeat(**plan, dataset=dataset, console=console)
            if result.signal:
                sys.exit(128 + result.signal)
        repeated = _only_run(scratch)
        changes += _changes(folder, record, repeated)
        same = list[str]()
        for what, difference in comparisons(folder, repeated):
            if difference:
                return Reproduction(same, difference, changes)
            same.append(what)
        return Reproduction(same, None, changes)


def _config_to_repeat(
    stored: Mapping[str, Any], folder: RunFolder, record: RunRecord
) -> dict[str, Any]:
    """Return a run's configuration without what leaves no trace in the result."""
    config = dict(stored) | {
        "callbacks": {},
        "tracking": {"_target_": "mlp.tracking.NoTracking"},
        "test": record.test is not None,  # of a sweep's runs, the best are tested afterwards
        "refit": stored.get("refit", False) and record.state == "finished",
    }
    runs.check_own_classes(config, record, folder)
    if origin := stored.get("init_from"):  # will be looked for from among other runs
        try:
            config["init_from"] = str(runs.find_run(origin).path)
        except RunError as error:
            raise RunError(f"{record.name} began with another run's weights: {error}") from None
    return changed(config, ["trainer.max_seconds=null", "trainer.checkpoint_every=null"])


@contextmanager
def _scratch_runs() -> Iterator[Path]:
    """Let new runs be made in a temporary folder."""
    before = os.environ.get("MLP_RUNS")
    with TemporaryDirectory(prefix="mlp-reproduce-") as scratch:
        os.environ["MLP_RUNS"] = scratch
        try:
            yield Path(scratch)
        finally:
            del os.environ["MLP_RUNS"]
            if before is not None:
                os.environ["MLP_RUNS"] = before


def _only_run(scratch: Path) -> RunFolder:
    (record,) = scratch.glob("*/run.json")
    return RunFolder(record.parent)


def _changes_of_reading(
    folder: RunFolder, record: RunRecord, config: Mapping[str, Any]
) -> list[str]:
    """Return in what that differs which reads the data today."""
    checkout = runs.read_checkout()
    computing = {"blas": record.provenance.blas, "simd": record.provenance.simd}  # reads nothing
    now = runs.collect_provenance(checkout).model_copy(update=computing)
    codes = runs.code_of_run(folder), runs.code_of_today(config, checkout)
    return [*runs.origin_changes(record.provenance, now), *runs.code_changes(*codes)]


def _changes(folder: RunFolder, record: RunRecord, repeated: RunFolder) -> list[str]:
    """Return in what a repetition's circumstances differ from those of all the run's starts."""
    now = runs.read_training(repeated)
    starts = [record.provenance, *(resumption.provenance for resumption in record.resumed)]
    changes = [text for start in starts for text in runs.origin_changes(start, now.provenance)]
    for resumption in record.resumed:
        changes += [f"when it was resumed, {change}" for change in resumption.code_changes]
    changes += runs.code_changes(*(runs.code_of_run(place) for place in (folder, repeated)))
    return list(dict.fromkeys(changes))


def _edits(folder: RunFolder, record: RunRecord) -> list[str]:
    """Return that the stored configuration has been edited, and where as far as that is known."""
    config = runs.read_config(folder)
    if record.config_digest in (None, runs.config_digest(config)):
        return []
    edits = []
    with suppress(UserError, ValueError):  # its command line may mean nothing today
        typed = check(compose(runs.read_overrides(folder)))
        before, now = runs.flat(typed.config), runs.flat(config)
        edits = [
            f"{key} was {runs.in_words(value)} and is {runs.in_words(now[key])}"
            for key, value in before.items()
            if key in now and now[key] != value and key.partition(".")[0] not in runs.IRRELEVANT
        ]
    where = ", ".join(edits[:MOST_NAMED]) or "its digest is another"
    return [f"{folder.config} has been edited: {where}"]


def _other_origin(origin: str | None, record: RunRecord) -> list[str]:
    """Return that the run whose weights were the first ones has been trained further since."""
    if origin is None:
        return []
    first = runs.read_training(runs.find_run(origin))
    if first.ended and first.ended < record.started:
        return []
    return [f"init_from: {first.name} was trained further after this run had begun"]
