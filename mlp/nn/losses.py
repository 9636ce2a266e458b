"""Losses: value, output activation, and the delta of the output layer.

A loss owns the activation of the output layer, for the two belong together: softmax exists only
with its cross-entropy. It reads the pre-activations ``z`` of the last layer (the logits) and
targets ``t``, one row an example. Its value and its gradient are means over the batch, in which a
row counts as much as the weight of its class says.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

import numpy as np

from mlp.base import fraction, positive
from mlp.nn.activations import get_activation
from mlp.nn.layers import Buffers


@dataclass
class LossBuffers(Buffers):
    """Targets, outputs, δ and scratch, of shape (n_batch, n_out); columns."""

    t: np.ndarray
    a: np.ndarray
    dz: np.ndarray
    scratch: np.ndarray
    column: np.ndarray  # (n_batch, 1)
    weights: np.ndarray  # (n_batch, 1), of the rows, with mean 1; ones without class weights
    ones: np.ndarray  # (1, n_out)
    class_weights: np.ndarray  # (1, n_classes)
    row_numbers: np.ndarray  # (n_batch,), int64


class Loss(ABC):
    """What a network minimises.

    Attributes
    ----------
    output_activation : str
        φ of the output layer, a = φ(z); each loss names those that it is meant for.
    low, high : float
        Target values of the wrong classes and of the right one.
    gives_probabilities : bool
        Whether the outputs ``a`` estimate class probabilities, or are mere scores.
    class_weights : sequence of float or None
        Weight of a row in the means by its class, greater than 0; None weighs all alike. A mean
        is then Σ w·L / Σ w over the batch, and so is its gradient.
    """

    output_activation: str
    low: float = 0.0
    high: float = 1.0
    gives_probabilities = True
    class_weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        allowed = get_args(get_type_hints(type(self))["output_activation"])
        if self.output_activation not in allowed:
            raise ValueError(
                f"output_activation must be {' or '.join(allowed)} for {type(self).__name__}, "
                f"got {self.output_activation!r}"
            )
        positive(**{f"class_weights[{i}]": w for i, w in enumerate(self.class_weights or ())})

    def __str__(self) -> str:
        name, defaults = type(self).__name__, vars(type(self))
        settings = [f"{k}={v}" for k, v in vars(self).items() if v != defaults.get(k)]
        return f"{name}({', '.join(settings)})" if settings else name

    def check(self, n_classes: int) -> None:
        """Raise ValueError unless the loss fits data of so many classes."""
        if self.class_weights is not None and len(self.class_weights) != n_classes:
            raise ValueError(
                f"class_weights must have one weight for each of the {n_classes} classes, "
                f"got {len(self.class_weights)}"
            )

    def buffers(self, n_batch: int, n_out: int, dtype: np.dtype) -> LossBuffers:
        """Return new buffers for ``forward`` and ``backward`` on batches of ``n_batch`` rows."""
        t, a, dz, scratch = (np.empty((n_batch, n_out), dtype) for _ in range(4))
        column = np.empty((n_batch, 1), dtype)
        weights, ones = np.ones((n_batch, 1), dtype), np.ones((1, n_out), dtype)
        class_weights = np.array([self.class_weights or ()], dtype)
        row_numbers = np.arange(n_batch)
        return LossBuffers(t, a, dz, scratch, column, weights, ones, class_weights, row_numbers)

    def target_values(self, n_out: int) -> tuple[float, float]:
        """Return the targets of a wrong class and of the right one, among ``n_out`` outputs."""
        return self.low, self.high

    def set_targets(self, y: np.ndarray, ws: LossBuffers) -> None:
        """Write the targets into ``ws.t``, and the weights of the classes' rows.

        Parameters
        ----------
        y : ndarray of shape (n_batch,), int64, or (n_batch, n_out)
            Class indices, of two classes for a single output; or numbers, the targets themselves.

        Raises
        ------
        ValueError
            When a label is not one of the classes.
        """
        if y.ndim == 2:
            np.copyto(ws.t, y)
            return
        n_out = ws.t.shape[1]
        low, high = self.target_values(n_out)
        ws.t.fill(low)
        try:
            if n_out == 1:
                np.take(np.array([low, high], ws.t.dtype), y, out=ws.t[:, 0])
            else:
                ws.t[ws.row_numbers, y] = high
        except IndexError:
            raise ValueError(f"labels must be 0 to {max(n_out - 1, 1)}, got {y.max()}") from None
        if self.class_weights is not None:
            np.take(ws.class_weights[0], y, out=ws.weights[:, 0], mode="clip")
            ws.weights /= np.mean(ws.weights)

    def _weighted(self, rows: np.ndarray, ws: LossBuffers, out: np.ndarray) -> np.ndarray:
        """Return ``rows`` times their weights, written into ``out``; as they are without any."""
        return rows if self.class_weights is None else np.multiply(rows, ws.weights, out=out)

    @abstractmethod
    def forward(self, z: np.ndarray, ws: LossBuffers) -> float:
        """Return the mean loss of a batch, and leave a = φ(z) in ``ws.a``.

        Parameters
        ----------
        z : ndarray of shape (n_batch, n_out)
            Pre-activations of the output layer; not changed.
        ws : LossBuffers
            ``ws.t`` holds the targets, of shape (n_batch, n_out).
        """

    def backward(self, ws: LossBuffers) -> np.ndarray:
        """Return δ = dL/dz of the output layer, already divided by the batch size.

        Here δ = (a − t) / n_batch, times the row's weight: so it is wherever the output activation
        is the canonical one of the loss (softmax or sigmoid with cross-entropy; Bishop 2006,
        section 5.2).

        Returns
        -------
        ndarray of shape (n_batch, n_out)
            ``ws.dz``, valid until the next ``forward``.
        """
        np.subtract(ws.a, ws.t, out=ws.dz)
        ws.dz *= 1.0 / len(ws.dz)
        return self._weighted(ws.dz, ws, out=ws.dz)


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Loss):
    """L = −(1/n) Σ t·log softmax(z), computed from z as log Σ exp(z − max z) − t·(z − max z).

    Parameters
    ----------
    output_activation : {"softmax"}
    label_smoothing : float
        ε in [0, 1): a share ε of the target is spread over all C classes, so that the right one
        has 1 − ε + ε/C and each other ε/C (Szegedy et al. 2016, section 7). In validation too.
    class_weights : sequence of float or None
    """

    output_activation: Literal["softmax"] = "softmax"
    label_smoothing: float = 0.0
    class_weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(label_smoothing=self.label_smoothing)

    def target_values(self, n_out: int) -> tuple[float, float]:
        """Return ε/C and 1 − ε + ε/C."""
        low = self.label_smoothing / n_out
        return low, 1 - self.label_smoothing + low

    def forward(self, z: np.ndarray, ws: LossBuffers) -> float:
        """Return the mean cross-entropy; ``ws.a`` gets the class probabilities."""
        np.maximum.reduce(z, axis=1, keepdims=True, out=ws.column)
        np.subtract(z, ws.column, out=ws.a)
        of_targets = float(np.vdot(self._weighted(ws.t, ws, out=ws.scratch), ws.a))
        np.exp(ws.a, out=ws.a)
        np.dot(ws.a, ws.ones.T, out=ws.column)  # a product sums faster than NumPy's sum
        ws.a /= ws.column
        np.log(ws.column, out=ws.column)
        return (float(np.vdot(ws.weights, ws.column)) - of_targets) / len(z)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """L = −(1/n) Σ [t·log σ(z) + (1 − t)·log(1 − σ(z))], a sum over independent sigmoid outputs.

    Computed from z as max(z, 0) − t·z + log(1 + exp(−|z|)), which neither overflows nor cancels.

    Parameters
    ----------
    output_activation : {"sigmoid"}
    label_smoothing : float
        ε in [0, 1): targets are ε/2 and 1 − ε/2, for each output tells two classes apart. In
        validation too.
    class_weights : sequence of float or None
    """

    output_activation: Literal["sigmoid"] = "sigmoid"
    label_smoothing: float = 0.0
    class_weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(label_smoothing=self.label_smoothing)

    def target_values(self, n_out: int) -> tuple[float, float]:
        """Return ε/2 and 1 − ε/2."""
        return self.label_smoothing / 2, 1 - self.label_smoothing / 2

    def forward(self, z: np.ndarray, ws: LossBuffers) -> float:
        """Return the mean over the batch of the summed binary cross-entropies."""
        np.abs(z, out=ws.a)
        np.negative(ws.a, out=ws.a)
        np.exp(ws.a, out=ws.a)
        np.log1p(ws.a, out=ws.a)
        total = float(np.sum(self._weighted(ws.a, ws, out=ws.a)))
        np.maximum(z, 0, out=ws.a)
        np.multiply(ws.t, z, out=ws.scratch)
        ws.a -= ws.scratch
        total += float(np.sum(self._weighted(ws.a, ws, out=ws.a)))
        get_activation("sigmoid").forward(z, ws.a, ws.scratch)
        return total / len(z)


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """L = (1/n) Σ ½‖a − t‖², over identity, sigmoid, tanh or scaled tanh outputs.

    The ½ makes ∇L = a − t, as in the derivation; the squares are summed over the outputs and
    averaged over the batch.

    Parameters
    ----------
    output_activation : {"identity", "sigmoid", "tanh", "scaled_tanh"}
    low, high : float
        Target values of the wrong classes and of the right one; -1 and 1 suit tanh.
    class_weights : sequence of float or None
    """

    output_activation: Literal["identity", "sigmoid", "tanh", "scaled_tanh"] = "sigmoid"
    low: float = 0.0
    high: float = 1.0
    class_weights: Sequence[float] | None = None

    gives_probabilities = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise ValueError(f"low must be less than high, got {self.low:g} and {self.high:g}")

    def forward(self, z: np.ndarray, ws: LossBuffers) -> float:
        """Return the mean of the halved squared errors; ``ws.a`` gets φ(z)."""
        get_activation(self.output_activation).forward(z, ws.a, ws.scratch)
        np.subtract(ws.a, ws.t, out=ws.dz)
        return 0.5 * float(np.vdot(self._weighted(ws.dz, ws, out=ws.scratch), ws.dz)) / len(z)

    def backward(self, ws: LossBuffers) -> np.ndarray:
        """Return δ = (a − t) ⊙ φ′(z) / n_batch, weighted; φ′ of these activations is had from a."""
        np.subtract(ws.a, ws.t, out=ws.dz)
        get_activation(self.output_activation).backward(ws.a, ws.a, ws.dz, ws.scratch)
        ws.dz *= 1.0 / len(ws.dz)
        return self._weighted(ws.dz, ws, out=ws.dz)
