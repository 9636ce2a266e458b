"""The statistics of a verdict: equal pairs are seldom told apart, unequal ones mostly are."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from mlp.runs.paired_tests import (
    Difference,
    crossed_t,
    holm,
    mcnemar,
    needed_pairs,
    paired_t,
)

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


def same_rows(rng: np.random.Generator, n: int, by_row: float, by_seed: float = 0.0) -> np.ndarray:
    """Which of the same 1,000 rows one of two equal settings alone has right, over n seeds.

    Other rows are easy for each setting with deviation ``by_row``, and each training is good or bad
    with deviation ``by_seed``.
    """
    easy = rng.normal(2, 2, 1000) + by_row * rng.normal(size=(2, 1, 1000))
    logits = easy + by_seed * rng.normal(size=(2, n, 1)) + rng.normal(size=(2, n, 1000))
    return (logits[0] > 0) - (logits[1] > 0).astype(float)


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

    @pytest.mark.parametrize("n_seeds", [3, 20])
    @pytest.mark.parametrize(
        ("by_row", "by_seed"), [(0.0, 0.0), (0.0, 0.1), (0.7, 0.0), (0.7, 0.1)]
    )
    def test_seeds_that_share_test_rows_give_at_most_5_per_cent_of_other_rows_too(
        self, n_seeds: int, by_row: float, by_seed: float
    ):
        rng = np.random.default_rng(2)
        drawn = (same_rows(rng, n_seeds, by_row, by_seed) for _ in range(N_SIMULATED))
        assert sum(crossed_t(found).is_told for found in drawn) <= 0.064 * N_SIMULATED

    def test_of_the_rows_by_themselves_they_would_give_more(self):
        rng = np.random.default_rng(2)
        drawn = (same_rows(rng, 20, by_row=0.7) for _ in range(300))
        assert sum(paired_t(found.mean(axis=1)).is_told for found in drawn) > 0.25 * 300

    @pytest.mark.parametrize("n_settings", [5, 30])
    def test_the_first_and_the_last_of_equal_settings_are_seldom_told_apart(self, n_settings: int):
        rng, n_pairs = np.random.default_rng(3), n_settings * (n_settings - 1) // 2
        raw = []
        for _ in range(N_SIMULATED):
            settings = rng.normal(size=(n_settings, 5))
            first, last = settings[np.argsort(settings.mean(axis=1))[[-1, 0]]]
            raw.append(paired_t(first - last).p)
        assert sum(p < 0.05 for p in raw) > 0.15 * N_SIMULATED
        assert sum(n_pairs * p < 0.05 for p in raw) <= 0.05 * N_SIMULATED

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

    @pytest.mark.parametrize(
        ("a_alone", "b_alone", "n"),
        [(0.02, 0.005, 10_000), (0.3, 0.02, 1000), (0.105, 0.005, 10_000), (0.05, 0.05, 1000)],
    )
    def test_so_does_that_of_two_networks(self, a_alone: float, b_alone: float, n: int):
        rng = np.random.default_rng(6)
        held = 0
        for _ in range(N_SIMULATED):
            drawn = rng.random(n, np.float32)
            found = mcnemar(drawn < a_alone, drawn > 1 - b_alone)
            held += found.low <= a_alone - b_alone <= found.high
        assert 0.935 <= held / N_SIMULATED <= 0.98

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
        assert needed_pairs(0.4, 10, shared=0.25) is None


class TestPairedT:
    def test_it_is_student_s(self):
        a, b = np.random.default_rng(0).normal(size=(2, 7))
        found, expected = paired_t(a - b), stats.ttest_rel(a, b)
        assert found.p == pytest.approx(expected.pvalue)
        assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))

    def test_shared_rows_widen_it_as_published(self):
        d = np.array([0.1, 0.3, 0.2, 0.4])
        found = paired_t(d, shared=0.25)
        t = d.mean() / np.sqrt((1 / 4 + 0.25) * d.var(ddof=1))
        assert found.p == pytest.approx(2 * stats.t.sf(t, 3))
        assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 3) * d.mean() / t)

    @pytest.mark.parametrize("same", [0.0, 0.02])
    def test_without_a_spread_there_is_no_verdict(self, same: float):
        """Two seeds that differ alike are a coincidence of counts, not certainty."""
        found = paired_t([same, same])
        assert (found.p, found.low, found.high) == (1.0, same, same)
        assert not found.is_told


class TestCrossedT:
    def test_it_is_an_analysis_of_variance_of_readers_and_cases(self):
        """Of two treatments t, readers r and cases c: Hillis, Berbaum and Metz 2008."""
        right = np.random.default_rng(0).random((2, 4, 30)) < 0.7
        right[0, :, ::2] = True  # rows that are easy for the first setting
        table = pd.DataFrame(np.argwhere(right | True), columns=["t", "r", "c"])
        table["y"] = right.ravel().astype(float)
        fitted = ols("y ~ C(t) * C(r) + C(t) * C(c) + C(r) * C(c)", table).fit()
        squares = anova_lm(fitted).mean_sq
        t, tr, tc, trc = squares[["C(t)", "C(t):C(r)", "C(t):C(c)", "Residual"]]
        assert tc > trc
        found = crossed_t(right[0].astype(float) - right[1])
        assert found.p == pytest.approx(stats.f.sf(t / (tr + tc - trc), 1, 3))
        assert found.mean == pytest.approx(right[0].mean() - right[1].mean())

    def test_rows_that_do_not_differ_leave_the_paired_t(self):
        assert crossed_t(np.array([[1, 1, 1, 0], [0, -1, 0, 0]])) == paired_t([0.75, -0.25])

    def test_seeds_that_are_equal_by_chance_have_the_spread_of_their_rows(self):
        """As counts may be: here each seed is one of three rows ahead."""
        found = crossed_t(np.eye(3))
        t = (1 / 3) / np.sqrt((1 / 2) / 3 / 3)  # the mean square of the interaction is 1/2
        assert found.p == pytest.approx(2 * stats.t.sf(t, 2))

    def test_without_any_spread_there_is_no_verdict(self):
        assert crossed_t(np.ones((3, 4))).p == 1


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


def test_holm_of_a_few_that_were_chosen_from_more():
    assert holm([0.01, 0.02], n=10) == pytest.approx([0.1, 0.18])
    assert holm([0.01], n=10) == pytest.approx([0.1])


def test_holm_multiplies_the_smallest_by_their_number():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
