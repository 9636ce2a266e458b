"""One test example on its way through a stored network."""

from typing import Any

import numpy as np

from mlp import runs
from mlp.base import ConfigError, RunError
from mlp.config import changed, check
from mlp.data import decode_row
from mlp.jobs.evaluate import own_test_part
from mlp.nn import Trace, trace_example
from mlp.reports import Example
from mlp.runs import RunFolder
from mlp.training import Predictor


def explain_example(folder: RunFolder, index: int) -> tuple[Example, Trace, float]:
    """Return an example of a run's test set, its way through the network, and the run's ``lr``.

    Parameters
    ----------
    folder : RunFolder
    index : int
        Which example, counted from 0 as in ``test_predictions.csv``.

    Raises
    ------
    UserError
        When the run, its weights or its data are not acceptable, or there is no such example.
    """
    runs.refuse_links(folder)
    record = runs.read_training(folder)
    config = changed(runs.read_config(folder) | {"init_from": None, "callbacks": {}}, ())
    runs.check_own_classes(config, record, folder)
    job, predictor = check(config), Predictor.load(folder.weights)
    if len(predictor.members) > 1:
        raise RunError(f"{record.name} is an ensemble: explain one of its members")
    dataset = job.data.load(job.task.targets)
    if dataset.digest != record.data.digest:
        raise RunError(f"{dataset.name} has changed since {record.name} was trained on it")
    part = own_test_part(job, dataset, predictor.scaler)
    if not 0 <= index < len(part):
        raise ConfigError(f"--example must be from 0 to {len(part) - 1}, got {index}")
    row = index if part.rows is None else int(part.rows[index])
    held_out = job.data.held_out(dataset, job.seed) is not None
    raw = dataset.x_train[row] if held_out or dataset.x_test is None else dataset.x_test[row]
    x, y, scaler = part.x[row : row + 1], part.y[row : row + 1], predictor.target_scaler
    if part.scaler:
        x = part.scaler.transform(x, np.empty(x.shape, np.float32))
    names = dataset.classes or dataset.targets
    cells = decode_row(dataset.columns, raw).items() if dataset.columns else ()
    answer = _words(predictor.predict({key: [cell] for key, cell in cells} or raw[None])[0])
    truth = names[int(y[0])] if dataset.classes else _words(y[0])
    title = f"{record.name}: example {index} of the {len(part):,} test examples of {dataset.name}"
    example = Example(title, raw, dataset.image_shape, dataset.columns, names, truth, answer)
    trace = trace_example(predictor.network, x, scaler.transform(y) if scaler else y)
    return example, trace, job.optimizer.lr


def _words(answer: Any) -> str:
    """Return a class or numbers as they are read."""
    values = np.atleast_1d(answer).tolist()
    return ", ".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in values)
