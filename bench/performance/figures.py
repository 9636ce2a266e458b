"""The figures of docs/performance.md, as SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bench.performance.loads import LOADS, LR
from bench.performance.peers import PEERS
from mlp.reports.figure_style import BLUE, GREEN, GREY, ORANGE, PINK, new_figure, styled

FLOOR = "matrix products"
LOOKS = {  # ours is filled
    "ours": {"color": BLUE, "marker": "o", "s": 55, "zorder": 4},
    "JAX jit": {"edgecolor": ORANGE, "marker": "s", "s": 40, "facecolor": "white", "zorder": 3},
    "PyTorch eager": {"edgecolor": GREEN, "marker": "^", "s": 45, "facecolor": "white"},
    "scikit-learn": {"edgecolor": PINK, "marker": "D", "s": 32, "facecolor": "white"},
}


def save(figure: Figure, path: Path) -> None:
    """Write a figure, the same bytes for the same figures."""
    with styled():
        figure.savefig(path, metadata={"Date": None})


@styled()
def steps_figure(rows: Sequence[dict[str, Any]]) -> Figure:
    """Each peer's epoch, in units of the time that the matrix products alone take."""
    found = {(row["load"], row["optimizer"], row["peer"]): row["seconds"] for row in rows}
    loads = [load for load in LOADS if any(key[0] == load for key in found)]
    figure = new_figure(1.3 + 0.42 * len(loads))
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, optimizer in zip(axes, LR, strict=True):
        for peer in (peer for peer in PEERS if peer != FLOOR):
            points = [
                (seconds / found[load, optimizer, FLOOR], i)
                for i, load in enumerate(loads)
                if (seconds := found.get((load, optimizer, peer)))
            ]
            if points:
                ax.scatter(*zip(*points, strict=True), label=peer, **LOOKS[peer], linewidths=1.5)
        ax.axvline(1, color=GREY)
        ax.set(title=optimizer, xscale="log", xlabel="time, in matrix products alone")
        ax.set_yticks(range(len(loads)), [f"{load}  {LOADS[load]}" for load in loads])
        ax.set_xticks(ticks := [1, 2, 3, 5, 10, 20, 40], [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    ax.set_ylim(len(loads) - 0.5, -0.5)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=len(PEERS))
    return figure


@styled()
def growth_figure(rows: Sequence[dict[str, Any]]) -> Figure:
    """Seconds and memory against size, a pair of axes for each thing that grows."""
    figure = new_figure(4.4)
    axes = figure.subplots(2, len(rows), sharex="col", sharey="row", squeeze=False)
    for column, row in zip(axes.T, rows, strict=True):
        n = [point["n"] for point in row["points"]]
        for ax, name, colour in zip(column, ("seconds", "mb"), (BLUE, ORANGE), strict=True):
            values = [point[name] for point in row["points"]]
            ax.loglog(n, values, "o-", color=colour, ms=4)
            ax.plot(n, [values[-1] * size / n[-1] for size in n], ":", color=GREY, lw=1)
        column[0].set_title(row["axis"], fontsize=9)
    seconds = [point["seconds"] for row in rows for point in row["points"]]
    memory = [point["mb"] for row in rows for point in row["points"]]
    axes[1, 0].set_yticks(ticks := [30, 50, 100, 200, 500, 1000, 2000], map(str, ticks))
    axes[1, 0].minorticks_off()
    axes[0, 0].set(ylabel="seconds", ylim=(min(seconds) / 2, max(seconds) * 2))
    axes[1, 0].set(ylabel="MB at most", ylim=(min(memory) / 2, max(memory) * 2))
    figure.supxlabel("how many; dotted: in proportion", fontsize=9)
    return figure
