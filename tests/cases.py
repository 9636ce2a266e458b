"""A small data set, and runs recorded from it: a folder is made fast, an MLflow store once."""

from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from omegaconf import DictConfig

from mlp.base import generator
from mlp.config import compose
from mlp.data import Dataset, Part, Parts, fit_scaler
from mlp.nn import MLP, Adam, Constant, Network, SoftmaxCrossEntropy
from mlp.runs import RunFolder, open_run
from mlp.tracking import MLflowTracking, NoTracking
from mlp.training import Evaluation, Evaluator, Listener, Outcome, Predictor, Trainer

CONFIG: dict[str, Any] = {
    "model": {"_target_": "mlp.nn.MLP", "hidden_sizes": [6, 5], "max_norm": None},
    "optimizer": {"_target_": "mlp.nn.Adam", "lr": 0.01},
    "trainer": {"limit_batches": None, "overfit_batches": None},
    "seed": 0,
    "name": None,
    "tags": {"question": "does it learn"},
}
OVERRIDES = ["model.hidden_sizes=[6,5]", "tags.question=does it learn"]


class Case(NamedTuple):
    """All that a run needs, and a way to train it."""

    dataset: Dataset
    parts: Parts
    model: MLP
    network: Network

    @property
    def predictor(self) -> Predictor:
        return Predictor(self.network, self.parts.scaler, self.dataset.classes, 1000)

    def train(self, *listeners: Listener, max_epochs: int = 3) -> Outcome:
        trainer = Trainer(max_epochs=max_epochs, batch_size=20)
        return trainer.fit(self.network, Adam(lr=0.01), Constant(), self.parts, 0, listeners)


class Finished(NamedTuple):
    """A run that went all the way."""

    case: Case
    folder: RunFolder
    outcome: Outcome
    evaluation: Evaluation


def composed(*words: str) -> DictConfig:
    """Return what Hydra composes of these words; it does so once, for it takes its time."""
    return deepcopy(_composed(*words))


@cache
def _composed(*words: str) -> DictConfig:
    return compose(words)


def make_case() -> Case:
    """Three classes of 4x4 images: byte noise around three different patterns."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 60)
    patterns = rng.integers(0, 156, (3, 16))
    x = (patterns[y] + rng.integers(0, 100, (180, 16))).astype(np.uint8)
    mixed = rng.permutation(180)
    x, y = x[mixed], y[mixed].astype(np.int64)
    names = ("apple", "pear", "plum")
    dataset = Dataset("fruit", x[:120], y[:120], x[120:], y[120:], names, 255.0, (4, 4))
    rows = np.arange(120)
    scaler = fit_scaler("unit", dataset.x_train, rows[:100], 255.0)
    parts = Parts(
        Part(dataset.x_train, dataset.y_train, rows[:100], scaler),
        Part(dataset.x_train, dataset.y_train, rows[100:], scaler),
        Part(dataset.x_test, dataset.y_test, None, scaler),
        scaler,
    )
    model = MLP(hidden_sizes=[6, 5])
    network = model.build(16, 3, SoftmaxCrossEntropy(), generator(0, "init"))
    return Case(dataset, parts, model, network)


def record_whole_run(
    case: Case, tracking: MLflowTracking | NoTracking, *listeners: Listener, **config: Any
) -> Finished:
    """Do what a job does: train, save the weights, evaluate, leave a figure."""
    dataset = case.dataset
    with open_run(
        tracking.destination(), CONFIG | config, OVERRIDES, dataset, case.parts, case.network
    ) as run:
        outcome = case.train(run, *listeners)
        run.save_weights(case.predictor, case.model)
        evaluation = Evaluator(case.network, case.parts.test, 1000)()
        run.save_test(evaluation, dataset.classes)
        run.folder.figures.mkdir()
        (run.folder.figures / "curves.png").write_bytes(b"\x89PNG")
    return Finished(case, run.folder, outcome, evaluation)
