"""The statistics of a verdict: equal pairs are seldom told apart, unequal ones mostly are."""

import numpy as np
import pytest
from scipy import stats

from mlp.runs.paired_tests import Difference, holm, mcnemar, needed_pairs, paired_t

N_SIMULATED = 1000


def networks(rng: np.random.Generator, advantage: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Which of 1,000 rows, some of them hard for both, two networks classify rightly."""
    chance, *draws = rng.random((3, 1000), np.float32)
    chance **= 1 / 8  # the beta distribution of 8 and 1
    return draws[0] < chance + advantage, draws[1] < chance


def seeds(rng: np.random.Generator, n: int, advantage: float = 0.0) -> np.ndarray:
    """Differences in accuracy over pairs of seeds, as counted on 1,000 rows."""
    pairs = [networks(rng, advantage) for _ in range(n)]
    return np.array([a.mean() - b.mean() for a, b in pairs])


def resampled(rng: np.random.Generator, n_splits: int = 10) -> np.ndarray:
    """Differences in accuracy of two equal classifiers over random splits of the same 100 rows.

    Each sees an input of its own, tells the classes' means, and is tested on 20 rows.
    """
    y = np.arange(100) % 2
    x = rng.normal(size=(2, 100)) + 0.5 * y
    differences = []
    for _ in range(n_splits):
        rows = rng.permutation(100)
        train, test = rows[20:], rows[:20]
        middle = [(x[:, train][:, y[train] == k]).mean(axis=1) for k in (0, 1)]
        right = (x[:, test] > (middle[0] + middle[1])[:, None] / 2) == (y[test] == 1)
        differences.append(right[0].mean() - right[1].mean())
    return np.array(differences)


@pytest.mark.e2e  # seconds
class TestOfEqualPairs:
    """One in twenty may be told apart; of 1,000, not more than 64 are, in 49 of 50 simulations."""

    def test_all_kinds_together_give_at_most_5_per_cent_false_verdicts(self):
        rng = np.random.default_rng(0)
        kinds = {
            "seeds": [paired_t(seeds(rng, 5)) for _ in range(N_SIMULATED)],
            "networks": [mcnemar(*networks(rng)) for _ in range(N_SIMULATED)],
            "splits": [paired_t(resampled(rng), 20 / 80) for _ in range(N_SIMULATED)],
        }
        told = {kind: sum(found.is_told for found in all_) for kind, all_ in kinds.items()}
        assert max(told.values()) <= 0.064 * N_SIMULATED, told
        assert sum(told.values()) <= 0.05 * 3 * N_SIMULATED, told

    def test_splits_that_share_rows_need_the_correction(self):
        rng = np.random.default_rng(1)
        told = sum(paired_t(resampled(rng)).is_told for _ in range(300))
        assert told > 0.15 * 300


class TestOfUnequalPairs:
    def test_a_planted_difference_is_found(self):
        rng = np.random.default_rng(3)
        by_seeds = [paired_t(seeds(rng, 5, 0.03)) for _ in range(200)]
        by_rows = [mcnemar(*networks(rng, 0.05)) for _ in range(200)]
        for found in (by_seeds, by_rows):
            right = [one for one in found if one.is_told and one.mean > 0]
            assert len(right) > 0.8 * 200

    def test_the_interval_holds_the_truth_as_often_as_it_says(self):
        rng = np.random.default_rng(4)
        found = [paired_t(rng.normal(0.3, 1, size=6)) for _ in range(1000)]
        held = sum(one.low <= 0.3 <= one.high for one in found)
        assert held / 1000 == pytest.approx(0.95, abs=0.015)

    def test_so_many_seeds_as_are_needed_tell_in_four_of_five_attempts(self):
        n = needed_pairs(0.8, 5)
        assert n == 15  # statsmodels: solve_power(0.8, alpha=0.05, power=0.8) is 14.3
        drawn = np.random.default_rng(5).normal(0.8, 1, size=(4000, n))
        told = np.mean(stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05)
        assert 0.8 <= told < 0.85

    def test_where_several_are_compared_more_are_needed(self):
        found = paired_t([0.3, 0.1, -0.1])
        assert found.needed() < found.needed(n_compared=3)

    def test_no_number_of_seeds_would_tell_what_hardly_differs(self):
        assert needed_pairs(0.01, 5) is None
        assert needed_pairs(0.4, 10, overlap=0.25) is None


class TestPairedT:
    def test_it_is_student_s(self):
        a, b = np.random.default_rng(0).normal(size=(2, 7))
        found, expected = paired_t(a - b), stats.ttest_rel(a, b)
        assert found.p == pytest.approx(expected.pvalue)
        assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))

    def test_shared_rows_widen_it_as_published(self):
        d = np.array([0.1, 0.3, 0.2, 0.4])
        found = paired_t(d, overlap=0.25)
        t = d.mean() / np.sqrt((1 / 4 + 0.25) * d.var(ddof=1))
        assert found.p == pytest.approx(2 * stats.t.sf(t, 3))
        assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 3) * d.mean() / t)

    @pytest.mark.parametrize("same", [0.0, 0.02])
    def test_without_a_spread_there_is_no_verdict(self, same: float):
        """Two seeds that differ alike are a coincidence of counts, not certainty."""
        found = paired_t([same, same])
        assert (found.p, found.low, found.high) == (1.0, same, same)
        assert not found.is_told


class TestMcNemar:
    def test_it_counts_the_rows_that_one_alone_has_right(self):
        a = np.repeat([True, True, False, False], [80, 15, 4, 1])
        b = np.repeat([True, False, True, False], [80, 15, 4, 1])
        found = mcnemar(a, b)
        assert found.mean == pytest.approx(0.11)
        assert found.p == pytest.approx(2 * stats.binom.cdf(4, 19, 0.5))
        assert found.reversed().mean == pytest.approx(mcnemar(b, a).mean)

    def test_its_interval_leaves_out_0_just_when_there_is_a_verdict(self):
        for a_alone in range(30):
            a, b = np.zeros((2, 100), bool)
            a[:a_alone], b[a_alone:40] = True, True
            found = mcnemar(a, b)
            assert found.is_told == (found.low > 0 or found.high < 0)

    def test_networks_that_are_right_on_the_same_rows_are_the_same(self):
        right = np.array([True, False, True])
        assert mcnemar(right, right) == Difference(0.0, 0.0, 0.0, 1.0)


def test_holm_multiplies_the_smallest_by_their_number():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
