"""The share of the variance that a parameter explains by itself."""

import numpy as np
import pytest

from mlp.reports.main_effects import main_effects

GRID = {"lr": [1, 2, 3, 4] * 4, "units": sorted([1, 2, 3, 4] * 4)}


def test_what_decides_alone_explains_all():
    shares = main_effects(GRID, [lr**2 for lr in GRID["lr"]])
    assert shares == pytest.approx({"lr": 1, "units": 0})
    assert list(shares) == ["lr", "units"]


def test_is_as_by_hand():
    # ranks 1 to 4; between the groups 4, within them 1, so noise 1/2: (4 - 1/2) / (5 + 1/2)
    assert main_effects({"key": ["a", "a", "b", "b"]}, [0.1, 0.2, 0.5, 0.9]) == {
        "key": pytest.approx(3.5 / 5.5)
    }


def test_does_not_depend_on_the_scale_of_the_results():
    results = np.random.default_rng(0).normal(size=16)
    assert main_effects(GRID, results) == main_effects(GRID, np.exp(5 * results))


@pytest.mark.parametrize("n_values", [2, 8, 300])
def test_chance_explains_about_nothing(n_values):
    rng = np.random.default_rng(1)
    values = rng.integers(n_values, size=600).tolist()
    assert main_effects({"key": values}, rng.normal(size=600))["key"] < 0.03


def test_many_numbers_are_taken_in_groups():
    values = np.random.default_rng(2).uniform(size=200).tolist()
    assert main_effects({"key": [*values, "off"]}, [*values, 2.0])["key"] > 0.9


def test_without_repetition_nothing_is_known():
    assert main_effects({"key": ["a", "b", "c"]}, [1, 2, 3]) == {}
