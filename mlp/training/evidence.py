"""What a diagnosis reads: looks inside a network, and the history of its training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan
from statistics import median

from mlp.training.inspection import Inspection, TaskFacts


@dataclass(frozen=True)
class Evidence:
    """What is recorded of a training.

    Attributes
    ----------
    facts : TaskFacts
    looks : sequence of Inspection
        In the order of their epochs, the first before the training.
    history : sequence of mapping
        The metrics of each epoch.
    diverged : bool
        Whether the training ended at a value that is not finite.
    """

    facts: TaskFacts
    looks: Sequence[Inspection]
    history: Sequence[Mapping[str, float]]
    diverged: bool

    @property
    def chance(self) -> float:
        """The loss of the best constant answer; NaN, below and above nothing, if unknown."""
        chance = self.facts.chance_loss
        return nan if chance is None else chance

    def values(self, metric: str) -> list[float]:
        """Return a metric's values over the epochs."""
        return [row[metric] for row in self.history if metric in row]

    @cached_property
    def early(self) -> Inspection | None:
        """The first look after an epoch with no less than half of the highest learning rate."""
        highest = max(look.lr for look in self.looks)
        return next((la for la in self.looks if la.epoch and la.lr >= highest / 2), None)

    @cached_property
    def early_ratio(self) -> float:
        """Update over weights then, of the median layer; NaN if there was no such epoch."""
        if self.early is None:
            return nan
        return median(layer.update_ratio for layer in self.early.layers)

    @cached_property
    def units_are_equal(self) -> bool:
        """Whether a hidden layer began with the same weights in all of its units."""
        return any(la.n_units > 1 and la.spread < 0.01 for la in self.looks[0].layers[:-1])

    @property
    def begins_badly(self) -> bool:
        """Whether the first loss is far above that of a constant answer. Healthy: 6.5 times it."""
        return self.looks[0].loss > 10 * self.chance
