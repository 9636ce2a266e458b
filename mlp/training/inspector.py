"""A look inside a network from time to time; the training does not notice it.

Everything is computed on copies, from a few training rows that stay the same.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Any

import numpy as np

from mlp.base import generator
from mlp.data import Batches, Part
from mlp.nn import Activation, ActivationFunction, Dense, Layer, Maxout, Network, Optimizer
from mlp.training.epoch import EpochRunner
from mlp.training.inspection import Inspection, LayerState
from mlp.training.task_facts import facts_about

N_ROWS = 64
WORK = 400  # rows trained on for each row inspected: about 1 % of the time
N_BINS, N_BINNED = 24, 2048  # of a histogram
N_SAMPLED = 1024  # weights of a layer whose next step is computed
NO_SLOPE = 0.05  # of the activation's steepest slope


@dataclass
class _Watched:
    """A dense layer, what comes behind it, and what its outputs were like."""

    number: int
    dense: Dense
    last: Layer  # its activation; the layer itself if it has none
    faint: float = 0.0  # a slope of the activation that is next to none
    outputs: dict[str, Any] = field(default_factory=dict)


class Inspector:
    """Looks at what an `EpochRunner` trains, for about 1 % of the time.

    Large data allow a look after each epoch. Small ones are looked at after epochs 1, 2, 4, 8, ...,
    until the gaps are as long as the time asks for.

    Parameters
    ----------
    runner : EpochRunner
        What it holds is read only.
    train : Part
    val : Part or None
    """

    def __init__(self, runner: EpochRunner, train: Part, val: Part | None) -> None:
        self._runner, self._parts = runner, (train, val)
        self._twin = twin = runner.network.twin()
        self._x, self._y = next(Batches(train.spread(N_ROWS), N_ROWS, twin.dtype).in_order())
        self._ws = twin.workspace(len(self._x))
        self._watched = list(_watched(twin))
        self._steps = _SampleSteps(runner.optimizer, twin, [w.dense for w in self._watched])
        n_trained = min(len(train), runner.n_steps * runner.settings.batch_size)
        self._gap = ceil(WORK * len(self._x) / n_trained)
        self._next = 0

    def is_due(self, epoch: int) -> bool:
        """Tell whether to look after an epoch, asked about each in turn."""
        if epoch < self._next:
            return False
        self._next = epoch + max(1, min(epoch, self._gap))
        return True

    def __call__(self, epoch: int) -> Inspection:
        """Return the state of the network, and what its next step would be."""
        runner, twin, watched = self._runner, self._twin, self._watched
        np.copyto(twin.params, runner.network.params)
        np.copyto(twin.state, runner.network.state)
        lr = runner.lr(epoch)
        with np.errstate(all="ignore"):  # a training that diverges is shown as it is
            loss = self._forward(epoch)
            twin.backward(self._ws)
            gradient_rms = [_rms(w.dense.dW) for w in watched]
            twin.add_penalty_gradients()
            update_rms = self._steps(lr, epoch, runner.settings.clip_norm)
            layers = tuple(
                LayerState(
                    number=w.number,
                    n_units=w.dense.n_out,
                    weight_rms=_rms(w.dense.W),
                    spread=_spread(w.dense.W),
                    gradient_rms=gradient,
                    update_rms=update,
                    **w.outputs,
                )
                for w, gradient, update in zip(watched, gradient_rms, update_rms, strict=True)
            )
        facts = None if epoch else facts_about(twin.loss, twin.n_out, *self._parts)
        return Inspection(epoch, lr, loss, layers, facts)

    def _forward(self, epoch: int) -> float:
        """Pass the rows through as in training, look at each activation, and return the loss."""
        twin, ws = self._twin, self._ws
        rng = generator(self._runner.seed, "inspect", epoch)
        lasts = {id(w.last): w for w in self._watched}
        y = self._x
        for layer, layer_ws in zip(twin.layers, ws.layers, strict=True):
            y = layer.forward(y, layer_ws, rng)
            if w := lasts.get(id(layer)):
                w.outputs = _histogram(y)
                if isinstance(layer, Activation):
                    w.outputs["activation"] = layer.name
                    w.outputs["dead"] = _dead(layer.function, layer_ws, w.faint)
        twin.loss.set_targets(self._y, ws.loss)
        return twin.loss.forward(y, ws.loss)


class _SampleSteps:
    """The next step of an optimizer, computed for some weights of each dense layer.

    The rules of all optimizers are elementwise: what one weight does depends on no other.
    """

    def __init__(self, optimizer: Optimizer, twin: Network, dense: Sequence[Dense]) -> None:
        self._original, self._network = optimizer, twin
        starts = [(la.W.ctypes.data - twin.params.ctypes.data) // la.W.itemsize for la in dense]
        sampled = [
            np.arange(start, start + la.W.size, max(1, la.W.size // N_SAMPLED) | 1)
            for start, la in zip(starts, dense, strict=True)
        ]
        stops = np.cumsum([len(rows) for rows in sampled]).tolist()
        self._index = np.concatenate([np.arange(0), *sampled])
        self._cuts = [slice(a, b) for a, b in zip([0, *stops], stops, strict=False)]
        self._p, self._g = (np.empty(len(self._index), twin.dtype) for _ in range(2))
        factors = [(cut, la.lr_factors["W"]) for cut, la in zip(self._cuts, dense, strict=True)]
        self._optimizer = copy(optimizer)
        self._optimizer.bind(self._p, self._g, len(self._p), factors)

    def __call__(self, lr: float, epoch: int, clip_norm: float | None) -> list[float]:
        """Return the RMS of each layer's step with the network's parameters and gradients."""
        optimizer, grads = self._optimizer, self._network.grads
        before = self._network.params[self._index]
        np.copyto(self._p, before)
        np.take(grads, self._index, out=self._g, mode="clip")
        if clip_norm is not None:
            self._g *= min(1.0, clip_norm / (sqrt(float(np.dot(grads, grads))) or 1.0))
        for name, slot in self._original.slot_vectors.items():
            np.take(slot, self._index, out=optimizer.slot_vectors[name], mode="clip")
        optimizer.t = self._original.t
        optimizer.step(lr, epoch)
        self._p -= before
        return [_rms(self._p[cut]) for cut in self._cuts]


def _watched(network: Network) -> Iterator[_Watched]:
    """Yield each dense layer with its activation, if it has one."""
    before: _Watched | None = None
    for number, layer in network.numbered_layers():
        if isinstance(layer, Dense):
            if before:
                yield before
            before = _Watched(number, layer, layer)
        elif before and isinstance(layer, Activation | Maxout):
            before.last = layer
            if isinstance(layer, Activation):
                before.faint = NO_SLOPE * _steepest(layer.function)
    if before:
        yield before


def _rms(array: np.ndarray) -> float:
    flat = array.ravel()
    return sqrt(float(np.dot(flat, flat)) / flat.size)


def _spread(W: np.ndarray) -> float:
    """Return the deviation of the columns from their mean column, relative to the RMS."""
    n_units = W.shape[1]
    square = float(np.vdot(W, W)) / n_units
    mean = W @ np.full(n_units, 1 / n_units, W.dtype)  # many times faster than W.mean(axis=1)
    return sqrt(max(0.0, 1 - float(np.dot(mean, mean)) / square)) if square else 0.0


def _dead(function: ActivationFunction, ws: Any, faint: float) -> float:
    """Return the share of units whose slope is below ``faint`` in all rows."""
    slope = np.ones_like(ws.a)
    function.backward(ws.z, ws.a.copy(), slope, np.empty_like(slope))
    return float(np.mean(np.abs(slope, out=slope).max(axis=0) < faint))


def _steepest(function: ActivationFunction) -> float:
    """Return the largest slope of an activation, near 0."""
    z = np.linspace(-4, 4, 81)
    a, slope = np.empty_like(z), np.ones_like(z)
    function.forward(z.copy(), a, np.empty_like(z))
    function.backward(z, a, slope, np.empty_like(z))
    return float(np.abs(slope).max())


def _histogram(values: np.ndarray) -> dict[str, Any]:
    """Count some of the values, evenly chosen, in equal bins."""
    some = values.ravel()[:: max(1, values.size // N_BINNED)]
    low, high = float(some.min()), float(some.max())
    if not np.isfinite(high - low):
        return {"counts": (), "low": low, "high": high}
    bins = ((some - low) * (N_BINS / ((high - low) or 1.0))).astype(int)
    counts = np.bincount(np.minimum(bins, N_BINS - 1), minlength=N_BINS)
    return {"counts": tuple(counts.tolist()), "low": low, "high": high}
