"""One example's way through a network and back, on a page of the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent, wrap

import numpy as np
from rich.console import Console as Terminal

from mlp.data import Column, decode_row
from mlp.nn import (
    Activation,
    BatchNorm,
    BinaryCrossEntropy,
    Dense,
    LayerTrace,
    MeanSquaredError,
    Scale,
    SoftmaxCrossEntropy,
    Trace,
)

WIDTH = 80
MAX_OUTPUTS = 10  # the largest of more
MAX_TERMS = 3  # of a sum
MAX_HIDDEN = 3  # layers; of more, those in the middle are left out
MAX_ROW_LINES = 4  # of a table's cells
MAX_LINES = 16  # for an image whose pixels are two characters wide; else two pixels share one
SHADES = " .:-=+*#%@"
DISAGREEMENT = (
    "    They differ: some backward is not the derivative of its forward, or ε met a kink"
)
FORMULAS = {
    SoftmaxCrossEntropy: "−Σ t·log a = ",
    BinaryCrossEntropy: "−Σ [t·log a + (1 − t)·log(1 − a)] = ",
    MeanSquaredError: "½ Σ (a − t)² = ",
}


@dataclass(frozen=True)
class Example:
    """An example in the user's terms.

    Attributes
    ----------
    title : str
        Which it is, of which run.
    raw : ndarray of shape (n_features,)
        As the data set holds it.
    image_shape : tuple of int or None
    columns : sequence of Column or None
        Of a table.
    names : sequence of str
        Of the classes or the numbers.
    truth, answer : str
        The true class or numbers, and what is predicted.
    """

    title: str
    raw: np.ndarray
    image_shape: tuple[int, ...] | None
    columns: Sequence[Column] | None
    names: Sequence[str]
    truth: str
    answer: str


def show_explanation(
    example: Example, trace: Trace, lr: float, terminal: Terminal | None = None
) -> None:
    """Print the way forward, the loss, the way back, and the gradient and step of one weight.

    Parameters
    ----------
    example : Example
    trace : Trace
    lr : float
        The learning rate of the step.
    terminal : rich.console.Console, optional
        Standard output by default.
    """
    terminal = terminal or Terminal(markup=False, highlight=False)
    for number, (head, lines) in enumerate(_sections(example, trace, lr)):
        if number:
            terminal.print()
        terminal.print(head, style="bold", soft_wrap=True)
        for line in lines:
            terminal.print(line, soft_wrap=True)


def _sections(example: Example, trace: Trace, lr: float) -> list[tuple[str, list[str]]]:
    """Return the page as headings and the lines beneath them."""
    forward, backward = [f"x   {_largest(trace.layers[0].x)}"], list[str]()
    n_hidden = trace.layers[-1].number - 1
    left_out = range(MAX_HIDDEN, n_hidden)  # the last hidden layer is shown
    note = f"    (layers {MAX_HIDDEN} to {n_hidden - 1} are left out here)"
    for place, traced in enumerate(trace.layers):
        if traced.number not in left_out:
            forward += _forward(traced, trace.layers[-1])
            backward = _backward(place, trace.layers) + backward
        elif note not in forward:
            forward.append(note)
            backward.insert(0, note)
    verdict = f"true: {example.truth}    predicted: {example.answer}"
    formula = FORMULAS.get(type(trace.loss_function), "")
    return [
        (example.title, [*_picture(example), verdict]),
        ("Forward: [unit] value, the largest first", forward),
        (f"Output and loss: L = {formula}{_number(trace.loss)}", _outputs(example, trace)),
        ("Backward: δ = dL/dz", backward),
        ("The weight of layer 1 with the largest gradient", _weight(trace, lr)),
    ]


def _picture(example: Example) -> list[str]:
    """Return an image in characters, which are twice as high as wide; or the cells of a table."""
    if example.columns is not None:
        cells = decode_row(example.columns, example.raw)
        words = ", ".join(f"{name} {value}" for name, value in cells.items())
        return wrap(words, WIDTH, max_lines=MAX_ROW_LINES, placeholder=" ...")
    if example.image_shape is None or example.image_shape[1] > WIDTH - 4:
        return []
    image = example.raw.reshape(example.image_shape).astype(np.float64)
    if len(image) > MAX_LINES:
        image = image[: len(image) // 2 * 2].reshape(-1, 2, image.shape[1]).mean(axis=1)
    else:
        image = image.repeat(2, axis=1)
    shades = (image / (image.max() or 1.0) * (len(SHADES) - 1)).round().astype(int)
    lines = ["".join(SHADES[max(shade, 0)] for shade in row).rstrip() for row in shades]
    return dedent("\n".join(lines)).strip("\n").splitlines()


def _forward(traced: LayerTrace, last: LayerTrace) -> list[str]:
    n, layer = traced.number, traced.layer
    values = f"    {_largest(traced.y)}"
    if isinstance(layer, Dense):
        x = f"a{n - 1}" if n > 1 else "x"
        sizes = f"{layer.n_in} → {layer.n_out}"
        formula = f"z{n} = {x}·W{n}{f' + b{n}' if layer.bias else ''}    ({sizes})"
        return [formula, "    in the table below" if traced is last else values]
    zeros = np.count_nonzero(traced.y == 0)
    note = f"    ({zeros} of {len(traced.y)} are 0)" if zeros else ""
    if isinstance(layer, Activation):
        return [f"a{n} = {layer}(z{n}){note}", values]
    symbol = {Scale: "x", BatchNorm: f"z{n}"}.get(type(layer))
    return [f"{symbol} ← {layer}({symbol})" if symbol else f"a{n} = {layer}{note}", values]


def _backward(place: int, layers: Sequence[LayerTrace]) -> list[str]:
    """Return δ of a hidden dense layer, and how it comes from the δ of the next one."""
    traced, later = layers[place], layers[place + 1 :]
    if not isinstance(traced.layer, Dense) or not later:
        return []
    n = traced.number
    formula = f"δ{n} = (δ{n + 1}·W{n + 1}ᵀ)"
    for other in reversed([other for other in later if other.number == n]):
        if isinstance(other.layer, Activation):
            formula += f" ⊙ {other.layer}′(z{n})"
        else:
            formula += f", back through {other.layer}"
    return [formula, f"    {_largest(traced.dy)}"]


def _outputs(example: Example, trace: Trace) -> list[str]:
    """Return a table of the outputs, in their order; the largest and the true one of many."""
    last = trace.layers[-1]
    n, z, delta = last.number, last.y, last.dy
    names = list(example.names)
    if len(names) == len(z) + 1:
        names = names[1:]  # a single output tells how probable the second class is
    rank = np.argsort(-trace.a - (trace.t == trace.t.max()), kind="stable")
    head = [f"z{n}", f"a{n}", "t", f"δ{n} = dL/dz{n}"]
    lines = ["    " + " " * 14 + "".join(f"{word:>13}" for word in head)]
    for k in np.sort(rank[:MAX_OUTPUTS]):
        numbers = (_number(v) for v in (z[k], trace.a[k], trace.t[k], delta[k]))
        lines.append(
            f"    [{k}] {names[k][:10]:<{13 - len(str(k)) - 2}}"
            + "".join(f"{word:>13}" for word in numbers)
        )
    if len(z) > MAX_OUTPUTS:
        lines.append(f"    and {len(z) - MAX_OUTPUTS} more")
    return lines


def _weight(trace: Trace, lr: float) -> list[str]:
    """Return a weight's gradient as a product, as measured, and what a step changes."""
    weight = trace.weight
    traced, i, j = weight.traced, weight.i, weight.j
    n, x, delta = traced.number, traced.x[i], traced.dy[j]
    name, gradient = f"W{n}[{i},{j}]", f"{weight.gradient:.6g}"
    new, after = weight.value - lr * weight.gradient, trace.loss_after_step(lr)
    return [
        f"{name} = {weight.value:.6g} leads from input {i} to unit {j}, where",
        *_unit(traced, j),
        f"dL/d{name} = x[{i}]·δ{n}[{j}] = {x:.6g} · {delta:.6g} = {gradient}",
        f"measured: [L(w + ε) − L(w − ε)] / 2ε = {weight.measured:.6g}",
        *([] if weight.agrees else [DISAGREEMENT]),
        f"A step of gradient descent on this example, with lr = {lr:g}:",
        f"    {name} ← {weight.value:.6g} − {lr:g} · ({gradient}) = {new:.6g}",
        f"    and with all other parameters stepping too, L: {trace.loss:.6g} → {after:.6g}",
    ]


def _unit(traced: LayerTrace, j: int) -> list[str]:
    """Return the sum that is the pre-activation of a unit of a dense layer: its largest terms."""
    layer, n = traced.layer, traced.number
    assert isinstance(layer, Dense)
    weights = layer.W[:, j]
    rank = np.argsort(-np.abs(traced.x * weights), kind="stable")
    rank = rank[traced.x[rank] != 0]
    terms = [f"{_number(traced.x[i])}·({_number(weights[i])})" for i in rank[:MAX_TERMS]]
    if len(rank) > MAX_TERMS:
        terms.append(f"{len(rank) - MAX_TERMS} more")
    bias = f" + b{n}[{j}]" if layer.bias else ""
    return [
        f"    z{n}[{j}] = Σ x[i]·W{n}[i,{j}]{bias} = {_number(traced.y[j])}",
        f"    the sum: {' + '.join(terms)}",
    ]


def _largest(values: np.ndarray) -> str:
    """Return as many of the largest values as fit into a line, each behind its place."""
    line, rank = "", np.argsort(-np.abs(values), kind="stable")
    for count, place in enumerate(rank):
        entry = f"[{place}] {_number(values[place])}"
        room = WIDTH - 4 - (2 if count + 1 == len(rank) else 5)
        if len(line) + len(entry) > room:
            return f"{line}..."
        line += f"{entry}  "
    return line.rstrip()


def _number(value: float) -> str:
    """Return a number with four digits after the point, or as a power of ten."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4f}"
    return f"{value:.2e}"
