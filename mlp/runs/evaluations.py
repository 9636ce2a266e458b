"""The result of an evaluation, stored in the run's folder."""

import csv
import re
import time
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np

from mlp.base import RunError
from mlp.runs.folder import RunFolder, read_training, record_lock, update_run, write_csv, write_run
from mlp.runs.record import RunRecord, TestResult
from mlp.training import Evaluation


def record_evaluation(
    folder: RunFolder,
    evaluation: Evaluation,
    names: Sequence[str],
    digest: str,
    other_data: str | None = None,
) -> str | None:
    """Write an evaluation's predictions, and its metrics into the run's record.

    Parameters
    ----------
    folder : RunFolder
    evaluation : Evaluation
    names : sequence of str
        Of the classes, by index; or of the numbers that are predicted.
    digest : str
        Of the data.
    other_data : str, optional
        Name of the data when it is not the run's own test set.

    Returns
    -------
    str or None
        The name of the evaluation, of which no other data bear the same; None for the run's own
        test set.
    """
    result = summary_of(evaluation, digest)
    if other_data is None:
        update_run(folder, test=result)
        write_predictions(folder.test_predictions, evaluation, names)
        return None
    with record_lock(folder):
        record = read_training(folder)
        name = _name(record, other_data, digest)
        evaluations = record.evaluations | {name: result}
        write_run(folder, record.changed(evaluations=evaluations))
    path = folder.evaluations / name / "predictions.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_predictions(path, evaluation, names)
    return name


def summary_of(evaluation: Evaluation, digest: str) -> TestResult:
    """Return what a record says of an evaluation; RunError when the loss is not finite."""
    if not isfinite(evaluation.metrics.get("loss", 0)):
        raise RunError("the loss is not a finite number: the weights do not fit these data")
    now = time.time_ns() // 1_000_000  # so that a later delivery is the same
    return TestResult(metrics=evaluation.metrics, timestamp=now, digest=digest)


def write_predictions(path: Path, evaluation: Evaluation, names: Sequence[str]) -> None:
    """Write label, prediction and score of each example as a table; or the numbers, side by side.

    Parameters
    ----------
    path : Path
    evaluation : Evaluation
    names : sequence of str
        As in `record_evaluation`.
    """
    if evaluation.labels.ndim == 2:
        header = ["index", *(f"{what} {name}" for name in names for what in ("true", "predicted"))]
        pairs = np.stack([evaluation.labels, evaluation.predictions], axis=2)
        numbers = pairs.reshape(len(pairs), -1).tolist()
        write_csv(path, header, ([i, *row] for i, row in enumerate(numbers)))
        return
    rows = zip(evaluation.labels, evaluation.predictions, evaluation.answers, strict=True)
    write_csv(
        path,
        ["index", "label", "prediction", "score"],
        (
            (i, names[label], names[prediction], float(scores[prediction]))
            for i, (label, prediction, scores) in enumerate(rows)
        ),
    )


def read_predictions(folder: RunFolder) -> tuple[np.ndarray, np.ndarray]:
    """Return what a run predicts on its own test set.

    Returns
    -------
    labels, predictions : ndarray of shape (n_examples,) or (n_examples, n_targets)
        The classes' names; or numbers, float64.

    Raises
    ------
    RunError
        When the file is absent or damaged.
    """
    path = folder.test_predictions
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        columns = list(zip(*rows, strict=True))[1:]
        if header[1:3] == ["label", "prediction"]:
            labels, predictions, _ = map(np.array, columns)
            return labels, predictions
        numbers = np.array(columns, np.float64).T
        return numbers[:, ::2], numbers[:, 1::2]
    except (OSError, ValueError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise RunError(f"{path} cannot be read as predictions: {why}") from None


def _name(record: RunRecord, data: str, digest: str) -> str:
    """Return the name of an evaluation, fit for a folder and for a metric."""
    name = re.sub(r"\W+", "_", data)[:100]
    other = record.evaluations.get(name)
    return name if other is None or other.digest == digest else f"{name}_{digest[:8]}"
