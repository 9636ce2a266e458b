"""Whether a published test error was reproduced."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, variance
from typing import Literal

Word = Literal["reproduced", "better", "not reproduced"]


@dataclass(frozen=True)
class Verdict:
    """A measured test error beside a published one, in per cent.

    Attributes
    ----------
    published, measured : float
    margin : float
        Half the width of the 95 % interval about the measured error.
    """

    published: float
    measured: float
    margin: float

    @property
    def word(self) -> Word:
        """``reproduced`` within the interval, else ``better`` or ``not reproduced``."""
        if abs(self.published - self.measured) <= self.margin:
            return "reproduced"
        return "better" if self.measured < self.published else "not reproduced"


def judge(published: float, errors: Sequence[float], n_test: int) -> Verdict:
    """Set measured errors beside a published one.

    The interval is ±1.96·√(p(1 - p)/n), of a share p counted in n examples. Several trainings are
    taken as their mean; they share the test set, and the variance of their mean is added.

    Parameters
    ----------
    published : float
        In per cent.
    errors : sequence of float
        In per cent, one for each seed; at least one.
    n_test : int
        Examples of the test set.
    """
    measured = mean(errors)
    of_examples = measured * (100 - measured) / n_test
    of_seeds = variance(errors) / len(errors) if len(errors) > 1 else 0.0
    return Verdict(published, measured, 1.96 * sqrt(of_examples + of_seeds))
