"""Tests that tell a difference between two things, measured in pairs, from chance."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

ALPHA = 0.05  # of a verdict; intervals are of 1 - ALPHA
POWER = 0.8  # with which the pairs that are needed would tell a difference of the size seen
MOST_PAIRS = 1000  # that a user is told to make


@dataclass(frozen=True)
class Difference:
    """By how much A is better than B.

    Attributes
    ----------
    mean : float
        Positive when A is better.
    low, high : float
        The 95 % interval, of this comparison by itself.
    p : float
        Two-sided; of several comparisons, after `holm`.
    n : int
        How many pairs it is the mean of.
    effect : float
        Its size in standard deviations of a pair; 0 if that is unknown.
    overlap : float
        As in `paired_t`.
    """

    mean: float
    low: float
    high: float
    p: float
    n: int = 1
    effect: float = 0.0
    overlap: float = 0.0

    @property
    def is_told(self) -> bool:
        """Whether there is a verdict."""
        return self.p < ALPHA

    def needed(self, n_compared: int = 1) -> int | None:
        """Return how many pairs would tell it, as one of ``n_compared``; see `needed_pairs`."""
        return needed_pairs(self.effect, self.n, self.overlap, ALPHA / n_compared)

    def reversed(self) -> "Difference":
        """Return by how much B is better than A."""
        return replace(self, mean=-self.mean, low=-self.high, high=-self.low)


def paired_t(differences: Sequence[float], overlap: float = 0.0) -> Difference:
    """Test whether the mean of paired differences is 0, by Student's t.

    Parameters
    ----------
    differences : sequence of float
        At least two. Where all are the same, they have no spread to judge the mean by, and p is 1.
    overlap : float
        0 for independent pairs. Where each pair has test rows of its own, their training rows are
        largely the same: then the ratio of test rows to training rows.

    Notes
    -----
    With ``overlap`` it is the corrected resampled t-test: the variance of the mean is
    (1/n + n_test/n_train)·s² instead of s²/n (Nadeau and Bengio 2003, section 4, item 5).
    """
    from scipy import stats

    d = np.asarray(differences, np.float64)
    mean, n = float(d.mean()), len(d)
    if np.ptp(d) <= 1e-9 * np.abs(d).max():
        return Difference(mean, mean, mean, 1.0, n, overlap=overlap)
    plain = stats.ttest_1samp(d, 0.0)
    widened = np.sqrt(1 + n * overlap)
    margin = widened * (plain.confidence_interval(1 - ALPHA).high - mean)
    p = float(2 * stats.t.sf(abs(plain.statistic) / widened, n - 1))
    effect = abs(mean) / float(d.std(ddof=1))
    return Difference(mean, float(mean - margin), float(mean + margin), p, n, effect, overlap)


def needed_pairs(effect: float, n: int, overlap: float = 0.0, alpha: float = ALPHA) -> int | None:
    """Return how many pairs, more than ``n``, would tell a difference in four of five attempts.

    Parameters
    ----------
    effect : float
        The mean of the differences over their standard deviation.
    n : int
    overlap : float
        As in `paired_t`.
    alpha : float

    Returns
    -------
    int or None
        None if ``MOST_PAIRS`` are not enough.
    """
    from statsmodels.stats.power import TTestPower

    def power(number: int) -> float:
        size = effect / np.sqrt(1 + overlap * number)
        return float(TTestPower().power(size, number, alpha))

    needed = n + 1 + bisect_left(range(n + 1, MOST_PAIRS + 1), POWER, key=power)
    return needed if needed <= MOST_PAIRS else None


def mcnemar(a_right: np.ndarray, b_right: np.ndarray) -> Difference:
    """Test whether two networks are right equally often on the same rows, by McNemar's exact test.

    Parameters
    ----------
    a_right, b_right : ndarray of shape (n,), bool
        Which rows each has classified rightly.

    Returns
    -------
    Difference
        Of the shares. The interval is the exact one (Clopper and Pearson) of the share of rows
        that A alone has right among those that one alone has right, and so agrees with the test.
    """
    from scipy.stats import binomtest
    from statsmodels.stats import contingency_tables

    a_alone, b_alone = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    n, n_discordant = len(a_right), a_alone + b_alone
    if n_discordant == 0:
        return Difference(0.0, 0.0, 0.0, 1.0)
    table = [[0, a_alone], [b_alone, 0]]  # rows on which both agree do not count
    p = float(contingency_tables.mcnemar(table, exact=True).pvalue)
    interval = binomtest(a_alone, n_discordant).proportion_ci(1 - ALPHA)
    mean, low, high = (
        (2 * share - 1) * n_discordant / n
        for share in (a_alone / n_discordant, interval.low, interval.high)
    )
    return Difference(mean, low, high, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that hold for several tests at once (Holm 1979)."""
    if len(p_values) == 1:  # statsmodels collects the garbage of the process each time
        return list(p_values)
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, ALPHA, method="holm")[1]]
