"""The runner from Python: train, fit arrays, ask a run."""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlp.base import (
    ConfigError,
    DataError,
    RunError,
    atomic_write,
    closest,
    data_dir,
    in_one_line,
)
from mlp.config import check, compose, conf_dir
from mlp.jobs.train import run_job
from mlp.reports import Console, learning_curves
from mlp.runs import (
    RunRecord,
    find_training,
    metric_in_words,
    read_config,
    read_history,
    read_training,
)
from mlp.training import Predictor

if TYPE_CHECKING:
    from pandas import DataFrame


class Run:
    """A stored training.

    Parameters
    ----------
    reference : str
        A run's id or the beginning of it, its name, its folder, ``latest`` or ``best``. A sweep
        stands for its best run.

    Attributes
    ----------
    folder : Path
    """

    def __init__(self, reference: str) -> None:
        self._files = find_training(reference)
        self.folder = self._files.path

    def __repr__(self) -> str:
        record = self.record
        metrics = ", ".join(f"{k} {metric_in_words(k, v)}" for k, v in record.final_metrics.items())
        return f"<Run {record.name}: {metrics or record.status}>"

    @property
    def record(self) -> RunRecord:
        """All that is recorded, as of now."""
        return read_training(self._files)

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of the best epoch and of the evaluations, as ``"val/loss"``."""
        return self.record.final_metrics

    @property
    def config(self) -> dict[str, Any]:
        """The composed configuration."""
        return read_config(self._files)

    @property
    def history(self) -> "DataFrame":
        """The metrics of each epoch, with its number as the index; RunError without any."""
        from pandas import DataFrame

        return DataFrame(self._history()).set_index("epoch").drop(columns="timestamp")

    @cached_property
    def predictor(self) -> Predictor:
        """The trained network behind raw inputs."""
        return Predictor.load(self._files.weights)

    def predict(self, x: Any) -> np.ndarray:
        """Return labels of the kind that was trained on, or numbers, see `Predictor.predict`."""
        return self.predictor.predict(x)

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return the class probabilities for raw inputs, see `Predictor.predict_proba`."""
        return self.predictor.predict_proba(x)

    def plot(self) -> Any:
        """Return the learning curves as a figure of matplotlib's."""
        best = self.record.best
        return learning_curves(self._history(), best.epoch if best else 0)

    def _history(self) -> list[dict[str, float]]:
        """Return the rows of the epochs; RunError when there is none, as in an ensemble."""
        if rows := read_history(self._files):
            return rows
        raise RunError(f"{self.record.name} has no epoch to show")


def train(*overrides: str, quiet: bool = False) -> Run:
    """Do what ``mlp run`` does with these overrides.

    Parameters
    ----------
    *overrides : str
        As on the command line: ``"experiment=mnist"``, ``"seed=1"``.
    quiet : bool
        Show nothing.

    Raises
    ------
    UserError
        When the configuration or the data are not acceptable, or the training failed.
    """
    record = run_job(compose(overrides), overrides, Console(quiet)).record
    if record.status == "FAILED":
        raise RunError(f"{record.name} failed: {record.stop_reason}")
    return Run(record.id)


def fit(x: Any, y: Any, *overrides: str, quiet: bool = False, **settings: Any) -> Run:
    """Train on arrays or a frame, as a run like any other.

    They are stored under ``data/arrays``, so that the run can be evaluated and repeated. A fifth of
    a frame's rows are tested on, and none of an array's: ``test_fraction`` says how many.

    Parameters
    ----------
    x : array_like of shape (n, n_in) or (n, height, width), or a frame of pandas
        The columns of a frame may hold categories, and gaps.
    y : array_like of shape (n,) or (n, n_targets), or a frame
        Labels; numbers with ``task="regression"``.
    *overrides : str
        As on the command line.
    quiet : bool
        Show nothing.
    **settings : object
        Keys of the configuration, without their group where no two groups have such a key:
        ``hidden_sizes=[64]``, ``lr=0.01``, ``max_epochs=20``; and choices: ``optimizer="sgd"``.

    Raises
    ------
    UserError
        When the configuration or the data are not acceptable, or the training failed.
    """
    choices = [key for key in settings if (conf_dir() / key).is_dir()]
    path, content, data = _as_file(x, y)
    words = [*data, *(f"{key}={settings[key]}" for key in choices)]
    config = check(compose([*words, *overrides])).config
    for key in settings.keys() - set(choices):
        value = json.dumps(settings[key], default=_plain)
        words.append(f"{_full_key(config, key)}={value}")
    is_new = not path.exists()
    if is_new:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as unfinished:
            unfinished.write_bytes(content)
    try:
        return train(*words, *overrides, quiet=quiet)
    except DataError as error:
        if is_new:
            path.unlink()
        raise DataError(_without_file(str(error), path)) from None


def _without_file(sentence: str, path: Path) -> str:
    """Return what is wrong with the data in the words of who passed them as x and y."""
    sentence = re.sub(rf"^({re.escape(str(path))}|{path.stem})(: |, )", "", sentence)
    return re.sub(r"\bX\b", "x", sentence.replace(str(path), "the frame"))


def _as_file(x: Any, y: Any) -> tuple[Path, bytes, list[str]]:
    """Return a file of arrays or of a frame, named by its content, and the words that read it."""
    buffer = BytesIO()
    if hasattr(x, "columns"):
        try:
            table, targets = _table(x, y)
            table.to_parquet(buffer, index=False)
        except (TypeError, ValueError) as error:  # of pandas, and of Arrow
            raise DataError(f"x and y make no table: {in_one_line(error)}") from None
        choice, name, words = "csv", "frame-{}.parquet", [f"data.target={json.dumps(targets)}"]
    else:
        np.savez(buffer, X=np.asarray(x), y=np.asarray(y))
        choice, name, words = "npz", "arrays-{}.npz", []
    content = buffer.getvalue()
    path = data_dir() / "arrays" / name.format(sha256(content).hexdigest()[:16])
    return path, content, [f"data={choice}", f"data.path={json.dumps(str(path))}", *words]


def _table(x: "DataFrame", y: Any) -> tuple["DataFrame", list[str]]:
    """Return a frame with the targets as its last columns, and their names."""
    import pandas as pd

    targets = pd.DataFrame(y)
    if not hasattr(y, "columns"):
        name, n = getattr(y, "name", None) or "y", targets.shape[1]
        targets.columns = pd.Index([name] if n == 1 else [f"{name}{i}" for i in range(1, n + 1)])
    if len(x) != len(targets):
        raise DataError(f"x has {len(x)} rows and y {len(targets)}")
    table = pd.concat([x.reset_index(drop=True), targets.reset_index(drop=True)], axis=1)
    table.columns = table.columns.map(str)
    if twice := table.columns[table.columns.duplicated()].tolist():
        raise DataError(f"x and y have more than one column of the name {twice[0]!r}: rename them")
    return table, table.columns[x.shape[1] :].tolist()


def _full_key(config: Mapping[str, Any], key: str) -> str:
    """Return the dotted key of a setting that may be named without its group."""
    if "." in key or key in config:
        return key
    groups = {group: node for group, node in config.items() if isinstance(node, Mapping)}
    owners = [group for group, node in groups.items() if key in node]
    if len(owners) == 1:
        return f"{owners[0]}.{key}"
    if owners:
        raise ConfigError(f"{key} may be of {' or '.join(owners)}: say '{owners[0]}.{key}=...'")
    known = [name for node in groups.values() for name in node]
    raise ConfigError(f"there is no setting {key}{closest(key, known)}")


def _plain(value: Any) -> Any:
    """Return what NumPy has as Python has it."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
