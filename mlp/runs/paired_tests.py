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
    shared : float
        As in `paired_t`.
    """

    mean: float
    low: float
    high: float
    p: float
    n: int = 1
    effect: float = 0.0
    shared: float = 0.0

    @property
    def is_told(self) -> bool:
        """Whether there is a verdict."""
        return self.p < ALPHA

    def needed(self, n_compared: int = 1) -> int | None:
        """Return how many pairs would tell it, as one of ``n_compared``; see `needed_pairs`."""
        return needed_pairs(self.effect, self.n, self.shared, ALPHA / n_compared)

    def reversed(self) -> "Difference":
        """Return by how much B is better than A."""
        return replace(self, mean=-self.mean, low=-self.high, high=-self.low)


def paired_t(differences: Sequence[float], shared: float = 0.0) -> Difference:
    """Test whether the mean of paired differences is 0, by Student's t.

    Parameters
    ----------
    differences : sequence of float
        At least two. Where all are the same, they have no spread to judge the mean by, and p is 1.
    shared : float
        0 for independent pairs; otherwise the part of the variance that they share and that more
        of them do not average out, as a multiple of s². Where each pair has test rows of its own,
        and so largely the same training rows: the ratio of test rows to training rows.

    Notes
    -----
    With ``shared`` it is the corrected resampled t-test: the variance of the mean is
    (1/n + n_test/n_train)·s² instead of s²/n (Nadeau and Bengio 2003, section 4, item 5).
    """
    d = np.asarray(differences, np.float64)
    if np.ptp(d) <= 1e-9 * np.abs(d).max():
        mean = float(d.mean())
        return Difference(mean, mean, mean, 1.0, len(d), shared=shared)
    return _by_t(d, float(d.var(ddof=1)), shared)


def crossed_t(differences: np.ndarray) -> Difference:
    """Test whether a mean over pairs and rows is 0 for other pairs and other rows, too.

    Parameters
    ----------
    differences : ndarray of shape (n_pairs, n_rows)
        All pairs are measured on the same rows; at least two of each.

    Notes
    -----
    Readers (here pairs of trainings) and cases (rows) are both sampled: to s²/n_pairs of the means
    over rows is added what the rows contribute, the variance of the means over pairs less that of
    the interaction (Dorfman, Berbaum and Metz 1992; Hillis, Berbaum and Metz 2008). Hillis's
    degrees of freedom give too many verdicts on two or three pairs; n_pairs - 1 are fewer. Pairs
    that are closer together than the interaction alone would have them are so by chance: s² is at
    least its part in them.
    """
    n_pairs, n_rows = differences.shape
    by_pair, by_row = differences.mean(axis=1), differences.mean(axis=0)
    interaction = differences - by_pair[:, None] - by_row + differences.mean()
    noise = (interaction**2).sum() / ((n_pairs - 1) * (n_rows - 1))
    of_rows = max(by_row.var(ddof=1) - noise / n_pairs, 0.0) / n_rows
    of_pairs = max(by_pair.var(ddof=1), noise / n_rows)
    if not of_pairs:  # each pair is the same on every row
        return paired_t(by_pair)
    return _by_t(by_pair, float(of_pairs), float(of_rows / of_pairs))


def _by_t(differences: np.ndarray, variance: float, shared: float) -> Difference:
    """Test a mean of differences by Student's t, with an estimate of their variance."""
    from scipy import stats

    mean, n = float(differences.mean()), len(differences)
    error = float(np.sqrt(variance * (1 / n + shared)))
    margin = float(stats.t.ppf(1 - ALPHA / 2, n - 1)) * error
    p = float(2 * stats.t.sf(abs(mean) / error, n - 1))
    effect = abs(mean) / float(np.sqrt(variance))
    return Difference(mean, mean - margin, mean + margin, p, n, effect, shared)


def needed_pairs(effect: float, n: int, shared: float = 0.0, alpha: float = ALPHA) -> int | None:
    """Return how many pairs, more than ``n``, would tell a difference in four of five attempts.

    Parameters
    ----------
    effect : float
        The mean of the differences over their standard deviation.
    n : int
    shared : float
        As in `paired_t`.
    alpha : float

    Returns
    -------
    int or None
        None if ``MOST_PAIRS`` are not enough.
    """
    from statsmodels.stats.power import TTestPower

    def power(number: int) -> float:
        size = effect / np.sqrt(1 + shared * number)
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
        Of the shares. The interval is the adjusted one of Wald (Agresti and Min 2005), which counts
        half a row more in each of the four cells; it reaches to 0 where the exact test, the
        stricter one, cannot tell.
    """
    from scipy.stats import norm
    from statsmodels.stats import contingency_tables

    a_alone, b_alone = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    n = len(a_right)
    if a_alone + b_alone == 0:
        return Difference(0.0, 0.0, 0.0, 1.0)
    table = [[0, a_alone], [b_alone, 0]]  # rows on which both agree do not count
    p = float(contingency_tables.mcnemar(table, exact=True).pvalue)
    middle = (a_alone - b_alone) / (n + 2)
    discordant = (a_alone + b_alone + 1) / (n + 2)
    margin = norm.ppf(1 - ALPHA / 2) * np.sqrt((discordant - middle**2) / (n + 2))
    low, high = max(middle - margin, -1.0), min(middle + margin, 1.0)
    if p >= ALPHA:
        low, high = min(low, 0.0), max(high, 0.0)
    return Difference((a_alone - b_alone) / n, float(low), float(high), p)


def holm(p_values: Sequence[float], n: int | None = None) -> list[float]:
    """Return p-values that hold for several tests at once (Holm 1979).

    Parameters
    ----------
    p_values : sequence of float
    n : int, optional
        Of the tests, where these are chosen from more.
    """
    others = [1.0] * ((n or 0) - len(p_values))
    if len(p_values) + len(others) == 1:  # statsmodels collects the garbage each time
        return list(p_values)
    from statsmodels.stats.multitest import multipletests

    corrected = multipletests([*p_values, *others], ALPHA, method="holm")[1]
    return [float(p) for p in corrected[: len(p_values)]]
