"""Metrics over the epochs: of one run on each part of the data, and of several runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import mlp.reports.figure_style as style
from mlp.training import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARTS = (("train", "training", style.BLUE), ("val", "validation", style.ORANGE))
COLOURS = (style.ORANGE, style.BLUE, style.GREEN, style.PINK, style.SKY, style.GREY)
History = Sequence[Mapping[str, float]]


@style.styled()
def learning_curves(history: History, best_epoch: int) -> "Figure":
    """Return loss and score against the epoch, training and validation, the best one marked."""
    epochs = [row["epoch"] for row in history]

    def draw(axes: "Axes", metric: str) -> None:
        for part, name, colour in PARTS:
            if values := [row[f"{part}/{metric}"] for row in history if f"{part}/{metric}" in row]:
                axes.plot(epochs, values, ".-", color=colour, label=name, markersize=5)
        best = f"best epoch: {best_epoch}"
        axes.axvline(best_epoch, label=best, zorder=0, color=style.GREY, ls="--", lw=1)
        axes.set_title(metric.capitalize())
        if metric == "loss":
            scale_loss(axes)

    part = "val" if "val/loss" in history[0] else "train"
    return _over_epochs(["loss", *_scores(history[0], part)[:1]], draw, 3.6, 3)


@style.styled()
def curves(groups: Mapping[str, Sequence[History]], metric: str) -> "Figure":
    """Return a metric and its companion over the epochs, all runs in the same axes.

    Parameters
    ----------
    groups : mapping of str to sequence of history
        A few, by name, the best first. The runs of a group, its seeds, are drawn faintly under
        their mean, which ends where the first of them does and has a dot where it is best.
    metric : str
        Beside a loss the first score is drawn, as in ``val/accuracy``; beside a score the loss.
    """

    def draw(axes: "Axes", metric: str) -> None:
        for i, (name, histories) in enumerate(groups.items()):
            seeds = [[row[metric] for row in rows if metric in row] for rows in histories]
            if not (seeds := list(filter(None, seeds))):
                continue
            line: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "zorder": 3 - 0.1 * i}
            for values in seeds if len(seeds) > 1 else []:
                axes.plot(range(1, len(values) + 1), values, linewidth=0.8, alpha=0.35, **line)
            mean = np.mean([values[: min(map(len, seeds))] for values in seeds], axis=0)
            best = mean.argmax() if higher_is_better(metric) else mean.argmin()
            label, epochs = style.truncated(name, 95), range(1, len(mean) + 1)
            axes.plot(epochs, mean, "o-", markevery=[best], label=label, **line)
        axes.set_title(metric)
        if metric.endswith("loss"):
            scale_loss(axes)

    first = next((rows[0] for group in groups.values() for rows in group if rows), {})
    n_columns = 2 if max(map(len, groups)) <= 45 else 1
    height = 3.3 + 0.22 * -(-len(groups) // n_columns)
    return _over_epochs(with_companion(metric, first), draw, height, n_columns)


def with_companion(metric: str, row: Mapping[str, float]) -> list[str]:
    """Return a metric and its companion: of a loss the first score, of a score the loss."""
    part, _, kind = metric.partition("/")
    companions = _scores(row, part)[:1] if kind == "loss" else ["loss"]
    return [metric, *(f"{part}/{companion}" for companion in companions)]


def _scores(row: Mapping[str, float], part: str) -> list[str]:
    """Return the metrics of a part of the data besides the loss."""
    kinds = [key.partition("/")[2] for key in row if key.startswith(f"{part}/")]
    return [kind for kind in kinds if kind not in ("loss", "penalty")]


def _over_epochs(
    metrics: Sequence[str], draw: Callable[["Axes", str], None], height: float, n_columns: int
) -> "Figure":
    """Return a panel for each metric, over whole epochs, with a common legend below."""
    from matplotlib.ticker import MaxNLocator

    figure, panels = style.subplots(height, 1, len(metrics), squeeze=False)
    for axes, metric in zip(panels.flat, metrics, strict=True):
        draw(axes, metric)
        axes.set_xlabel("epoch")
        ticks = MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
        axes.xaxis.set_major_locator(ticks)
    lines = panels.flat[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower center", ncols=n_columns)
    return figure


def scale_loss(axes: "Axes") -> None:
    """Make the y axis logarithmic if the loss falls a long way."""
    low, high = axes.dataLim.intervaly
    if 0 < 3 * low < high:
        scale_log(axes)


def scale_log(axes: "Axes") -> None:
    """Make the y axis logarithmic, with plain numbers on it."""
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = axes.dataLim.intervaly
    axes.set_yscale("log")
    between = (1, 2, 3, 5, 7) if high < 30 * low else (1, 2, 5) if high < 300 * low else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=between))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
