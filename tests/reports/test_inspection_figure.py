"""The figure of looks inside a network, whatever they have seen."""

from dataclasses import replace

import pytest

from mlp.reports.inspection_figure import inspection
from mlp.training import Inspection, LayerState, TaskFacts

FACTS = TaskFacts(2.3, 1.0, None, None, None, (0.0, 1.0))
LAYER = LayerState(1, 8, 0.1, 1.0, 0.01, 1e-4, (1, 3, 2), 0.0, 1.5, "relu", 0.25)
OUTPUT = replace(LAYER, number=2, n_units=1, activation=None, dead=None)


def look(epoch, *layers):
    return Inspection(epoch, 0.1, 2.4, layers, None if epoch else FACTS)


def rows(epochs):
    return [{"epoch": epoch, "train/loss": 1 / epoch, "val/loss": 1.0} for epoch in epochs]


def test_shows_loss_layers_and_histograms():
    figure = inspection([look(0, LAYER, OUTPUT), look(2, LAYER, OUTPUT)], rows([1, 2]))
    loss, dead, gradient, step, *histograms = figure.axes
    assert loss.lines[0].get_xydata().tolist() == [[0, 2.4], [1, 1], [2, 0.5]]
    assert dead.lines[0].get_xydata().tolist() == [[0, 0.25], [2, 0.25]]
    assert [line.get_label() for line in gradient.lines] == ["1: 8 relu", "2: 1 output"]
    assert step.lines[1].get_ydata() == pytest.approx([1e-3, 1e-3])
    assert [axes.get_title() for axes in histograms[:2]] == ["1: 8 relu", "2: 1 output"]


@pytest.mark.parametrize(
    ("looks", "history"),
    [
        ([look(0, LAYER, OUTPUT)], []),
        ([look(0, OUTPUT), look(1, replace(OUTPUT, counts=(), low=float("nan")))], rows([1])),
        ([look(3, *[LAYER] * 9, OUTPUT)], rows([1, 2, 3])),
        ([look(0, replace(LAYER, weight_rms=0.0, gradient_rms=0.0), OUTPUT)], []),
        ([look(0, replace(LAYER, counts=(5, 0), low=0.0, high=0.0), OUTPUT)], []),
    ],
    ids=["interrupted", "diverged", "deep, resumed", "zeros", "constant"],
)
def test_is_drawn_whatever_was_seen(looks, history):
    inspection(looks, history).canvas.draw()
