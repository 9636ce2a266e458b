"""Places on an axis: in order, apart, and with names."""

import numpy as np
import pytest

from mlp.reports.axis_scales import MAX_EVEN, clip_outliers, number_scale, scale


class TestScale:
    def test_a_few_numbers_lie_evenly_in_their_order(self):
        laid_out = scale([0.01, 0.001, 100, 0.01])
        assert laid_out.places == [0.5, 0.0, 1.0, 0.5]
        assert laid_out.labels == ["0.001", "0.01", "100"]

    def test_numbers_stand_below_words(self):
        assert scale([None, 5, True, [64, 32], 1.5]).labels == ["1.5", "5", "null", "true", "64x32"]

    def test_many_numbers_lie_by_size(self):
        values = np.linspace(3, 5, MAX_EVEN + 1).tolist()
        assert scale(values).places == pytest.approx(np.linspace(0, 1, MAX_EVEN + 1))

    def test_and_some_do_if_none_comes_twice(self):
        assert scale([3, 4, 5, 6, 13]).places == pytest.approx([0, 0.1, 0.2, 0.3, 1])

    def test_and_by_their_logarithm_if_most_are_small(self):
        laid_out = number_scale(np.geomspace(1e-4, 1e-1, 10).tolist())
        assert laid_out.places == pytest.approx(np.linspace(0, 1, 10))
        assert "0.001" in laid_out.labels

    def test_where_many_numbers_are_absent_that_has_a_place_below_them(self):
        values = [*np.linspace(3, 5, MAX_EVEN + 1).tolist(), "–"]
        places = scale(values).places
        assert places[-1] == 0 < min(places[:-1])

    def test_one_value_is_no_problem(self):
        assert scale(["a", "a"]).places == [0, 0]
        assert number_scale([2.0, 2.0]).places == [0, 0]


class TestOutliers:
    @pytest.mark.parametrize("sign", [1, -1])
    def test_what_is_far_from_the_best_is_brought_near(self, sign: int):
        values = [sign * value for value in (1.0, 1.1, 1.2, 1.3, 1000.0)]
        clipped, beyond = clip_outliers(values)
        assert beyond.tolist() == [False] * 4 + [True]
        assert clipped[:4].tolist() == values[:4]
        assert abs(clipped[4]) == pytest.approx(1.8)  # four times as far as the median, 1.2

    def test_even_spread_has_none(self):
        assert not clip_outliers(np.linspace(0, 1, 11).tolist())[1].any()

    def test_equal_values_have_none(self):
        assert not clip_outliers([0.5, 0.5, 0.5])[1].any()
