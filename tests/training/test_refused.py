"""Settings out of range, and data that do not fit them, are refused by name."""

import numpy as np
import pytest

from mlp.nn import MLP, Adam, WarmupCosine
from mlp.training import Trainer, check_memory


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_epochs": 0}, "max_epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"min_delta": -0.1}, "min_delta must be at least 0, got -0.1"),
        ({"max_seconds": 0}, "max_seconds must be greater than 0, got 0"),
        ({"clip_norm": -1.0}, "clip_norm must be greater than 0, got -1.0"),
        ({"eval_batch_size": 0}, "eval_batch_size must be at least 1, got 0"),
        ({"limit_batches": 0}, "limit_batches must be at least 1, got 0"),
        ({"overfit_batches": 0}, "overfit_batches must be at least 1, got 0"),
    ],
)
def test_out_of_range(settings, message):
    """By name, with what would be right."""
    with pytest.raises(ValueError, match=message):
        Trainer(**settings)


def test_what_the_task_does_not_measure(fit):
    """It cannot be monitored; the sentence says what can."""
    with pytest.raises(ValueError, match=r"monitor must be one of val/loss, .*got 'val/f1'"):
        fit(monitor="val/f1")


def test_batch_larger_than_the_training_set(fit, make_network):
    """It is one batch of all there is."""
    larger, equal = make_network(), make_network()
    fit(larger, batch_size=6000)
    fit(equal, batch_size=60)
    np.testing.assert_array_equal(larger.params, equal.params)


def test_warmup_longer_than_the_training(fit, make_network):
    """Before anything is trained."""
    with pytest.raises(ValueError, match="warmup must be at most max_epochs, 3, got 4"):
        fit(make_network(), schedule=WarmupCosine(warmup=4), max_epochs=3)


@pytest.mark.parametrize(
    ("model", "n_out", "n_val"),
    [(MLP([10**7, 10**7]), 10, 0), (MLP([]), 10**9, 0), (MLP([]), 20_000, 10**9)],
    ids=["parameters", "classes", "scores"],
)
def test_more_memory_than_there_is(model, n_out, n_val):
    """It is said in a sentence, before the memory is taken."""
    with pytest.raises(ValueError, match=r"hidden_sizes make .* GB are available"):
        check_memory(model, Adam(), Trainer(), 784, n_out, n_val)


def test_memory_for_twenty_thousand_classes():
    """It grows with their number: an ordinary network takes less than a gigabyte."""
    check_memory(MLP([128, 64]), Adam(), Trainer(), 784, 20_000, 1000)
