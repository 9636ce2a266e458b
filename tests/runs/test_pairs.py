"""Which runs make pairs, and what is alike enough to be compared."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlp.base import RunError
from mlp.runs import Comparison, Side, compare_sides
from mlp.runs.folder import write_csv
from mlp.runs.paired_tests import crossed_t, mcnemar, paired_t
from tests.records import make_child

SEEDS = [{"seed": seed} for seed in range(4)]


def result(digest: str = "abc", **metrics: float) -> dict[str, Any]:
    return {"metrics": metrics, "timestamp": 0, "digest": digest}


def setting(
    runs: Path,
    name: str,
    losses: Sequence[float],
    params: Sequence[dict[str, Any]] = SEEDS,
    **changes: Any,
) -> Side:
    """A side with these val/losses, all on one split."""
    folders = [
        make_child(runs, f"{name}{i}", own, loss, **changes)
        for i, (own, loss) in enumerate(zip(params, losses, strict=False))
    ]
    return Side.of(name, folders)


def store_predictions(side: Side, *right: np.ndarray) -> None:
    """Let each run of a side have predicted the right class on these rows."""
    for run, own in zip(side.runs, right, strict=True):
        rows = [[i, "0", "0" if ok else "1", 1.0] for i, ok in enumerate(own)]
        write_csv(run.folder.test_predictions, ["index", "label", "prediction", "score"], rows)


def only(sides: Sequence[Side], metric: str | None = None) -> Comparison:
    [comparison] = compare_sides(sides, metric)
    return comparison


class TestSeeds:
    def test_equal_ones_are_paired_whatever_their_order(self, runs: Path):
        a, b = setting(runs, "a", [0.3, 0.5, 0.4]), setting(runs, "b", [0.4, 0.7, 0.5, 0.1])
        found = only([a, Side("b", b.runs[::-1])])
        assert found.difference == paired_t([0.4 - 0.3, 0.7 - 0.5, 0.5 - 0.4])
        assert (found.metric, found.n_left_out) == ("val/loss", 1)

    def test_the_better_setting_comes_first(self, runs: Path):
        found = only([setting(runs, "a", [0.3, 0.5]), setting(runs, "b", [0.2, 0.1])])
        assert (found.better, found.worse) == ("b", "a")
        assert found.difference.mean == pytest.approx(0.25)

    def test_the_test_set_decides_where_all_have_read_it(self, runs: Path):
        a = setting(runs, "a", [0.3, 0.5], test=result(accuracy=0.8))
        b = setting(runs, "b", [0.4, 0.7], test=result(accuracy=0.9))
        assert (only([a, b]).metric, only([a, b]).better) == ("test/accuracy", "b")
        assert only([a, b], "val/loss").better == "a"
        assert only([a, setting(runs, "c", [0.6, 0.6])]).metric == "val/loss"

    def test_stored_predictions_tell_how_many_networks_differ_and_which_is_better(self, runs: Path):
        a = setting(runs, "a", [0.3, 0.5], test=result(accuracy=1.0))
        b = setting(runs, "b", [0.4, 0.7], test=result(accuracy=0.1))
        assert only([a, b]).n_apart is None
        store_predictions(a, np.arange(20) < 20, np.arange(20) < 3)
        store_predictions(b, np.arange(20) < 1, np.arange(20) < 20)
        assert (only([a, b]).better, only([a, b]).n_apart) == ("a", (1, 1))

    def test_stored_predictions_of_the_same_rows_speak_of_other_rows_too(self, runs: Path):
        right = np.random.default_rng(0).random((2, 3, 50)) < [[[0.9]], [[0.6]]]
        sides = []
        for name, own in zip("ab", right, strict=True):
            folders = [
                make_child(runs, f"{name}{i}", {"seed": i}, test=result(accuracy=each.mean()))
                for i, each in enumerate(own)
            ]
            sides.append(Side.of(name, folders))
        found = only(sides)
        assert (found.n_rows, found.new_rows) == (10, False)
        assert found.difference == paired_t(right[0].mean(axis=1) - right[1].mean(axis=1))
        for side, own in zip(sides, right, strict=True):
            store_predictions(side, *own)
        assert only(sides).new_rows
        assert only(sides).difference == crossed_t(right[0].astype(float) - right[1])

    def test_three_settings_are_three_comparisons_corrected_together(self, runs: Path):
        rng = np.random.default_rng(0)
        sides = [setting(runs, name, i + rng.random(4)) for i, name in enumerate("abc")]
        found = compare_sides(sides)
        assert [(one.better, one.worse) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]
        assert {one.n_compared for one in found} == {3}
        assert found[0].difference.p > only(sides[:2]).difference.p

    def test_ranks_are_corrected_for_all_pairs_that_they_chose_from(self, runs: Path):
        losses = ([0.3, 0.4, 0.5], [0.35, 0.5, 0.6], [0.8, 0.92, 1.0], [0.2, 0.41, 0.5])
        sides = [setting(runs, name, own) for name, own in zip("abcd", losses, strict=True)]
        first, second, last, other = (
            replace(side, sweep=sweep, rank=rank, n_settings=5)
            for side, sweep, rank in zip(sides, "sssr", (1, 2, 4, 1), strict=True)
        )
        assert only([first, second]).n_compared == 1
        assert only([last, first]).n_compared == 6
        assert {one.n_compared for one in compare_sides([first, second, last])} == {6}
        assert only([first, other]).n_compared == 25
        assert only([first, sides[3]]).n_compared == 5
        uncorrected = only([sides[0], sides[2]]).difference.p
        assert only([last, first]).difference.p == pytest.approx(6 * uncorrected)


class TestSplits:
    def test_shared_training_rows_are_corrected_for(self, runs: Path):
        """20 rows train and 5 validate."""
        a, b = (with_splits(runs, name, SEEDS, [0, 1, 2, 3]) for name in "ab")
        assert only([a, b]).difference.shared == 5 / 20

    def test_the_same_test_rows_need_no_correction(self, runs: Path):
        a, b = (
            with_splits(runs, name, SEEDS, [0, 1, 2, 3], test=result(accuracy=0.9)) for name in "ab"
        )
        assert only([a, b]).difference.shared == 0
        assert only([a, b], "val/loss").difference.shared == 5 / 20

    def test_the_folds_are_test_rows_of_their_own(self, runs: Path):
        """20 rows train and 10 test."""
        folds = [{"data.folds": 4, "data.fold": fold} for fold in range(4)]
        a, b = (
            with_splits(runs, name, folds, [0, 1, 2, 3], test=result(accuracy=0.9)) for name in "ab"
        )
        assert only([a, b]).difference.shared == 10 / 20

    def test_it_is_enough_that_one_side_has_a_split_for_each_seed(self, runs: Path):
        a = with_splits(runs, "a", SEEDS, [0, 0, 0, 0], test=result(accuracy=0.9))
        b = with_splits(runs, "b", SEEDS, [0, 1, 2, 3], test=result(accuracy=0.9))
        assert len(only([a, b]).splits) == 4

    def test_two_seeds_on_a_split_are_averaged_and_no_two_splits(self, runs: Path):
        params = [{"seed": seed, "data.split_seed": split} for split in (0, 1) for seed in (0, 1)]
        a = with_splits(runs, "a", params, [0, 0, 1, 1], [0.3, 0.5, 0.4, 0.6])
        b = with_splits(runs, "b", params, [0, 0, 1, 1], [0.4, 0.7, 0.5, 0.6])
        found = only([a, b]).difference
        assert found.n == 2
        assert found.p == pytest.approx(paired_t([0.15, 0.05], shared=5 / 20).p)


def with_splits(
    runs: Path,
    name: str,
    params: Sequence[dict[str, Any]],
    splits: Sequence[int],
    losses: Sequence[float] = (0.3, 0.5, 0.4, 0.6),
    **changes: Any,
) -> Side:
    """A side whose runs train on splits with these numbers."""
    folders = [
        make_child(runs, f"{name}{i}", own, loss, data={"split": str(split)}, **changes)
        for i, (own, split, loss) in enumerate(zip(params, splits, losses, strict=True))
    ]
    return Side.of(name, folders)


class TestSingleRuns:
    def test_they_are_compared_by_their_predictions(self, runs: Path):
        """Of ten rows one has 1 right, the other one the other 9."""
        right = np.arange(10) < 1
        a, b = (setting(runs, name, [0.5], test=result(accuracy=0.5)) for name in "ab")
        store_predictions(a, right)
        store_predictions(b, ~right)
        assert only([a, b]).better == "b"
        assert only([a, b]).difference.p == mcnemar(~right, right).p

    def test_numbers_are_compared_by_their_squared_errors(self, runs: Path):
        truth, sides = np.linspace(0, 1, 10), []
        for name, errors in (("a", np.full(10, 0.1)), ("b", np.linspace(0.2, 0.3, 10))):
            side = setting(runs, name, [0.5], data={"targets": ["y"]}, test=result(rmse=0.5))
            rows = zip(range(10), truth, truth + errors, strict=True)
            predictions = side.runs[0].folder.test_predictions
            write_csv(predictions, ["index", "true y", "predicted y"], rows)
            sides.append(side)
        found = only(sides)
        assert (found.better, found.metric) == ("a", "squared error")
        expected = paired_t(np.linspace(0.2, 0.3, 10) ** 2 - 0.1**2)
        assert found.difference.p == pytest.approx(expected.p)

    def test_without_a_test_there_is_nothing_to_compare(self, runs: Path):
        sides = [setting(runs, name, [0.5]) for name in "ab"]
        with pytest.raises(RunError, match=r"seed=0 was not tested: mlp evaluate a0"):
            compare_sides(sides)

    def test_damaged_predictions_are_named(self, runs: Path):
        sides = [setting(runs, name, [0.5], test=result(accuracy=0.5)) for name in "ab"]
        for side in sides:
            side.runs[0].folder.test_predictions.write_text("index,label,prediction,score\n1,2\n")
        with pytest.raises(RunError, match=r"a0/test_predictions.csv cannot be read as predict"):
            compare_sides(sides)


OTHER_LOSS = {"layers": [], "loss": "MeanSquaredError", "n_parameters": 6}


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "metric", "sentence"),
        [
            ({"data": {"digest": "other"}}, None, "a and b have different data"),
            ({"limited": True}, None, "a or b was cut short by limit_batches"),
            ({"data": {"split": "other"}}, "val/loss", "validate on different rows"),
            ({"test": result("other", accuracy=0.9)}, None, "were tested on different rows"),
            ({"monitor": "val/accuracy", "test": None}, None, "val/accuracy and val/loss: choose"),
            ({}, "val/f1", "has no val/f1"),
            ({"params": SEEDS[2:]}, None, "a and b have no seed in common"),
            ({"params": SEEDS[1:]}, None, "a and b have one seed in common, and settings"),
            ({"model": OTHER_LOSS}, "val/loss", "have different losses"),
        ],
    )
    def test_only_like_is_compared_with_like(
        self, runs: Path, changes: dict[str, Any], metric: str | None, sentence: str
    ):
        a = setting(runs, "a", [0.1, 0.2], test=result(accuracy=0.9))
        b = setting(runs, "b", [0.3, 0.1], **{"test": result(accuracy=0.8), **changes})
        with pytest.raises(RunError, match=sentence):
            compare_sides([a, b], metric)

    def test_other_losses_and_splits_do_not_matter_on_the_test_set(self, runs: Path):
        a = setting(runs, "a", [0.1, 0.2], test=result(accuracy=0.9))
        other = {"data": {"split": "other"}, "model": OTHER_LOSS}
        b = setting(runs, "b", [0.3, 0.1], test=result(accuracy=0.8), **other)
        assert only([a, b]).better == "a"
