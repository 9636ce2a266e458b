"""Planted faults are named with a remedy, and healthy trainings are left in peace."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mlp.config import check
from mlp.data import Part, Parts
from mlp.jobs import run_job
from mlp.jobs.train import Training
from mlp.runs import read_inspections
from mlp.training import DivergedError, EpochEnded, Inspected, diagnose
from tests.cases import composed

pytestmark = pytest.mark.e2e  # dozens of short trainings

DIGITS = ["data=digits", "trainer.max_epochs=12"]
SGD = ["optimizer=sgd", "optimizer.lr=0.1"]
SIGMOIDS = ["model.activation=sigmoid", "model.hidden_sizes=[64,64,64,64,64,64]"]
MSE = ["loss=mean_squared_error"]


def diagnosis(*words: str, change: Callable[[Parts], Parts] = lambda parts: parts) -> list[str]:
    """Train as a command would, on parts that are changed first; return the sentences."""
    job = check(composed(*words, "trainer.inspect=true", "tracking=none"))
    prepared = Training(job, job.data.load(job.task.targets), has_checkpoint=False)
    looks, history, diverged = [], [], False

    def listen(event):
        if isinstance(event, Inspected):
            looks.append(event.inspection)
        elif isinstance(event, EpochEnded):
            history.append(event.metrics)

    made = prepared.network, job.optimizer, job.schedule, change(prepared.parts)
    try:
        job.trainer.fit(*made, job.seed, listeners=[listen], task=job.task)
    except DivergedError:
        diverged = True
    return diagnose(looks, history, diverged)


def scaled(factor: float) -> Callable[[Parts], Parts]:
    """Multiply all inputs."""

    def change(parts: Parts) -> Parts:
        scaler = replace(parts.scaler, factor=parts.scaler.factor * np.float32(factor))
        train, val = (replace(part, scaler=scaler) for part in (parts.train, parts.val))
        return replace(parts, train=train, val=val)

    return change


def shuffled(parts: Parts) -> Parts:
    """Give the labels to other rows of the same part."""
    rng = np.random.default_rng(0)

    def changed(part: Part) -> Part:
        y = part.y.copy()
        y[part.rows] = rng.permutation(y[part.rows])
        return replace(part, y=y)

    return replace(parts, train=changed(parts.train), val=changed(parts.val))


def shifted(parts: Parts) -> Parts:
    """Move each validation picture to the right by two pixels."""
    pictures = parts.val.x.reshape(-1, 8, 8)
    x = np.roll(pictures, 2, axis=2).reshape(-1, 64)
    return replace(parts, val=replace(parts.val, x=x))


@pytest.mark.parametrize(
    ("symptom", "remedy", "words", "change"),
    [
        ("rate is too high", "optimizer.lr", [*SGD, "optimizer.lr=1.0"], None),
        ("rate is too high", "optimizer.lr", ["optimizer.lr=0.01"], None),
        ("rate is too low", "optimizer.lr", [*SGD, "optimizer.lr=0.01"], None),
        ("rate is too low", "optimizer.lr", ["optimizer.lr=0.0001"], None),
        ("inputs are too large", "data.scale", ["data.scale=none"], None),
        ("inputs are too small", "data.scale", [], scaled(1 / 255)),
        ("units of layer 2 are dead", "model.bias_init", ["model.bias_init=normal:20"], None),
        ("loss began at", "model.weight_init", ["model.weight_init=normal:1"], None),
        ("are dead", "schedule=warmup", [*SGD, "optimizer.lr=5"], None),
        ("gradients vanish", "model.activation=relu", SIGMOIDS, None),
        ("same weights", "model.weight_init", ["model.weight_init=zeros"], None),
        ("same weights", "model.weight_init", [*SIGMOIDS, "model.weight_init=zeros"], None),
        ("labels may be shuffled", "look at some rows", [], shuffled),
        ("targets do not fit", "loss.low", [*MSE, "loss.low=-1"], None),
        ("targets do not fit", "loss.high", [*MSE, "loss.high=100"], None),
        ("penalized too much", "model.l2", ["model.l2=0.1"], None),
        (
            "penalized too much",
            "weight_decay",
            ["optimizer=adamw", "optimizer.weight_decay=30"],
            None,
        ),
        ("validation data are not", "data.validation", [], shifted),
    ],
)
def test_a_planted_fault_is_named_with_a_remedy(symptom, remedy, words, change):
    sentences = diagnosis(*dict.fromkeys([*DIGITS, *words]), change=change or (lambda parts: parts))
    assert any(symptom in sentence and remedy in sentence for sentence in sentences), sentences


@pytest.mark.parametrize(
    "words",
    [
        ["data=mnist_5k", "trainer.max_epochs=12"],
        ["data=digits", "trainer.max_epochs=60"],
        [*DIGITS, *SGD],
        [*DIGITS, "model.activation=sigmoid"],
        [*DIGITS, "model.activation=tanh", "model.weight_init=glorot_uniform"],
        [*DIGITS, "model.hidden_sizes=[64,64,64,64,64,64]"],
        [*DIGITS, "model.batch_norm=true", "model.dropout=0.3", "model.l2=1e-4"],
        [*DIGITS, *MSE],
        [*DIGITS, "schedule=one_cycle", "optimizer.lr=0.003"],
        ["data=digits", "trainer.max_epochs=1"],
        ["data=moons"],
        ["data=sklearn", "data.name=breast_cancer", "task=binary"],
        ["data=sklearn", "data.name=diabetes", "task=regression"],
        ["experiment=tabular", "data=sklearn", "data.name=wine", "trainer.max_epochs=40"],
        ["experiment=nielsen_ch3", "data=digits", "data.val_size=null", "trainer.max_epochs=20"],
        ["experiment=lecun1998_300_100", "data=digits", "data.val_size=null"],
        ["experiment=simard2003_ce", "data=digits", "data.val_size=null", "trainer.max_epochs=10"],
    ],
    ids=" ".join,
)
def test_a_healthy_training_is_left_in_peace(words):
    assert diagnosis(*words) == []


def test_a_run_keeps_what_was_seen_and_says_it():
    words = [*DIGITS, *SGD[:1], "optimizer.lr=1.0", "tracking=none"]
    blind, seen = (run_job(composed(*words, f"trainer.inspect={on}")) for on in ("false", "true"))
    assert blind.record.findings is None
    assert any("learning rate is too high" in sentence for sentence in seen.record.findings)
    assert [look.epoch for look in read_inspections(seen.folder)][:4] == [0, 1, 2, 4]
    for file in sorted(path.name for path in blind.folder.weights.iterdir()):
        assert (blind.folder.weights / file).read_bytes() == (
            seen.folder.weights / file
        ).read_bytes()
