"""Places on an axis: in order, apart, and with names."""

import numpy as np
import pytest

from mlp.reports.axis_scales import MAX_EVEN, clip_outliers, number_scale, scale


class TestScale:
    def test_a_few_numbers_lie_by_size_and_have_a_tick_each(self):
        laid_out = scale([0.2, 0, 0.5, 0.2])
        assert laid_out.places == pytest.approx([0.4, 0, 1, 0.4])
        assert laid_out.labels == ["0", "0.2", "0.5"]

    def test_or_by_their_logarithm_if_that_is_more_even(self):
        laid_out = scale([0.01, 0.001, 100, 0.01])
        assert laid_out.places == pytest.approx([0.2, 0, 1, 0.2])
        assert laid_out.labels == ["0.001", "0.01", "100"]

    def test_and_evenly_where_the_ticks_would_be_too_close(self):
        assert scale([0, 0.001, 0.5, 0.5]).places == [0, 0.5, 1, 1]

    @pytest.mark.parametrize(("log", "places"), [(True, [0, 0.5, 1, 1]), (False, [0, 0.2, 1, 1])])
    def test_values_of_a_range_lie_as_it_was_drawn_from(self, log: bool, places: list[float]):
        laid_out = scale([16, 64, 256, 256], log)
        assert laid_out.places == pytest.approx(places, abs=1e-9)
        assert laid_out.labels == (
            ["20", "50", "100", "200"] if log else ["50", "100", "150", "200", "250"]
        )

    def test_a_narrow_logarithmic_range_has_ticks_too(self):
        labels = number_scale([0.0012, 0.0018], log=True).labels
        assert len(labels) > 1
        assert {"0.0012", "0.0015", "0.0018"} <= set(labels)

    def test_a_default_of_zero_in_a_logarithmic_range_is_drawn_by_size(self):
        assert scale([0, 0.001, 0.01], log=True).places == pytest.approx([0, 0.1, 1])

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
        assert clipped[4] - values[0] == pytest.approx(1.15 * (values[3] - values[0]))

    def test_even_spread_has_none(self):
        assert not clip_outliers(np.linspace(0, 1, 11).tolist())[1].any()

    def test_equal_values_have_none(self):
        assert not clip_outliers([0.5, 0.5, 0.5])[1].any()
