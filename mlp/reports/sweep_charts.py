"""The interactive charts of a sweep: what is selected or filtered in one is so in all."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.reports.axis_scales import Scale, number_scale, scale
from mlp.reports.charts import Charts, Points, add_hover, curve_chart, curve_of, new_chart
from mlp.reports.curves import COLOURS, History
from mlp.reports.sweep_figures import columns_of, heights_of, ranges_of, side_by_side
from mlp.runs import Leaderboard

if TYPE_CHECKING:
    from bokeh.models import CDSView, ColumnDataSource
    from bokeh.plotting import figure as Figure

TOP, OTHERS = 5, "#999999"  # settings with a colour of their own, and that of the others
FAR = 20  # times as large as the better half's last values are those of diverged runs
SELECTION: dict[str, Any] = {
    "selection_color": "strong",
    "selection_alpha": 1,
    "nonselection_alpha": 0.08,
}
LINE = {"color": "color", "line_width": "width", "line_alpha": "alpha", **SELECTION}
DOT = {"color": "color", "alpha": "dot_alpha", "size": "size", "marker": "marker", **SELECTION}
INVISIBLE: dict[str, Any] = dict.fromkeys(("alpha", "selection_alpha", "nonselection_alpha"), 0)


def sweep_charts(
    board: Leaderboard, histories: Mapping[str, History], metrics: Sequence[str]
) -> Charts:
    """Return the learning curves, the parallel coordinates, and a chart for each parameter.

    A setting is a row of the data source ``settings``, a run one of ``runs``. Both begin with the
    worst, so that the best is drawn over all others. Which of them are shown is said by the filters
    ``shown settings`` and ``shown runs``.

    Parameters
    ----------
    board : Leaderboard
    histories : mapping of str to history
        By the ids of the runs whose curves are drawn.
    metrics : sequence of str
        Of the curves, a chart for each.
    """
    looks = [_look(rank, len(board.rows)) for rank in range(len(board.rows))]
    charts = _curve_charts(board, histories, metrics, looks)
    if len(board.rows) > 1:
        charts |= _parameter_charts(board, looks)
    return charts


def colour_of(rank: int) -> str:
    """Return the colour of a setting; ranks begin with 0."""
    return COLOURS[rank] if rank < TOP else OTHERS


def _look(rank: int, n: int) -> dict[str, Any]:
    """Return how one of n settings is drawn, by the names of a data source's columns."""
    top = rank < TOP
    return {
        "color": colour_of(rank),
        "strong": colour_of(rank) if top else style.INK,  # when it is selected
        "alpha": 0.9 if top else max(0.08, min(0.5, 30 / n)),  # of a line: many make a dark area
        "dot_alpha": 0.9 if top else 0.5,
        "width": 2.5 if rank == 0 else 1.8 if top else 1,
        "size": 7 if rank else 15,
        "marker": "circle" if rank else "star",
    }


def _source(name: str, rows: Sequence[Mapping[str, Any]]) -> tuple["ColumnDataSource", "CDSView"]:
    """Return a data source, its last row first, and the view that shows what is not filtered."""
    from bokeh.models import CDSView, ColumnDataSource, IndexFilter

    columns = {key: [row[key] for row in reversed(rows)] for key in rows[0]} if rows else {}
    view = CDSView(filter=IndexFilter(name=f"shown {name}"))
    return ColumnDataSource(columns, name=name), view


def _curve_charts(
    board: Leaderboard,
    histories: Mapping[str, History],
    metrics: Sequence[str],
    looks: Sequence[Mapping[str, Any]],
) -> Charts:
    """Return a chart for each metric with a line for each run, in the colour of its setting."""
    rows: list[dict[str, Any]] = []
    curves: dict[str, list[Points]] = {metric: [] for metric in metrics}
    for rank, setting in enumerate(board.rows):
        for run in setting.runs:
            if history := histories.get(run.id):
                row = {"name": run.name, "setting": len(board.rows) - 1 - rank, **looks[rank]}
                for metric in metrics:
                    curve = curve_of(history, metric)
                    row[f"{metric} epochs"] = [int(epoch) for epoch, _ in curve]
                    row[metric] = [value for _, value in curve]
                    curves[metric].append(curve)
                rows.append(row)
    source, shown = _source("runs", rows)
    charts = {}
    for number, metric in enumerate(metrics):
        chart = curve_chart(metric, metric, _in_sight(curves[metric]), "tap")
        lines = chart.multi_line(f"{metric} epochs", metric, source=source, view=shown, **LINE)
        facts = {"": "@name", "epoch": "$snap_x{0}", metric: "$snap_y{0.0000}"}
        add_hover(chart, lines, facts)
        charts[f"curves-{number}"] = chart
    return charts


def _in_sight(curves: Sequence[Points]) -> Sequence[Points]:
    """Return the curves that a chart has room for: all or, where they diverge, the better half."""
    ends = [abs(curve[-1][1]) for curve in curves if curve]
    better = ends[: -(-len(ends) // 2)]
    far = not all(np.isfinite(ends)) or max(ends, default=0) > FAR * max(better, default=0)
    return curves[: len(better)] if far else curves


def _parameter_charts(board: Leaderboard, looks: Sequence[Mapping[str, Any]]) -> Charts:
    """Return the parallel coordinates, and the metric against each parameter."""
    heights, _, log = heights_of([row.values for row in board.rows], board.metric)
    names, columns = columns_of([row.params for row in board.rows])
    ranges = ranges_of(board)
    scales = {
        name: scale(values, ranges.get(key))
        for (key, name), values in zip(names.items(), columns, strict=True)
    }
    rows = [
        {"name": row.name, "result": row.in_words(board.metric), "score": float(height), **look}
        for row, height, look in zip(board.rows, heights, looks, strict=True)
    ]
    source, shown = _source("settings", rows)
    axes = scales | {board.metric: number_scale(heights.tolist(), log)}
    charts = {"parallel": _parallel(axes, source, shown)}
    limits = float(heights.min()), float(heights.max())
    for number, (name, laid_out) in enumerate(scales.items()):
        places = side_by_side(np.array(laid_out.places))
        source.data[f"x{number}"] = _column(places)
        chart = new_chart("", 260, name, (-0.07, 1.07), limits, log, "tap,box_select")
        chart.yaxis[0].axis_label = board.metric
        _label(chart, laid_out)
        dots = chart.scatter(f"x{number}", "score", source=source, view=shown, **DOT)
        add_hover(chart, dots, {"": "@name", board.metric: "@result"})
        charts[f"axis-{number}"] = chart
    return charts


def _parallel(axes: Mapping[str, Scale], source: "ColumnDataSource", shown: "CDSView") -> "Figure":
    """Return a line for each setting, from parameter to parameter to the metric."""
    places = np.array([laid_out.places for laid_out in axes.values()])  # a column for each setting
    n_axes, n_settings = places.shape
    source.data["across"] = [list(range(n_axes))] * n_settings
    source.data["places"] = [setting.round(4).tolist() for setting in places.T[::-1]]
    chart = new_chart("", 380, "", (-0.3, n_axes - 0.7), (0, 1.1), tools="tap,box_select")
    chart.axis.visible = chart.grid.visible = False
    lines = chart.multi_line("across", "places", source=source, view=shown, **LINE)
    add_hover(chart, lines, {"": "@name", list(axes)[-1]: "@result"})
    for x in range(n_axes):  # a box selects dots, and no lines
        source.data[f"at {x}"], source.data[f"place {x}"] = [x] * n_settings, _column(places[x])
        chart.scatter(f"at {x}", f"place {x}", source=source, view=shown, size=6, **INVISIBLE)
    xs = list(range(n_axes))
    chart.segment(xs, 0, xs, 1, color=style.GREY)
    text: dict[str, Any] = {"text_color": style.INK, "text_font_size": "11px"}
    text |= {"background_fill_color": "white", "background_fill_alpha": 0.75}
    chart.text(xs, 1.06, list(axes), text_align="center", text_font_style="bold", **text)
    at = [x for x, laid_out in enumerate(axes.values()) for _ in laid_out.ticks]
    ticks = [tick for laid_out in axes.values() for tick in laid_out.ticks]
    labels = [label for laid_out in axes.values() for label in laid_out.labels]
    beside: dict[str, Any] = {"text_align": "right", "text_baseline": "middle", "x_offset": -5}
    chart.text(at, ticks, labels, **text, **beside)
    return chart


def _column(values: np.ndarray) -> list[float]:
    """Return values of the settings, the best first, as a column of their data source."""
    return [float(value) for value in values[::-1].round(4)]


def _label(chart: "Figure", laid_out: Scale) -> None:
    """Set the ticks of a chart's horizontal axis."""
    axis = chart.xaxis[0]
    axis.ticker = list(laid_out.ticks)
    axis.major_label_overrides = dict(zip(laid_out.ticks, laid_out.labels, strict=True))
    chart.xgrid[0].visible = False
    if sum(map(len, laid_out.labels)) > 22:
        axis.major_label_orientation = 0.6  # radians
