"""A trained network, or several, behind raw inputs: they scale them and answer in words."""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlp.base import RunError, class_name, import_class, read_json
from mlp.data import LabelType, Scaler, TablePreprocessing, TargetScaler, load_preprocessing
from mlp.nn import MLP, Network, load, save
from mlp.training.tasks import Classification, Task

if TYPE_CHECKING:
    import pandas as pd

FILE = "predictor.json"
READ: dict[LabelType, Callable[[str], Any]] = {  # a label's name
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda name: name.lower() == "true",
}


class Predictor:
    """Predicts from raw inputs, with NumPy and nothing else.

    Parameters
    ----------
    network : Network
    scaler : Scaler or TablePreprocessing
        Fitted on the rows that the network was trained on.
    names : sequence of str
        Of the classes, or of the numbers that are predicted.
    batch_size : int
        Rows that go through the network at once. It bounds the memory; equal sizes give equal
        bits.
    task : Task, optional
        What the outputs mean; classes by default.
    target_scaler : TargetScaler, optional
        That of the numbers that the network was trained on.
    label_type : {"str", "int", "float", "bool"}
        What `predict` answers with, instead of the names of classes.
    """

    def __init__(
        self,
        network: Network,
        scaler: Scaler | TablePreprocessing,
        names: Sequence[str],
        batch_size: int,
        task: Task | None = None,
        target_scaler: TargetScaler | None = None,
        label_type: LabelType = "str",
    ) -> None:
        if scaler.n_in != network.n_in:
            raise ValueError(f"{scaler.n_in} inputs are scaled; the network has {network.n_in}")
        self.network, self.scaler, self.batch_size = network, scaler, batch_size
        self.task, self.target_scaler = task or Classification(), target_scaler
        self.names, self.label_type = tuple(names), label_type
        self._labels = np.array([READ[label_type](name) for name in names])
        n_answers = self._answer(np.zeros((1, network.n_out), network.dtype)).shape[1]
        if len(names) != n_answers:
            raise ValueError(f"{len(names)} answers are named; the network gives {n_answers}")

    def predict(self, x: Any) -> np.ndarray:
        """Return the answer for each row.

        Parameters
        ----------
        x : array_like of shape (n, n_in) or (n, ...), DataFrame, or mapping of str to sequence
            As the data set holds them, before any scaling; the columns of a table by name.

        Returns
        -------
        ndarray of shape (n,), str, int, float or bool; or (n,) or (n, n_targets), float
            The label of the most probable class, as the data had it; or the numbers, in the
            targets' units, as a matrix when there are several targets.
        """
        answers = self.answers(x)
        if self.task.targets == "classes":
            predicted: np.ndarray = self._labels[answers.argmax(axis=1)]
            return predicted
        return answers[:, 0] if len(self.names) == 1 else answers

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return the class probabilities, of shape (n, n_classes); scores where the loss has none.

        Raises
        ------
        AttributeError
            When numbers are predicted.
        ValueError
            As `answers`.
        """
        if self.task.targets != "classes":
            raise AttributeError("this network predicts numbers, which have no probabilities")
        return self.answers(x)

    def table(self, x: Any) -> "pd.DataFrame":
        """Return the prediction for each row and what it rests on, side by side.

        Parameters
        ----------
        x
            As in `predict`.

        Returns
        -------
        DataFrame
            ``prediction``, and a column of probabilities by the name of each class; or a column of
            numbers by the name of each target.
        """
        import pandas as pd

        answers = self.answers(x)
        columns = dict(zip(self.names, answers.T, strict=True))
        if self.task.targets == "classes":
            labels = np.array(self.names)[answers.argmax(axis=1)]
            return pd.DataFrame({label_column(self.names): labels} | columns)
        return pd.DataFrame(columns)

    def answers(self, x: Any) -> np.ndarray:
        """Return a score of each class, or each number.

        Parameters
        ----------
        x : array_like of shape (n, n_in)
            As the data set holds them, before any scaling.

        Returns
        -------
        ndarray of shape (n, n_classes) or (n, n_targets)

        Raises
        ------
        ValueError
            For another shape, what is not a finite number, a missing column, or a value that its
            column cannot hold.
        """
        network, raw = self.network, self.scaler.raw(x)
        outputs = np.empty((len(raw), network.n_out), network.dtype)
        ws = network.workspace(min(len(raw), self.batch_size))
        scaled = np.empty((ws.n_batch, network.n_in), network.dtype)
        no_labels = np.zeros(ws.n_batch, np.int64)  # the outputs do not depend on them
        for start in range(0, len(raw), self.batch_size):
            rows = raw[start : start + self.batch_size]
            n, batch = len(rows), ws.rows(len(rows))
            network.mean_loss(self.scaler.transform(rows, scaled[:n]), no_labels[:n], batch)
            outputs[start : start + n] = batch.loss.a
        return self._answer(outputs)

    def _answer(self, outputs: np.ndarray) -> np.ndarray:
        return self.task.answers(outputs, self.target_scaler)

    def save(self, folder: Path, model: MLP) -> None:
        """Write all of it into a folder that exists.

        Parameters
        ----------
        folder : Path
        model : MLP
            What the network was built from.
        """
        save(folder, model, self.network)
        self.scaler.save(folder)
        if self.target_scaler:
            self.target_scaler.save(folder)
        # Of what the task was made with, but for what it measures: a predictor measures nothing.
        names = [field.name for field in fields(self.task) if field.name != "metrics"]
        stored = {
            "task": class_name(type(self.task)),
            "task_arguments": {name: getattr(self.task, name) for name in names},
            "names": self.names,
            "label_type": self.label_type,
            "batch_size": self.batch_size,
        }
        (folder / FILE).write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")

    @property
    def members(self) -> "Sequence[Predictor]":
        """The predictors whose answers are averaged: this one."""
        return (self,)

    @classmethod
    def load(cls, folder: Path | str) -> "Predictor":
        """Read what ``save`` wrote, as a run's folder ``weights`` holds it.

        Raises
        ------
        RunError
            If a file is absent or damaged; the message names it.
        """
        folder = Path(folder)
        if not folder.exists():
            raise RunError(
                f"{folder} does not exist: a run that is stopped in epoch 1 has no weights"
            )
        try:
            stored = read_json(folder / FILE)
            if "members" in stored:
                return Ensemble([cls.load(folder / _plain_name(m)) for m in stored["members"]])
            network, scaler = load(folder), load_preprocessing(folder)
            names, batch_size = list(map(str, stored["names"])), int(stored["batch_size"])
            task = import_class(str(stored["task"]), Task)(**stored.get("task_arguments", {}))
            numbers = TargetScaler.load(folder) if task.targets == "numbers" else None
            labels = stored.get("label_type", "str")
            return cls(network, scaler, names, batch_size, task, numbers, labels)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{folder / FILE} does not describe a predictor: {error}") from None


def label_column(classes: Sequence[str]) -> str:
    """Return the name of the column of predicted classes in `Predictor.table`."""
    return "predicted class" if "prediction" in classes else "prediction"


class Ensemble(Predictor):
    """Several networks behind the same raw inputs; its answers are the mean of theirs.

    Parameters
    ----------
    members : sequence of Predictor
        They may differ in all but what they predict, and scale their inputs each in its own way.

    Raises
    ------
    ValueError
        When there is none, or they do not predict the same.
    """

    def __init__(self, members: Sequence[Predictor]) -> None:
        if not members:
            raise ValueError("members must be at least one, got none")
        self._members, first = tuple(members), members[0]
        for member in members:
            if (member.names, member.task.targets) != (first.names, first.task.targets):
                raise ValueError(f"members must predict the same, got {member.names} too")
        self.names, self._labels = first.names, first._labels
        self.task, self.scaler = first.task, first.scaler

    @property
    def members(self) -> Sequence[Predictor]:
        """The predictors whose answers are averaged."""
        return self._members

    def answers(self, x: Any) -> np.ndarray:
        """Return the mean of the members' answers, see `Predictor.answers`."""
        mean: np.ndarray = np.mean([member.answers(x) for member in self._members], axis=0)
        return mean

    @staticmethod
    def describe(folder: Path, members: Sequence[str]) -> None:
        """Let a folder be read by `Predictor.load` as the ensemble of predictors in it, by name."""
        text = json.dumps({"members": list(members)}, indent=2)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def _plain_name(name: Any) -> str:
    """Return the name of a folder; ValueError for one that could lead elsewhere."""
    if not (isinstance(name, str) and name.isalnum()):
        raise ValueError(f"{name!r} names no folder beside it")
    return name
