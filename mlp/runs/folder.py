"""The run folder: the one record of a run, which MLflow only mirrors.

Every file but those that grow line by line (``history.csv``, ``inspections.jsonl``, ``log.txt``)
appears under its name complete or not at all, so a reader never meets half a file, whatever ended
the writer.
"""

import csv
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from pathlib import Path
from stat import S_ISREG
from typing import Any

from mlp.base import RunError, atomic_write, in_one_line, runs_dir
from mlp.runs.record import Record, RunRecord, SweepRecord, parse_record

LONGEST_ROW = 1 << 12  # bytes of an epoch in a history, about


class _Entry:
    """A file or a folder in each run's folder."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, folder: "RunFolder", owner: type) -> Path:
        return folder.path / self.name


@dataclass(frozen=True)
class RunFolder:
    """Where each file of a run lies; the folder's name is the run's id until someone renames it."""

    path: Path

    # What happened, as JSON: id, name, status, best epoch, test result, provenance.
    record = _Entry("run.json")
    # The composed and resolved configuration.
    config = _Entry("config.yaml")
    # The overrides as the user typed them, a list.
    overrides = _Entry("overrides.yaml")
    # One row an epoch: epoch, timestamp (ms since 1970), every metric.
    history = _Entry("history.csv")
    # One line of JSON a look inside the network, if trainer.inspect asks for them.
    inspections = _Entry("inspections.jsonl")
    # What was said while the run went on, with times.
    log = _Entry("log.txt")
    # The network and the scaler as .npy files, with ``network.json``.
    weights = _Entry("weights")
    # The state of a training that has not FINISHED, to be continued from.
    checkpoints = _Entry("checkpoints")
    # There while a process works on the run, which holds a lock on it; see `RunLock`.
    alive = _Entry("alive")
    # One raw row of the training data, of shape (1, n_in), .npy.
    example = _Entry("example.npy")
    # Figures of the training and of the run's own test set, PNG.
    figures = _Entry("figures")
    # One line per test example: label, prediction, its score.
    test_predictions = _Entry("test_predictions.csv")
    # Why the run FAILED.
    traceback = _Entry("traceback.txt")
    # What the code's checkout held beyond its commit.
    diff = _Entry("uncommitted.diff")
    # The user's own modules that the run has used, as they lie on Python's path.
    code = _Entry("code")
    # One page about all that, HTML: of a sweep, and of a run for which it was asked.
    report = _Entry("report.html")
    # A folder for each evaluation on data that is not the run's own.
    evaluations = _Entry("eval")

    @classmethod
    def of(cls, run: str) -> "RunFolder":
        """Return the folder of the run with an id."""
        return cls(runs_dir() / run)

    @property
    def undelivered(self) -> Path:
        """There while a mirror does not have all of the record; see `outbox`."""
        return runs_dir() / "outbox" / self.path.name


def write_text(path: Path, text: str) -> None:
    """Write a file that is never seen half-written."""
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_yaml(path: Path, value: Any) -> None:
    """Write plain containers as YAML."""
    from omegaconf import OmegaConf

    write_text(path, OmegaConf.to_yaml(OmegaConf.create(value)))


def write_csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table whose floats read back as the same numbers."""
    with (
        atomic_write(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def read_run(folder: RunFolder) -> Record:
    """Return the record of a run or a sweep.

    Raises
    ------
    RunError
        When ``run.json`` is absent, no regular file, or not such a record.
    """
    try:
        if not S_ISREG(folder.record.lstat().st_mode):  # a pipe would never end
            raise ValueError("it is not a regular file")
        return parse_record(folder.record.read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise RunError(f"{folder.record} cannot be read as the record of a run: {why}") from None


def refuse_links(folder: RunFolder) -> None:
    """Raise RunError for a symbolic link in a run's folder: it may lead to anybody's files."""
    for place, folders, files in os.walk(folder.path):
        for path in (Path(place, name) for name in (*folders, *files)):
            if path.is_symlink():
                raise RunError(f"{path} is a symbolic link, and is not followed: remove it")


def read_training(folder: RunFolder) -> RunRecord:
    """Return the record of a run; RunError also when it is a sweep's."""
    record = read_run(folder)
    if isinstance(record, SweepRecord):
        raise RunError(f"{record.name} is a sweep, not a run")
    return record


def read_sweep(folder: RunFolder) -> SweepRecord:
    """Return the record of a sweep; RunError also when it is a run's."""
    record = read_run(folder)
    if isinstance(record, RunRecord):
        raise RunError(f"{record.name} is a run, not a sweep")
    return record


def write_run(folder: RunFolder, record: Record) -> None:
    """Write the record of a run or a sweep."""
    if record.tracking and folder.path == runs_dir() / record.id:
        folder.undelivered.parent.mkdir(exist_ok=True)
        folder.undelivered.write_text("")
    write_text(folder.record, record.model_dump_json(indent=2) + "\n")


@contextmanager
def record_lock(folder: RunFolder) -> Iterator[None]:
    """Let one thread of one process change a run's record at a time."""
    descriptor = os.open(folder.path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def update_run(folder: RunFolder, **changes: Any) -> Record:
    """Change some entries of the record, which is to be delivered again; return all of it."""
    with record_lock(folder):
        record = read_run(folder).changed(**changes)
        write_run(folder, record)
    return record


def read_overrides(folder: RunFolder) -> list[str]:
    """Return the overrides as they were typed; none when they cannot be read."""
    import yaml

    try:
        words = yaml.safe_load(folder.overrides.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return []
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def read_config(folder: RunFolder) -> dict[str, Any]:
    """Return the stored configuration as plain containers; RunError when it cannot be read."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast
    try:
        text = folder.config.read_text(encoding="utf-8")
        if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise RunError(f"{folder.config} has an alias in it, and would grow beyond measure")
        config = yaml.load(text, loader)
    except RunError:
        raise
    except Exception as error:  # !!bool x is a KeyError, !!int x a ValueError
        raise RunError(f"{folder.config} cannot be read: {in_one_line(error)}") from None
    if not isinstance(config, dict):
        raise RunError(f"{folder.config} does not hold a configuration")
    return {str(key): value for key, value in config.items()}


def config_digest(config: Mapping[str, Any]) -> str:
    """Return a hash of a configuration: the same of a stored one as of the one that was stored."""
    return sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def mend_history(folder: RunFolder) -> None:
    """Cut off a last line, of an epoch or a look inside, that a dying process left incomplete."""
    for path in (folder.history, folder.inspections):
        if path.exists():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def read_history(folder: RunFolder) -> list[dict[str, float]]:
    """Return the rows of ``history.csv``, [] before the first epoch has ended.

    A last line that was cut off by a dying process is left out.
    """
    if not folder.history.exists():
        return []
    try:
        text = folder.history.read_text(encoding="utf-8")
        complete = text[: text.rfind("\n") + 1].splitlines()
        rows = [
            {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(complete)
        ]
        if not all(isfinite(row["epoch"]) and isfinite(row["timestamp"]) for row in rows):
            raise ValueError("a row has no number")
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise RunError(f"{folder.history} is damaged: {error}") from None
    return rows


def read_last_epoch(folder: RunFolder) -> dict[str, float]:
    """Return the last row of ``history.csv``, whatever its length; {} if there is none yet."""
    with suppress(OSError, ValueError), folder.history.open("rb") as file:
        header = file.readline()
        file.seek(max(len(header), os.fstat(file.fileno()).st_size - LONGEST_ROW))
        complete = file.read().splitlines(keepends=True)[-2:]
        if rows := [row for row in complete if row.endswith(b"\n")]:
            [keys, values] = csv.reader([header.decode(), rows[-1].decode()])
            return {key: float(value) for key, value in zip(keys, values, strict=True) if value}
    return {}
