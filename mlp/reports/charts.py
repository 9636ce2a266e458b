"""Interactive charts, as Bokeh draws them in a browser; those of a run."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.reports.curves import PARTS, History

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure

MAX_POINTS = 50  # of a curve
DIGITS = 4  # of a number on it
MARGIN = 0.05  # of a range, beyond the values
THEME = {  # as figure_style.STYLE
    "attrs": {
        "Plot": dict.fromkeys(("background_fill_alpha", "border_fill_alpha"), 0)
        | {"outline_line_color": None, "sizing_mode": "stretch_width"},
        "Axis": dict.fromkeys(("axis_label_text_color", "major_label_text_color"), style.INK)
        | dict.fromkeys(("axis_line_color", "major_tick_line_color"), style.GREY)
        | {"minor_tick_line_color": None}
        | {"axis_label_text_font_style": "normal", "axis_label_text_font_size": "12px"},
        "Grid": {"grid_line_color": style.STYLE["grid.color"]},
        "Legend": dict.fromkeys(("background_fill_alpha", "border_line_alpha"), 0)
        | {"orientation": "horizontal", "padding": 0},
        "Title": {"text_color": style.INK, "text_font_size": "13px"},
        "Toolbar": {"logo": None, "autohide": True},
    }
}
Charts = dict[str, "Figure"]  # by the id of the element in which it is drawn
Points = Sequence[tuple[float, float]]


def run_charts(history: History, best_epoch: int | None) -> Charts:
    """Return a chart for each metric of a run: the parts of the data, and the best epoch."""
    kinds = dict.fromkeys(key.partition("/")[2] for key in history[0] if "/" in key)
    charts = {}
    for number, kind in enumerate(kinds):
        curves = {part: curve_of(history, f"{part}/{kind}") for part, _, _ in PARTS}
        chart = curve_chart(kind.capitalize(), kind, list(curves.values()))
        if best_epoch:
            chart.vspan([best_epoch], line_color=style.GREY, line_dash="dashed")
        for part, name, colour in PARTS:
            if curves[part]:
                x, y = zip(*curves[part], strict=True)
                chart.line(x, y, color=colour, line_width=2, legend_label=name)
                dots = chart.scatter(x, y, color=colour, size=4, legend_label=name)
                add_hover(chart, dots, {name: f"@y{{0.0000}} {kind}", "epoch": "@x{0}"})
        if chart.legend:  # above, where it hides no curve
            chart.add_layout(chart.legend[0], "above")
        charts[f"curves-{number}"] = chart
    return charts


def curve_of(history: History, metric: str) -> Points:
    """Return epochs and values of a metric: at most `MAX_POINTS`, evenly spread, with the ends."""
    points = [
        (row["epoch"], float(f"{row[metric]:.{DIGITS}g}")) for row in history if metric in row
    ]
    if len(points) <= MAX_POINTS:
        return points
    return [points[i] for i in np.linspace(0, len(points) - 1, MAX_POINTS).round().astype(int)]


def curve_chart(title: str, metric: str, curves: Sequence[Points], tools: str = "") -> "Figure":
    """Return an empty chart with room for some curves; a loss that falls far is logarithmic."""
    from bokeh.models import BasicTicker

    points = np.array([point for curve in curves for point in curve if np.isfinite(point[1])])
    points = points if len(points) else np.array([(1.0, 0.0)])
    low, high = points[:, 1].min(), points[:, 1].max()
    log = metric.endswith("loss") and bool(0 < 3 * low < high)
    chart = new_chart(title, 330, "epoch", (1, points[:, 0].max()), (low, high), log, tools)
    chart.xaxis[0].ticker = BasicTicker(min_interval=1)  # whole epochs
    return chart


def new_chart(
    title: str,
    height: int,
    x_label: str,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    log: bool = False,
    tools: str = "",
) -> "Figure":
    """Return an empty chart; its ranges do not change with what is shown."""
    from bokeh.models import PrintfTickFormatter, Range1d
    from bokeh.plotting import figure

    low, high = np.exp(_widened(*np.log(y_range))) if log else _widened(*y_range)
    left, right = _widened(*x_range)
    chart = figure(
        title=title,
        height=height,
        x_axis_label=x_label,
        x_range=Range1d(start=left, end=right),
        y_range=Range1d(start=low, end=high),
        y_axis_type="log" if log else "linear",
        tools=f"{tools},box_zoom,reset,save",
        active_drag="box_select" if "box_select" in tools else "box_zoom",
    )
    if log:
        chart.yaxis[0].ticker = _log_ticks(low, high)
        chart.yaxis[0].formatter = PrintfTickFormatter(format="%.3g")
    return chart


def add_hover(chart: "Figure", renderer: Any, facts: dict[str, str]) -> None:
    """Tell what is under the pointer, the nearest of it only."""
    from bokeh.models import HoverTool

    nearest: dict[str, Any] = {"limit": 1, "line_policy": "nearest"}
    chart.add_tools(HoverTool(renderers=[renderer], tooltips=list(facts.items()), **nearest))


def _log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers that cover a range; Bokeh's own leave out its lower half."""
    between = (1, 2, 3, 5, 7) if high < 30 * low else (1, 2, 5) if high < 1000 * low else (1,)
    decades = range(floor(log10(low)), ceil(log10(high)))
    return [factor * 10.0**decade for decade in decades for factor in between]


def _widened(low: float, high: float) -> tuple[float, float]:
    """Return a range with a margin; it is not empty."""
    margin = MARGIN * (high - low) or MARGIN * abs(high) or MARGIN
    return float(low - margin), float(high + margin)
