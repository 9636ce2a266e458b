"""What comes before a network: an array scaled, or the columns of a table made its inputs."""

import numpy as np

from mlp.data import Column, Deskewer, DeskewingScaler, Scaler, TablePreprocessing
from mlp.onnx.graph import Graph, Value


def add_inputs(graph: Graph, scaler: Scaler | TablePreprocessing, dtype: np.dtype) -> Value:
    """Declare the raw inputs and return those of a network of that dtype.

    Raises
    ------
    ValueError
        When a column has the name of an output, or the preprocessing is not one of ours.
    """
    if isinstance(scaler, TablePreprocessing):
        return _table(graph, scaler).cast(dtype)
    if type(scaler) not in (Scaler, DeskewingScaler):
        raise ValueError(f"the preprocessing {type(scaler).__name__} is not one of mlp's own")
    x = graph.input("x", dtype, scaler.n_in)
    if isinstance(scaler, DeskewingScaler):
        x = _deskewed(x, *scaler.image_shape)
    return (x - scaler.shift.astype(dtype)) * scaler.factor.astype(dtype)


def _deskewed(x: Value, height: int, width: int) -> Value:
    """Shear images as `Deskewer` does: row r is read at c + lean·(r − mean row), linearly."""
    lean, middle = _lean(x, height, width)
    rows = np.arange(height, dtype=x.dtype) - (height - 1) / 2
    shift = lean * (middle * -1.0 + rows)  # (n, height)
    to_column, from_column = np.indices((width, width), x.dtype)[::-1]
    distance = shift.to("Reshape", np.array([-1, height, 1, 1])) + (to_column - from_column)
    share = (distance.to("Abs") * -1.0 + 1.0).to("Relu")  # of the one pixel in the other
    pixels = x.to("Reshape", np.array([-1, height, 1, width]))
    return pixels.to("MatMul", share).to("Reshape", np.array([-1, height * width]))


def _lean(x: Value, height: int, width: int) -> tuple[Value, Value]:
    """Return the columns a row that each image leans by, and its mean row, of shape (n, 1)."""
    grid = np.indices((height, width), x.dtype).reshape(2, -1, 1)
    r, c = grid - np.array([[height - 1], [width - 1]], x.dtype)[:, None] / 2
    infinity = x.dtype.type(np.inf)
    ink = x.to("Gemm", np.ones_like(r))
    ink = ink.to("Greater", 0.0, dtype=bool).to("Where", ink, infinity, dtype=x.dtype)
    mean_r, mean_c, mean_rc, mean_rr = (x.to("Gemm", of) / ink for of in (r, c, r * c, r * r))
    variance = mean_rr - mean_r * mean_r
    varies = variance.to("Greater", Deskewer.least_variance, dtype=bool)
    lean = (mean_rc - mean_r * mean_c) / varies.to("Where", variance, infinity, dtype=x.dtype)
    return lean.to("Clip", -Deskewer.steepest, Deskewer.steepest), mean_r


def _table(graph: Graph, table: TablePreprocessing) -> Value:
    raw = [_column(graph, column) for column in table.columns]
    inputs = list[Value]()
    for column, x, median, flag in zip(
        table.columns, raw, table.medians, table.flagged, strict=True
    ):
        unknown = x.to("IsNaN", dtype=bool)
        inputs += [_expanded(column, x, unknown, median)]
        inputs += [unknown.cast(np.float64)] if flag else []
    first, *others = inputs
    x = (first.to("Concat", *others, axis=1) - table.shift) * table.factor
    if table.scale == "robust":
        third = x / 3.0
        x = x / (third * third + 1.0).to("Sqrt")
    return x.cast(np.float32)


def _column(graph: Graph, column: Column) -> Value:
    """Declare a column and return it as `Column.encode` does, but NaN for an unknown category."""
    if column.kind != "categorical":
        return graph.input(column.name, np.float64, 1)
    return graph.input(column.name, object, 1).to(
        "LabelEncoder",
        dtype=np.float64,
        domain="ai.onnx.ml",
        keys_tensor=np.array(column.categories, object),
        values_tensor=np.arange(len(column.categories), dtype=np.float64),
        default_tensor=np.array([np.nan]),
    )


def _expanded(column: Column, x: Value, unknown: Value, median: np.float64) -> Value:
    """Return the inputs of a column before they are scaled, as `TablePreprocessing` has them."""
    if column.kind == "numeric":
        return unknown.to("Where", median, x, dtype=np.float64)
    if column.kind == "categorical" and len(column.categories) != 2:
        indices = np.arange(len(column.categories), dtype=np.float64)
        return x.to("Equal", indices, dtype=bool).cast(np.float64)
    return unknown.to("Where", np.float64(0), x * 2.0 - 1.0, dtype=np.float64)
