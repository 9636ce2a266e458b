"""The style that all figures share; pyplot and its global state are not used."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlp.base import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 8.0  # inches; at DPI dots an inch still sharp when a page shows it 800 pixels wide
DPI = 120
# Okabe & Ito 2008, told apart by the colour-blind; ORANGE is their vermilion, legible on white.
BLUE, ORANGE, GREEN, PINK, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"
GREY, INK = "#666666", "#222222"
# The paper is opaque: transparent figures lose the ink of their images on a dark page.
STYLE: dict[Any, Any] = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "figure.titlesize": 11,
    "font.size": 10,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of this project; as ``@styled()`` it decorates a function that draws."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        yield


def subplots(height: float, *shape: int, **options: Any) -> tuple["Figure", Any]:
    """Return a new figure, ``height`` inches high, and its axes, as pyplot's function does."""
    figure = new_figure(height)
    return figure, figure.subplots(*shape, **options)


def new_figure(height: float) -> "Figure":
    """Return a figure without axes, ``height`` inches high."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a PNG that is never seen half-written; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with styled(), atomic_write(path) as unfinished:  # ticks are made when they are drawn
        figure.savefig(unfinished, format="png")


def slanted(angle: int) -> dict[str, Any]:
    """Return the properties of tick labels that would overlap if they were horizontal."""
    return {"rotation": angle, "ha": "right", "rotation_mode": "anchor"}


def truncated(name: str, longest: int = 14) -> str:
    """Return a name that fits its place: long ones differ at their beginning or at their end."""
    n_end = longest // 3
    return name if len(name) <= longest else f"{name[: longest - n_end - 1]}…{name[-n_end:]}"


def tiled(images: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """Lay images of shape (n, height, width) out in one array, NaN between them.

    One large image is drawn many times faster than many small ones.
    """
    n, height, width = images.shape
    rows = -(-n // columns)
    cells = np.full((rows, columns, height + gap, width + gap), np.nan, np.float32)
    cells.reshape(-1, height + gap, width + gap)[:n, :height, :width] = images
    canvas = cells.transpose(0, 2, 1, 3).reshape(rows * (height + gap), columns * (width + gap))
    return canvas[:-gap, :-gap]
