"""A sweep's figures: what is drawn, read from the figures themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlp.reports import importances, save_figure
from mlp.reports.curves import curves
from mlp.reports.sweep_figures import (
    TOP,
    axes_against_metric,
    draw_sweep_figures,
    parallel_coordinates,
)
from mlp.runs import read_leaderboard
from tests.records import make_child, make_sweep

PARAMS: list[dict[str, Any]] = [
    {"optimizer.lr": 0.1, "model.activation": "relu"},
    {"optimizer.lr": 0.2, "model.activation": "tanh"},
    {"optimizer.lr": 0.4},
]


def history(*losses: float) -> list[dict[str, float]]:
    return [
        {"epoch": epoch, "val/loss": loss, "val/accuracy": 1 - loss}
        for epoch, loss in enumerate(losses, 1)
    ]


class TestCurves:
    def test_metric_and_companion_stand_side_by_side(self):
        figure = curves({"a": [history(0.4, 0.2)]}, "val/accuracy")
        assert [axes.get_title() for axes in figure.axes] == ["val/accuracy", "val/loss"]

    def test_seeds_are_drawn_and_their_mean_ends_with_the_first(self):
        figure = curves({"a": [history(0.4, 0.2, 0.3), history(0.2, 0.4)]}, "val/loss")
        first, second, mean = figure.axes[0].lines
        assert (len(first.get_ydata()), len(second.get_ydata())) == (3, 2)
        assert mean.get_ydata() == pytest.approx([0.3, 0.3])

    def test_the_best_epoch_has_a_dot(self):
        figure = curves({"a": [history(0.4, 0.2, 0.3)]}, "val/loss")
        assert figure.axes[0].lines[0].get_markevery() == [1]

    def test_each_group_is_in_the_legend_once(self):
        groups = {name: [history(0.4, 0.2)] * 2 for name in ("best", "second")}
        [legend] = curves(groups, "val/loss").legends
        assert [text.get_text() for text in legend.get_texts()] == ["best", "second"]

    def test_a_run_without_a_history_is_left_out(self):
        figure = curves({"a": [history(0.4)], "b": [[]]}, "val/loss")
        assert len(figure.axes[0].lines) == 1

    def test_a_loss_that_falls_far_is_on_a_logarithmic_axis(self):
        scales = [
            curves({"a": [history(*losses)]}, "val/loss").axes[0].get_yscale()
            for losses in [(0.9, 0.1), (0.3, 0.2)]
        ]
        assert scales == ["log", "linear"]


class TestPanels:
    def test_each_parameter_has_a_panel_and_each_value_a_tick(self):
        figure = axes_against_metric(PARAMS, [[0.1], [0.2], [0.3]], "val/loss")
        panels = {axes.get_xlabel(): axes for axes in figure.axes}
        ticks = {n: [t.get_text() for t in a.get_xticklabels()] for n, a in panels.items()}
        assert ticks == {"lr": ["0.1", "0.2", "0.4"], "activation": ["–", "relu", "tanh"]}

    def test_the_best_setting_is_a_star(self):
        axes = axes_against_metric(PARAMS, [[0.1], [0.2], [0.3]], "val/loss").axes[0]
        [star] = [line for line in axes.lines if line.get_marker() == "*"]
        assert star.get_xydata().tolist() == [[0.0, 0.1]]

    def test_no_panel_is_left_empty(self):
        for n in range(1, 9):
            params = [{f"key_{k}": i for k in range(n)} for i in range(2)]
            figure = axes_against_metric(params, [[0.1], [0.2]], "val/loss")
            assert len(figure.axes) == n
            spans = [axes.get_subplotspec() for axes in figure.axes]
            filled = sum(len(span.colspan) for span in spans)
            assert filled == 6 * -(-n // 3)  # each row is filled

    def test_the_seeds_of_a_setting_are_a_line_from_the_lowest_to_the_highest(self):
        results = [[0.1, 0.3], [0.3], [0.4, 0.3, 0.5]]
        axes = axes_against_metric(PARAMS, results, "val/accuracy").axes[0]
        [spread] = axes.collections
        assert [line[:, 1].tolist() for line in spread.get_segments()] == [[0.1, 0.3], [0.3, 0.5]]
        [legend] = axes.figure.legends
        words = [text.get_text() for text in legend.get_texts()]
        assert words[:2] == ["its lowest to highest run", "best setting"]

    def test_settings_of_one_value_stand_side_by_side(self):
        params = [{"optimizer.lr": lr} for lr in (0.1, 0.1, 0.2)]
        axes = axes_against_metric(params, [[0.1], [0.2], [0.3]], "val/loss").axes[0]
        x = [
            place for line in axes.lines for place in line.get_xdata() if line.get_marker() in "*o"
        ]
        assert x == pytest.approx([-0.015, 0.015, 1])

    def test_a_loss_that_differs_much_is_on_a_logarithmic_axis(self):
        for metric, expected in [("val/loss", "log"), ("val/accuracy", "linear")]:
            figure = axes_against_metric(PARAMS, [[0.1], [0.2], [0.4]], metric)
            assert {axes.get_yscale() for axes in figure.axes} == {expected}

    def test_a_range_that_the_sweep_draws_from_by_logarithm_is_drawn_so(self):
        params = [{"trainer.batch_size": size} for size in (16, 64, 256)]
        figures = [
            draw(params, [[0.1], [0.2], [0.3]], "val/loss", {"trainer.batch_size": True})
            for draw in (axes_against_metric, parallel_coordinates)
        ]
        labels = [label.get_text() for label in figures[0].axes[0].get_xticklabels()]
        assert labels == ["20", "50", "100", "200"]
        lines = [
            line for line in figures[1].axes[0].lines if [*line.get_xdata()] == [0, 1]
        ]  # not the axes
        places = sorted(line.get_ydata()[0] for line in lines)
        assert places == pytest.approx([0, 0.5, 1])

    def test_parallel_coordinates_have_a_line_a_setting_over_all_axes(self):
        figure = parallel_coordinates(PARAMS, [[0.1], [0.2], [0.3]], "val/loss")
        lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
        assert len(lines) == 3
        best = lines[-1]  # on top of the others
        assert best.get_ydata().tolist() == [0.0, 0.5, 0.0]

    def test_parallel_coordinates_have_a_dot_for_each_seed(self):
        axes = parallel_coordinates(PARAMS, [[0.1, 0.3], [0.4], [0.5]], "val/loss").axes[0]
        dots = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "o"]
        assert dots == pytest.approx([0, 0.5])  # of the axis from 0.1 to 0.5

    def test_importances_are_said_in_per_cent(self):
        axes = importances({"optimizer.lr": 0.75, "model.dropout": 0.25}).axes[0]
        assert [text.get_text() for text in axes.texts] == ["75%", "25%"]


class TestFiles:
    def test_a_single_setting_has_curves_only(self, runs: Path, tmp_path: Path):
        make_child(runs, "a", {"optimizer.lr": 1})
        draw_sweep_figures(tmp_path / "f", read_leaderboard(["5eed"]))
        assert [file.name for file in (tmp_path / "f").iterdir()] == ["curves.png"]

    def test_the_top_settings_are_drawn_without_diverged_ones(
        self, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        drawn = {}
        monkeypatch.setattr(
            "mlp.reports.figure_style.save_figure",
            lambda figure, path: drawn.update({path.name: figure}),
        )
        for i, value in enumerate([0.1, 0.2, 0.3, 1e6]):
            make_child(runs, f"r{i}", {"optimizer.lr": i}, value)
        draw_sweep_figures(tmp_path, read_leaderboard(["5eed"]))
        [legend] = drawn["curves.png"].legends
        assert [text.get_text() for text in legend.get_texts()] == ["1. lr=0", "2. lr=1", "3. lr=2"]

    def test_ranges_are_read_from_the_sweep(self, runs: Path, tmp_path: Path, monkeypatch):
        given = []
        monkeypatch.setattr(
            "mlp.reports.sweep_figures.parallel_coordinates",
            lambda *arguments: given.append(arguments) or importances({"a": 1.0}),
        )
        axes = {"optimizer.lr": ["0.1 to 9, log"], "model.dropout": ["0 to 0.5"], "seed": [1, 2]}
        make_sweep(runs, axes=axes)
        for i in range(2):
            make_child(runs, f"r{i}", {"optimizer.lr": i}, 0.1 + i)
        draw_sweep_figures(tmp_path, read_leaderboard(["5eed"]))
        assert given[0][-1] == {"optimizer.lr": True, "model.dropout": False}

    def test_many_parameters_with_long_values_can_be_drawn(self, tmp_path: Path):
        params = [
            {f"group.parameter_{k}": ["long name" * 3, i, None, [i] * 9][k % 4] for k in range(10)}
            for i in range(2 * TOP)
        ]
        results = [[value] for value in np.linspace(0.9, 0.1, 2 * TOP)]
        for draw in (axes_against_metric, parallel_coordinates):
            save_figure(draw(params, results, "val/accuracy"), tmp_path / "many.png")
        assert (tmp_path / "many.png").stat().st_size > 10_000
