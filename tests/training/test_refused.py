"""Settings out of range, and data that do not fit them, are refused by name."""

import numpy as np
import pytest

from mlp.training import Trainer


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
        ({"monitor": "val/f1"}, "monitor must be one of val/loss, .*got 'val/f1'"),
    ],
)
def test_out_of_range(settings, message):
    """By name, with what would be right."""
    with pytest.raises(ValueError, match=message):
        Trainer(**settings)


def test_batch_larger_than_the_training_set(fit, make_network):
    """Before anything is trained."""
    network = make_network()
    before = network.params.copy()
    with pytest.raises(ValueError, match=r"batch_size must be at most 60.*, got 61"):
        fit(network, batch_size=61)
    np.testing.assert_array_equal(network.params, before)
