"""The decision boundary of networks with two inputs."""

from pathlib import Path

import numpy as np
import pytest

from mlp.data import Scaler
from mlp.nn import MLP, SoftmaxCrossEntropy
from mlp.reports import draw_boundary
from mlp.reports.boundary import boundary
from mlp.training import Predictor


def linear(*rows: list[float], shift: float = 0) -> Predictor:
    """Of z = (x - shift)·W for a class in each column."""
    weights = np.array(rows)
    network = MLP([]).build(2, weights.shape[1], SoftmaxCrossEntropy(), np.random.default_rng(0))
    network.layers[0].W[:] = weights
    scaler = Scaler(np.full(2, shift, np.float32), np.ones(2, np.float32))
    return Predictor(network, scaler, "abcdefgh"[: weights.shape[1]], 1000)


POINTS = np.array([[0, 0], [0, 4], [4, 0], [4, 4]], np.float32)


def test_the_line_lies_where_the_class_changes():
    """In raw units, where x1 = 3."""
    figure = boundary({"now": linear([1, -1], [0, 0], shift=3)}, POINTS, np.arange(4) % 2, "xy")
    [axes] = figure.axes
    [line] = axes.collections[0].get_paths()
    np.testing.assert_allclose(line.vertices[:, 0], 3, atol=0.01)
    colours = axes.images[0].get_array()
    assert not np.allclose(colours[0, 0], colours[0, -1], atol=0.1)  # left and right


@pytest.mark.parametrize(("n_classes", "n_panels"), [(2, 4), (8, 1)])
def test_a_panel_for_each_predictor(tmp_path: Path, n_classes: int, n_panels: int):
    rng = np.random.default_rng(0)
    predictors = {f"epoch {i}": linear(*rng.normal(size=(2, n_classes))) for i in range(n_panels)}
    draw_boundary(tmp_path, predictors, POINTS, np.arange(4) % n_classes, ["length", "width"])
    assert (tmp_path / "boundary.png").read_bytes().startswith(b"\x89PNG")
    panels = boundary(predictors, POINTS, np.arange(4) % n_classes, "xy").axes
    assert [axes.get_title() for axes in panels if axes.axison] == list(predictors)
