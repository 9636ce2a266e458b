"""The numbers of one example's way through a network and back; see docs/backpropagation.md."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from mlp.nn.dropout import Dropout
from mlp.nn.layers import Dense, Layer
from mlp.nn.losses import Loss
from mlp.nn.network import Network

NUDGE = 1e-5  # of a weight, to measure a derivative


@dataclass(frozen=True)
class LayerTrace:
    """What went into a layer, what came out, and what came back.

    Attributes
    ----------
    number : int
        As in ``W1``, ``b1``.
    layer : Layer
        Its ``dW``, ``db``, ... hold the gradients.
    x : ndarray of shape (n_in,), float64
    y : ndarray of shape (n_out,), float64
        z of a dense layer, a of an activation.
    dy : ndarray of shape (n_out,), float64
        dL/dy; δ of a dense layer.
    """

    number: int
    layer: Layer
    x: np.ndarray
    y: np.ndarray
    dy: np.ndarray


@dataclass(frozen=True)
class WeightTrace:
    """The weight of the first dense layer with the largest gradient, and that gradient.

    Attributes
    ----------
    traced : LayerTrace
        Of the layer.
    i, j : int
        It leads from input i to unit j.
    value, gradient : float
        w and dL/dw.
    measured : float
        (L(w + ε) − L(w − ε)) / 2ε.
    """

    traced: LayerTrace
    i: int
    j: int
    value: float
    gradient: float
    measured: float

    @property
    def agrees(self) -> bool:
        """Whether the gradient is what is measured, but for rounding."""
        return bool(np.isclose(self.gradient, self.measured, rtol=1e-3, atol=1e-7))


@dataclass(frozen=True)
class Trace:
    """A network's answer to one example, and what the example would teach it.

    Attributes
    ----------
    layers : sequence of LayerTrace
        Without dropout, which is off.
    a, t : ndarray of shape (n_out,), float64
        Outputs and targets.
    loss : float
        Without penalties.
    weight : WeightTrace
    """

    layers: Sequence[LayerTrace]
    a: np.ndarray
    t: np.ndarray
    loss: float
    weight: WeightTrace
    _network: Network
    _x: np.ndarray
    _y: np.ndarray

    @property
    def loss_function(self) -> Loss:
        """What computed the loss."""
        return self._network.loss

    def loss_after_step(self, lr: float) -> float:
        """Return the loss of the example after p ← p − lr·dL/dp for all parameters p."""
        network = deepcopy(self._network)
        network.params -= lr * self._network.grads
        return network.mean_loss(self._x, self._y, network.workspace(1))


def trace_example(network: Network, x: np.ndarray, y: np.ndarray) -> Trace:
    """Compute in float64, as in evaluation, and keep each step; the network is not changed.

    Parameters
    ----------
    network : Network
    x : ndarray of shape (1, n_in)
        Scaled.
    y : ndarray of shape (1,), int64, or (1, n_out)
        As :meth:`Network.mean_loss` takes it.
    """
    copy = Network(deepcopy(network.layers), network.loss, network.l1, network.l2, "float64")
    copy.params[:], copy.state[:] = network.params, network.state
    x, ws = x.astype(np.float64), copy.workspace(1)
    values, y_layer = [x[0].copy()], x
    for layer, layer_ws in zip(copy.layers, ws.layers, strict=True):
        y_layer = layer.forward(y_layer, layer_ws, None)
        values.append(y_layer[0].copy())
    copy.loss.set_targets(y, ws.loss)
    loss = copy.loss.forward(y_layer, ws.loss)
    a, t = ws.loss.a[0].copy(), ws.loss.t[0].copy()
    layers, dy = list[LayerTrace](), copy.loss.backward(ws.loss)
    steps = [*zip(copy.numbered_layers(), ws.layers, values, values[1:], strict=False)]
    for (number, layer), layer_ws, before, after in reversed(steps):
        if not isinstance(layer, Dropout):
            layers.insert(0, LayerTrace(number, layer, before, after, dy[0].copy()))
            dy = layer.backward(dy, layer_ws)
    weight = _steepest_weight(copy, layers, x, y)
    return Trace(layers, a, t, loss, weight, copy, x, y)


def _steepest_weight(
    network: Network, layers: Sequence[LayerTrace], x: np.ndarray, y: np.ndarray
) -> WeightTrace:
    """Find the weight, and measure its gradient."""
    dense = [(traced, traced.layer) for traced in layers if isinstance(traced.layer, Dense)]
    first, W, dW = dense[0][0], dense[0][1].W, dense[0][1].dW
    i, j = (int(place) for place in np.unravel_index(np.abs(dW).argmax(), dW.shape))
    value, ws, losses = float(W[i, j]), network.workspace(1), []
    for nudge in (NUDGE, -NUDGE):
        W[i, j] = value + nudge
        losses.append(network.mean_loss(x, y, ws))
    W[i, j] = value
    measured = (losses[0] - losses[1]) / (2 * NUDGE)
    return WeightTrace(first, i, j, value, float(dW[i, j]), measured)
