"""Width, colours and axes that all figures share; pyplot and its global state are not used."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlp.base import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.0  # inches; at DPI dots an inch still sharp when a page shows it 800 pixels wide
DPI = 120
BLUE, ORANGE, GREY = "#2f6db3", "#e07b28", "#666666"


def subplots(height: float, *shape: int, **options: Any) -> tuple["Figure", Any]:
    """Return a new figure, ``height`` inches high, and its axes, as pyplot's function does."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained", facecolor="white")
    return figure, figure.subplots(*shape, **options)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a PNG that is never seen half-written; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as unfinished:
        figure.savefig(unfinished, format="png")


def despine(axes: "Axes") -> None:
    """Remove the frame's upper and right side, which say nothing."""
    axes.spines[["top", "right"]].set_visible(False)


def slanted(angle: int) -> dict[str, Any]:
    """Return the properties of tick labels that would overlap if they were horizontal."""
    return {"rotation": angle, "ha": "right", "rotation_mode": "anchor"}


def truncated(name: str, longest: int = 14) -> str:
    """Return a name that fits its place."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


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
