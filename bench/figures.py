"""Draw the figures of docs/backpropagation.md into docs/img.

    python bench/figures.py [FOLDER]

Blue is the forward pass, orange the backward pass. Whatever looks like data is data: the network
of ``network.svg`` is trained here, and ``gradient_check.svg`` shows measured errors.
"""

import sys
from itertools import pairwise, product
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from mlp.base import generator
from mlp.data import Batches, Mnist5k
from mlp.nn import MLP, Network, SoftmaxCrossEntropy
from mlp.nn.optimizers import SGD

INK, GREY, PALE, PAPER = "#1f2933", "#7b8794", "#d5dae0", "#f4f6f8"
FORWARD, BACKWARD = "#1f6fb2", "#d9601a"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "mathtext.fontset": "cm",
    "text.color": INK,
    "axes.edgecolor": GREY,
    "image.interpolation": "none",
    "svg.hashsalt": "mlp",  # the same bytes every time
}
CENTRED = {"ha": "center", "va": "center", "zorder": 5}

Point = tuple[float, float]
Layers = dict[str, list[Point]]
Edge = tuple[Point, Point, str]


def main(folder: Path) -> None:
    """Draw every figure into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for draw in (network, paths, computation_graph, gradient_check):
            draw().savefig(folder / f"{draw.__name__}.svg", metadata={"Date": None})


# --- The digit recogniser, trained -------------------------------------------------------------


def network() -> Figure:
    """784 → 128 → 10: a real digit goes in, its class probabilities come out."""
    x, a1, a2, digit = recognise_a_digit()
    figure, ax = canvas(10, 5.2)
    ax.imshow(x.reshape(28, 28), cmap="gray_r", extent=(0.25, 2.05, 1.95, 3.75))
    ax.add_patch(Rectangle((0.25, 1.95), 1.8, 1.8, fill=False, ec=GREY, lw=1))
    arrow(ax, (2.15, 2.85), (2.75, 2.85), FORWARD)

    row = x[14 * 28 : 15 * 28]  # of pixels, across the middle of the image
    inputs = column(ax, 3.0, row[1::3], "gray_r", gap=5)
    hidden = column(ax, 5.6, a1[:8], "Blues", gap=4)
    outputs = column(ax, 8.0, a2, "Blues")
    connect(ax, inputs, hidden)
    connect(ax, hidden, outputs)
    for k, (_, y) in enumerate(outputs):
        colour = FORWARD if k == digit else GREY
        ax.text(8.3, y, str(k), color=colour, **CENTRED)
        ax.add_patch(Rectangle((8.46, y - 0.09), a2[k] + 0.01, 0.18, color=colour))
        if a2[k] > 0.05:
            ax.text(8.54 + a2[k], y - 0.01, f"{a2[k]:.2f}", va="center", color=colour, fontsize=10)

    names = ("one digit", "input $x$", "hidden layer $a_1$", "output layer $a_2$")
    sizes = ("28 × 28 pixels", "784 pixels", "128 units", "10 probabilities")
    for left, name, size in zip((1.15, 3.0, 5.6, 8.4), names, sizes, strict=True):
        ax.text(left, 0.47, name, fontsize=12, **CENTRED)
        ax.text(left, 0.2, size, fontsize=10, color=GREY, **CENTRED)
    label(ax, (4.3, 2.85), "$W_1$: 784 × 128\n$b_1$: 128", INK)
    label(ax, (6.8, 2.85), "$W_2$: 128 × 10\n$b_2$: 10", INK)
    return figure


def recognise_a_digit() -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Train for ten epochs; return a test digit's pixels, its a_1 and a_2, and its class."""
    source = Mnist5k()
    parts = source.parts(source.load(), seed=0)
    net = MLP(hidden_sizes=[128]).build(784, 10, SoftmaxCrossEntropy(), generator(0, "init"))
    sgd, ws = SGD(lr=0.1), net.workspace(50)
    sgd.bind(net.params, net.grads, net.n_decayed)
    for epoch in range(1, 11):
        rng = generator(0, "shuffle", epoch)
        for x, y in Batches(parts.train, 50).shuffled(rng):
            net.loss_and_gradients(x, y, ws.rows(len(x)), rng)
            sgd.step(sgd.lr)

    x, y = next(Batches(parts.test, len(parts.test)).in_order())
    ws = net.workspace(len(x))
    net.mean_loss(x, y, ws)
    a1 = np.maximum(x @ net.layers[0].W + net.layers[0].b, 0)
    row = 361  # a digit that is recognised, though not beyond doubt
    return x[row], a1[row], ws.loss.a[row], int(y[row])


# --- The chain rule along the paths of a small network -----------------------------------------


def paths() -> Figure:
    """3 → 2 → 2 twice: what a pre-activation gathers, and what a hidden delta gathers."""
    figure, ax = canvas(10, 4.2)
    x, a, z = ([(left, 2.1 + dy) for dy in dys] for left, dys in SMALL_NETWORK)
    panel(
        ax,
        "Forward: along the weights that come in",
        r"$z_2[1] = a_1[0]\,W_2[0,1] + a_1[1]\,W_2[1,1] + b_2[1]$",
        {"x": x, "a_1": a, "z_2": z},
        [(a[0], z[1], "$W_2[0,1]$"), (a[1], z[1], "$W_2[1,1]$")],
        FORWARD,
    )
    x, a, z = ([(left + 5.2, y) for left, y in points] for points in (x, a, z))
    panel(
        ax,
        "Backward: along the weights that go out",
        r"$\delta_1[0] = (\delta_2[0]\,W_2[0,0] + \delta_2[1]\,W_2[0,1])\;\varphi_1'(z_1[0])$",
        {"x": x, r"\delta_1": a, r"\delta_2": z},
        [(z[0], a[0], "$W_2[0,0]$"), (z[1], a[0], "$W_2[0,1]$")],
        BACKWARD,
    )
    return figure


SMALL_NETWORK = ((0.6, (1.05, 0, -1.05)), (2.35, (0.525, -0.525)), (4.2, (0.525, -0.525)))


def panel(
    ax: Axes, title: str, formula: str, layers: Layers, edges: list[Edge], colour: str
) -> None:
    """Draw a small network in grey, with some edges and the units they join in colour."""
    for tails, heads in pairwise(layers.values()):
        connect(ax, tails, heads)
    lit = {point for tail, head, _ in edges for point in (tail, head)}
    for name, points in layers.items():
        for i, point in enumerate(points):
            on = point in lit
            ax.add_patch(Circle(point, 0.3, fc="white", ec=colour if on else PALE, lw=2, zorder=3))
            ax.text(*point, f"${name}[{i}]$", color=INK if on else GREY, **CENTRED)
    for tail, head, weight in edges:
        arrow(ax, tail, head, colour, shrink=22)
        label(ax, ((tail[0] + head[0]) / 2, (tail[1] + head[1]) / 2), weight, colour)
    middle = (points[0][0] + layers["x"][0][0]) / 2
    ax.text(middle, 3.95, title, color=colour, fontsize=12, fontweight="bold", **CENTRED)
    ax.text(middle, 0.3, formula, fontsize=13, **CENTRED)


# --- The computation graph of a batch ----------------------------------------------------------

OPERATIONS = ((1.7, "·"), (3.2, "+"), (5.0, r"\varphi"), (6.8, "·"), (8.3, "+"), (10.1, "L"))
LAYERS = ((1.7, 3.2, "Dense"), (5, 5, "Activation"), (6.8, 8.3, "Dense"), (10.1, 10.1, "Loss"))
ALONG = (  # what flows between the operations: value, gradient, shape
    ("x", "", "$N$ × 784"),
    ("x W_1", r"\delta_1", "$N$ × 128"),
    ("z_1", r"\delta_1", "$N$ × 128"),
    ("a_1", "da_1", "$N$ × 128"),
    ("a_1 W_2", r"\delta_2", "$N$ × 10"),
    ("z_2", r"\delta_2", "$N$ × 10"),
    ("L", "1", "scalar"),
)
FROM_ABOVE = (
    (1.7, "W_1", "dW_1", "784 × 128"),
    (3.2, "b_1", "db_1", "128"),
    (6.8, "W_2", "dW_2", "128 × 10"),
    (8.3, "b_2", "db_2", "10"),
    (10.1, "t", "", "$N$ × 10"),
)


def computation_graph() -> Figure:
    """Operations as circles; on every edge the array, its gradient, and the shape of both."""
    figure, ax = canvas(11.8, 4.3)
    y = 1.95
    for left, right, name in LAYERS:
        style = {"boxstyle": "round,pad=0.42,rounding_size=0.12", "fc": PAPER, "ec": PALE}
        ax.add_patch(FancyBboxPatch((left, y - 0.3), right - left, 0.75, **style))
        ax.text((left + right) / 2, y - 0.93, name, family="monospace", fontsize=10, **CENTRED)
    for x, sign in OPERATIONS:
        ax.add_patch(Circle((x, y), 0.27, fc="white", ec=INK, lw=1.5, zorder=3))
        ax.text(x, y, f"${sign}$", fontsize=16, **CENTRED)

    stops = pairwise([0.0, *(x for x, _ in OPERATIONS), 11.8])
    for (value, gradient, shape), (tail, head) in zip(ALONG, stops, strict=True):
        x = (tail + head) / 2
        there_and_back(ax, (tail + 0.3, y), (head - 0.3, y), (0, 0.08), bool(gradient))
        ax.text(x, y + 0.6, shape, fontsize=9.5, **CENTRED)
        math(ax, x, y + 0.29, value, FORWARD)
        math(ax, x, y - 0.31, gradient, BACKWARD)
    for x, value, gradient, shape in FROM_ABOVE:
        there_and_back(ax, (x, 3.45), (x, y + 0.3), (-0.08, 0), bool(gradient))
        ax.text(x, 4.0, shape, fontsize=9.5, **CENTRED)
        math(ax, x - 0.2 * bool(gradient), 3.64, value, FORWARD)
        math(ax, x + 0.25, 3.64, gradient, BACKWARD)
    ax.text(0.3, 0.3, "→ forward: a value", color=FORWARD)
    ax.text(2.4, 0.3, "← backward: dL / d(value), of the same shape", color=BACKWARD)
    return figure


def there_and_back(ax: Axes, tail: Point, head: Point, shift: Point, back: bool) -> None:
    """Draw an edge of the graph: the value goes forward, its gradient comes back beside it."""
    (x0, y0), (x1, y1), (dx, dy) = tail, head, shift if back else (0, 0)
    arrow(ax, (x0 + dx, y0 + dy), (x1 + dx, y1 + dy), FORWARD)
    if back:
        arrow(ax, (x1 - dx, y1 - dy), (x0 - dx, y0 - dy), BACKWARD)


def math(ax: Axes, x: float, y: float, tex: str, colour: str) -> None:
    """Write a formula, if there is one."""
    ax.text(x, y, f"${tex}$" if tex else "", color=colour, fontsize=13, **CENTRED)


# --- Central differences -----------------------------------------------------------------------


def gradient_check() -> Figure:
    """The relative error of central differences against their step h, measured."""
    steps = np.logspace(-12, 0, 49)
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    ax = figure.add_subplot(xlabel="step $h$", ylabel="relative error", ylim=(1e-12, 1e2))
    x, y = generator(0, "x").normal(size=(8, 4)), np.arange(8) % 3
    for dtype, colour, name_at in (("float64", FORWARD, 6e-5), ("float32", BACKWARD, 3)):
        model = MLP(hidden_sizes=[5], activation="tanh", dtype=dtype)
        net = model.build(4, 3, SoftmaxCrossEntropy(), generator(0, "init"))
        net.loss_and_gradients(x.astype(dtype), y, net.workspace(8), generator(0, "dropout"))
        numeric = [central_differences(net, x.astype(dtype), y, h) for h in steps]
        errors = [np.linalg.norm(g - net.grads) / np.linalg.norm(net.grads) for g in numeric]
        ax.loglog(steps, errors, "o-", ms=3.5, lw=1.2, color=colour)
        ax.text(1.3e-10, name_at, dtype, color=colour, fontweight="bold")
    ax.text(1e-8, 3e-10, "rounding: $\\varepsilon / h$", ha="center", color=GREY, fontsize=12)
    ax.text(2e-2, 1e-8, "cut-off: $h^2$", ha="center", color=GREY, fontsize=12)
    ax.grid(color=PALE, lw=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def central_differences(net: Network, x: np.ndarray, y: np.ndarray, h: float) -> np.ndarray:
    """Return dL/d(params), each element from two evaluations of the loss."""
    ws = net.workspace(len(x))
    gradient = np.empty(net.params.shape)
    for i, p in enumerate(net.params.copy()):
        net.params[i] = p + h
        above = net.mean_loss(x, y, ws)
        net.params[i] = p - h
        gradient[i] = (above - net.mean_loss(x, y, ws)) / (2 * h)
        net.params[i] = p
    return gradient


# --- Drawing -----------------------------------------------------------------------------------


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure whose coordinates are inches, and its invisible axes."""
    figure = Figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.axis("off")
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal", autoscale_on=False)
    return figure, ax


def column(
    ax: Axes, x: float, values: np.ndarray, cmap: str, gap: int | None = None
) -> list[Point]:
    """Draw units shaded by their values, with dots before unit ``gap``; return their centres."""
    ys = list(np.linspace(4.85, 1.05, len(values) + (gap is not None)))
    if gap is not None:
        dots = ys.pop(gap)
        ax.plot([x] * 3, [dots - 0.1, dots, dots + 0.1], "o", color=INK, ms=3)
    shades = mpl.colormaps[cmap](0.85 * values / values.max())
    for y, shade in zip(ys, shades, strict=True):
        ax.add_patch(Circle((x, y), 0.14, fc=shade, ec=INK, lw=1, zorder=3))
    return [(x, y) for y in ys]


def connect(ax: Axes, tails: list[Point], heads: list[Point]) -> None:
    """Draw every connection between two layers."""
    for (x0, y0), (x1, y1) in product(tails, heads):
        ax.plot((x0, x1), (y0, y1), color=PALE, lw=0.7, zorder=1)


def arrow(ax: Axes, tail: Point, head: Point, colour: str, shrink: float = 0) -> None:
    """Draw an arrow, with ``shrink`` points left free at both ends."""
    style = {"arrowstyle": "-|>,head_width=0.22,head_length=0.45", "color": colour, "lw": 1.6}
    ax.annotate("", head, tail, arrowprops=style | {"shrinkA": shrink, "shrinkB": shrink})


def label(ax: Axes, centre: Point, text: str, colour: str) -> None:
    """Write on top of lines."""
    ax.text(*centre, text, color=colour, **CENTRED, bbox={"fc": "white", "ec": "none", "pad": 2})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "img")
