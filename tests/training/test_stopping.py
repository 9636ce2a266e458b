"""Conditions that end a training, fed with hand-made epochs."""

import pytest

from mlp.training import EpochEnded
from mlp.training.stopping import EpochLimit, Patience, StopCondition, TimeLimit


def ended(epoch, elapsed=0.0, **metrics):
    return EpochEnded(epoch, {k.replace("_", "/"): v for k, v in metrics.items()}, 1, 0.0, elapsed)


def stopping_epoch(patience, values, metric="val_loss"):
    """Return the epoch after which ``patience`` ends a training with these values, or None."""
    for epoch, value in enumerate(values, start=1):
        if patience.after_epoch(ended(epoch, **{metric: value})):
            return epoch
    return None


def test_a_condition_lets_go_on():
    """A condition overrides only the question that concerns it."""
    assert StopCondition().after_step() is None
    assert StopCondition().after_epoch(ended(1)) is None


def test_epoch_limit():
    """At the last epoch."""
    limit = EpochLimit(3)
    assert [limit.after_epoch(ended(e)) for e in (1, 2)] == [None, None]
    assert limit.after_epoch(ended(3)) == "max_epochs=3 reached"


def test_time_limit():
    """Once the time is up, in seconds since the beginning."""
    limit = TimeLimit(10.0)
    assert limit.after_epoch(ended(1, elapsed=9.9)) is None
    assert limit.after_epoch(ended(2, elapsed=10.1)) == "max_seconds=10 reached"


class TestPatience:
    """So many epochs without an improvement."""

    def test_counts_from_the_last_improvement(self):
        """Each improvement starts the count anew."""
        values = [5, 4, 4.5, 4.2, 3, 3.5, 3.4, 3.3]
        assert stopping_epoch(Patience("val/loss", 3, 0), values) == 8

    def test_one(self):
        """The first epoch that is no better ends it; an equal one is no better."""
        assert stopping_epoch(Patience("val/loss", 1, 0), [5, 4, 4]) == 3

    def test_improving(self):
        """However little, an improvement is one."""
        values = [1 - 1e-9 * i for i in range(20)]
        assert stopping_epoch(Patience("val/loss", 2, 0), values) is None

    def test_accuracy_rises(self):
        """The direction follows from the metric."""
        values = [0.5, 0.6, 0.7, 0.65, 0.6]
        patience = Patience("val/accuracy", 2, 0)
        assert stopping_epoch(patience, values, "val_accuracy") == 5

    def test_min_delta(self):
        """Improvements smaller than min_delta do not count ..."""
        values = [1.0, 0.97, 0.96, 0.95]
        assert stopping_epoch(Patience("val/loss", 3, 0.1), values) == 4

    def test_min_delta_in_small_steps(self):
        """... until their sum since the last one that did reaches it."""
        values = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7]
        assert stopping_epoch(Patience("val/loss", 3, 0.1), values) is None

    def test_exactly_min_delta(self):
        """An improvement by min_delta counts."""
        assert stopping_epoch(Patience("val/loss", 1, 0.5), [2.0, 1.5, 1.0]) is None

    @pytest.mark.parametrize(
        ("min_delta", "reason"),
        [
            (0, "val/loss has not improved for 1 epoch"),
            (0.1, "val/loss has not improved by 0.1 for 1 epoch"),
        ],
    )
    def test_reason(self, min_delta, reason):
        """It names the metric, min_delta and patience."""
        patience = Patience("val/loss", 1, min_delta)
        patience.after_epoch(ended(1, val_loss=1.0))
        assert patience.after_epoch(ended(2, val_loss=1.0)) == reason
