"""The figures of predicted numbers: their points and words."""

import numpy as np
import pytest

from mlp.reports import draw_evaluation_figures
from mlp.reports.number_figures import predicted_against_true, residuals
from mlp.training import Evaluation, Regression


@pytest.fixture
def evaluation():
    """Two targets of 7,000 examples."""
    rng = np.random.default_rng(0)
    true = rng.standard_normal((7_000, 2))
    answers = true + 0.1
    return Evaluation(Regression().measure(answers, true), answers, true)


def test_points(evaluation):
    """Of many examples 5,000, a panel for each target, with the metric in the title."""
    figure = predicted_against_true(evaluation, None, ["price", "area"], None)
    left, right = figure.axes
    x, y = left.collections[0].get_offsets().T
    assert len(x) == 5_000
    np.testing.assert_allclose(y - x, 0.1)
    assert (right.get_xlabel(), right.get_ylabel()) == ("true area", "predicted area")
    assert figure.get_suptitle().startswith("R² = 0.99")
    figure = residuals(evaluation, None, ["price", "area"], None)
    np.testing.assert_allclose(figure.axes[0].collections[0].get_offsets().T[1], -0.1)
    assert figure.get_suptitle().startswith("RMSE = 0.1000 on 7,000")


def test_files(evaluation, tmp_path):
    """Named after the figures, one of one's own among them."""
    figures = [*Regression.figures, "tests.reports.test_number_figures.own"]
    draw_evaluation_figures(tmp_path, figures, evaluation, None, ["price", "area"], None)
    names = {path.stem for path in tmp_path.iterdir()}
    assert names == {"predicted_against_true", "residuals", "own"}


def own(evaluation, part, names, image_shape):
    """A figure as a user writes it."""
    from matplotlib.figure import Figure

    return Figure()
