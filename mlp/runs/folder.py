"""The run folder: the one record of a run, which MLflow only mirrors.

Every file but the two that grow line by line (``history.csv``, ``log.txt``) appears under its name
complete or not at all, so a reader never meets half a file, whatever ended the writer.
"""

import csv
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from types import NoneType
from typing import Any

from mlp.base import RunError, atomic_write, read_json, runs_dir


@dataclass(frozen=True)
class RunFolder:
    """Where each file of a run lies; the folder's name is the run's id until someone renames it."""

    path: Path

    @property
    def record(self) -> Path:
        """What happened, as JSON: id, name, status, best epoch, test result, provenance."""
        return self.path / "run.json"

    @property
    def config(self) -> Path:
        """The composed and resolved configuration."""
        return self.path / "config.yaml"

    @property
    def overrides(self) -> Path:
        """The overrides as the user typed them, a list."""
        return self.path / "overrides.yaml"

    @property
    def history(self) -> Path:
        """One row an epoch: epoch, timestamp (ms since 1970), every metric."""
        return self.path / "history.csv"

    @property
    def log(self) -> Path:
        """What was said while the run went on, with times."""
        return self.path / "log.txt"

    @property
    def weights(self) -> Path:
        """The network and the scaler as .npy files, with ``network.json``."""
        return self.path / "weights"

    @property
    def checkpoints(self) -> Path:
        """The state of a training that has not FINISHED, to be continued from."""
        return self.path / "checkpoints"

    @property
    def alive(self) -> Path:
        """There while a process works on the run, which holds a lock on it; see `Life`."""
        return self.path / "alive"

    @property
    def undelivered(self) -> Path:
        """There while a mirror does not have all of the record; see `outbox`."""
        return runs_dir() / "outbox" / self.path.name

    @property
    def example(self) -> Path:
        """One raw row of the training data, of shape (1, n_in), .npy."""
        return self.path / "example.npy"

    @property
    def figures(self) -> Path:
        """Figures of the training and of the run's own test set, PNG."""
        return self.path / "figures"

    @property
    def test_predictions(self) -> Path:
        """One line per test example: label, prediction, its score."""
        return self.path / "test_predictions.csv"

    @property
    def traceback(self) -> Path:
        """Why the run FAILED."""
        return self.path / "traceback.txt"

    @property
    def diff(self) -> Path:
        """What the code's checkout held beyond its commit."""
        return self.path / "uncommitted.diff"

    @property
    def evaluations(self) -> Path:
        """A folder for each evaluation on data that is not the run's own."""
        return self.path / "eval"


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


ID = re.compile(r"[\w-][\w. -]{0,99}")  # it becomes the name of a folder
OBJECT = (dict, NoneType)
KINDS: dict[str, tuple[type, ...]] = {  # of what is relied on, in a record that has it
    "name": (str, NoneType),
    "status": (str,),
    "started": (str,),
    "tags": (dict,),
    "data": (dict,),
    "evaluations": (dict,),
    "provenance": (dict,),
    "best": OBJECT,
    "test": OBJECT,
    "tracking": OBJECT,
    "sweep": OBJECT,
}


def read_run(folder: RunFolder) -> dict[str, Any]:
    """Return the record of a run.

    Raises
    ------
    RunError
        When ``run.json`` is absent or not the record of a run.
    """
    try:
        record = read_json(folder.record)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.record} cannot be read as the record of a run: {error}") from None
    if not isinstance(record, dict) or not {"id", "name", "status", "started"} <= record.keys():
        raise RunError(f"{folder.record} is not the record of a run: it lacks id, name or status")
    if flaw := _flaw(record):
        raise RunError(f"{folder.record} is damaged: '{flaw}' is not what it should be")
    return record


def _flaw(record: Mapping[str, Any]) -> str | None:
    """Return the key of a value that would be a trap for those who rely on the record."""
    for key, kinds in KINDS.items():
        if key in record and not isinstance(record[key], kinds):
            return key
    if not (record["name"] or "").isprintable():  # a terminal would obey it
        return "name"
    parent = (record.get("sweep") or {}).get("parent", record["id"])
    for key, name in {"id": record["id"], "sweep": parent}.items():
        if not isinstance(name, str) or not ID.fullmatch(name):
            return key
    return None


def write_run(folder: RunFolder, record: Mapping[str, Any]) -> None:
    """Write the record of a run."""
    if record.get("tracking") and folder.path == runs_dir() / record["id"]:
        folder.undelivered.parent.mkdir(exist_ok=True)
        folder.undelivered.write_text("")
    write_text(folder.record, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def record_lock(folder: RunFolder) -> Iterator[None]:
    """Let one thread of one process change a run's record at a time."""
    descriptor = os.open(folder.path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def update_run(folder: RunFolder, **changes: Any) -> dict[str, Any]:
    """Change some entries of the record, which is to be delivered again; return all of it."""
    with record_lock(folder):
        record = read_run(folder) | changes
        write_run(folder, record)
    return record


def read_config(folder: RunFolder) -> dict[str, Any]:
    """Return the stored configuration as plain containers; RunError when it cannot be read."""
    import yaml
    from omegaconf import OmegaConf

    try:
        text = folder.config.read_text(encoding="utf-8")
        if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise RunError(f"{folder.config} has an alias in it, and would grow beyond measure")
        config = OmegaConf.to_container(OmegaConf.create(text))
    except RunError:
        raise
    except Exception as error:  # the YAML parser and OmegaConf each have several ways to say it
        raise RunError(f"{folder.config} cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise RunError(f"{folder.config} does not hold a configuration")
    return {str(key): value for key, value in config.items()}


def mend_history(folder: RunFolder) -> None:
    """Cut off a last line of the history that a dying process could not complete."""
    if folder.history.exists():
        os.truncate(folder.history, folder.history.read_bytes().rfind(b"\n") + 1)


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
