"""The result of an evaluation, put down in the run's folder."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

from mlp.runs.folder import RunFolder, read_run, update_run, write_csv
from mlp.training import Evaluation


def record_evaluation(
    folder: RunFolder, evaluation: Evaluation, classes: Sequence[str], other_data: str | None = None
) -> None:
    """Write an evaluation's predictions, and its loss and accuracy into the run's record.

    Parameters
    ----------
    folder : RunFolder
    evaluation : Evaluation
    classes : sequence of str
        Names of the classes, by index.
    other_data : str, optional
        Name of the data when it is not the run's own test set.
    """
    result = summary_of(evaluation)
    if other_data is None:
        update_run(folder, test=result)
        path = folder.test_predictions
    else:
        name = evaluation_name(other_data)
        update_run(folder, evaluations=read_run(folder)["evaluations"] | {name: result})
        path = folder.evaluations / name / "predictions.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
    write_predictions(path, evaluation, classes)


def summary_of(evaluation: Evaluation) -> dict[str, float]:
    """Return what a record says of an evaluation."""
    now = time.time_ns() // 1_000_000  # so that a later delivery is the same
    return {"loss": evaluation.loss, "accuracy": evaluation.accuracy, "timestamp": now}


def write_predictions(path: Path, evaluation: Evaluation, classes: Sequence[str]) -> None:
    """Write label, prediction and score of each example as a table."""
    rows = zip(evaluation.labels, evaluation.predictions, evaluation.scores, strict=True)
    write_csv(
        path,
        ["index", "label", "prediction", "score"],
        (
            (i, classes[label], classes[prediction], float(scores[prediction]))
            for i, (label, prediction, scores) in enumerate(rows)
        ),
    )


def evaluation_name(data: str) -> str:
    """Return the name of an evaluation on ``data``, fit for a folder and for a metric."""
    return re.sub(r"\W+", "_", data)[:100]
