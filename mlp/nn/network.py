"""The network: a list of layers over flat vectors."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from itertools import groupby
from typing import Any

import numpy as np

from mlp.nn.layers import Layer
from mlp.nn.losses import Loss
from mlp.nn.optimizers import BLOCK, blocks
from mlp.nn.workspace import Workspace


class Network:
    """A list of layers and a loss; every parameter is a view into one flat vector.

    Whoever updates, clips, decays, measures or stores the parameters sees whole vectors, whatever
    the architecture.

    Parameters
    ----------
    layers : sequence of Layer
        Each one's ``n_out`` is the next one's ``n_in``; at least one has parameters.
    loss : Loss
    l1, l2 : float
        Weights of the penalties l1·Σ|w| + ½·l2·Σw² over all ``W``, added to the loss.
    dtype : {"float32", "float64"}

    Attributes
    ----------
    params, grads : ndarray of shape (n_params,)
        All trained parameters, decayed ones first, and dL/d(params) of the last batch.
    n_decayed : int
        ``params[:n_decayed]`` are the weights, on which penalties and weight decay act.
    lr_factors : list of (slice, float)
        Stretches of ``params``, from first to last, and the factor on the learning rate in each.
    state : ndarray of shape (n_state,)
        Running statistics.

    Raises
    ------
    ValueError
        When the layers do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: Loss,
        l1: float = 0.0,
        l2: float = 0.0,
        dtype: str = "float32",
    ) -> None:
        self.layers, self.loss, self.l1, self.l2 = list(layers), loss, l1, l2
        self.dtype = np.dtype(dtype)
        self._check_layers()
        self.n_in, self.n_out = self.layers[0].n_in, self.layers[-1].n_out
        self._bind_parameters()
        self._first_trained = next(i for i, layer in enumerate(self.layers) if layer.shapes)
        scratch = np.empty(min(BLOCK, self.n_decayed), self.dtype)
        self._weight_blocks = [
            (self.params[cut], self.grads[cut], scratch[: cut.stop - cut.start])
            for cut in blocks(0, self.n_decayed)
        ]

    def _check_layers(self) -> None:
        """Check that the layers fit together, and tell each whether it may overwrite its input."""
        if not any(layer.shapes for layer in self.layers):
            raise ValueError("a network needs a layer with parameters, such as Dense")
        is_free: bool = False  # the first input is the caller's
        for number, layer in enumerate(self.layers, 1):
            before = self.layers[number - 2].n_out if number > 1 else layer.n_in
            if layer.n_in != before:
                raise ValueError(
                    f"layer {number} ({layer}) takes {layer.n_in} values a row, and the one "
                    f"before it gives {before}"
                )
            layer.in_place = is_free
            if layer.output_is_free is not None:
                is_free = layer.output_is_free

    def _bind_parameters(self) -> None:
        """Allocate the flat vectors and give each layer its views: decayed parameters first."""
        named = [(la, name, la.shapes[name]) for la in self.layers for name in la.shapes]
        named.sort(key=lambda entry: entry[1] not in entry[0].decayed)  # stable
        factors = [layer.lr_factors.get(name, 1.0) for layer, name, _ in named]
        sizes = [int(np.prod(shape)) for _, _, shape in named]
        self.n_decayed = sum(
            size for size, (la, name, _) in zip(sizes, named, strict=True) if name in la.decayed
        )
        self.lr_factors = _merged(zip(sizes, factors, strict=True))
        self.params = np.zeros(sum(sizes), self.dtype)
        self.grads = np.zeros_like(self.params)
        _bind(self.params, named)
        _bind(self.grads, [(la, "d" + name, shape) for la, name, shape in named])
        kept = [(la, name, la.state_shapes[name]) for la in self.layers for name in la.state_shapes]
        self.state = np.zeros(sum(int(np.prod(shape)) for _, _, shape in kept), self.dtype)
        _bind(self.state, kept)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle so that the parameters are views into one vector again."""
        parts = self.layers, self.loss, self.l1, self.l2, self.dtype.name
        return _restored, (parts, self.params, self.state)

    def twin(self) -> "Network":
        """Return a network of the same layers with vectors of its own, which are still empty."""
        layers = [copy(layer) for layer in self.layers]
        return Network(layers, self.loss, self.l1, self.l2, self.dtype.name)

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw all parameters, layer by layer."""
        for layer in self.layers:
            layer.initialize(rng)

    def named_arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield ``("W1", view), ("b1", view), ...``: all that must be stored, by file name.

        Layers share a number, from 1, until one has an array whose name is taken.
        """
        for number, layer in self.numbered_layers():
            for name in (*layer.shapes, *layer.state_shapes):
                yield f"{name}{number}", getattr(layer, name)

    def numbered_layers(self) -> Iterator[tuple[int, Layer]]:
        """Yield each layer behind its number, which the arrays in `named_arrays` bear."""
        number, taken = 1, set[str]()
        for layer in self.layers:
            names = {*layer.shapes, *layer.state_shapes}
            if names & taken:
                number, taken = number + 1, set()
            taken |= names
            yield number, layer

    def workspace(self, n_batch: int) -> Workspace:
        """Return new buffers for batches of up to ``n_batch`` rows."""
        layers = [layer.buffers(n_batch, self.dtype) for layer in self.layers]
        return Workspace(layers, self.loss.buffers(n_batch, self.n_out, self.dtype))

    def forward(
        self, x: np.ndarray, ws: Workspace, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the pre-activations z of the output layer (the logits).

        Parameters
        ----------
        x : ndarray of shape (n_batch, n_in)
            Of the network's dtype; not changed.
        ws : Workspace
            Of ``n_batch`` rows.
        rng : Generator or None
            Source of the dropout masks, and the sign of training; None evaluates.

        Returns
        -------
        ndarray of shape (n_batch, n_out)
            A buffer of ``ws``, valid until its next forward pass.
        """
        y = x
        for layer, layer_ws in zip(self.layers, ws.layers, strict=True):
            y = layer.forward(y, layer_ws, rng)
        return y

    def mean_loss(
        self,
        x: np.ndarray,
        y: np.ndarray,
        ws: Workspace,
        rng: np.random.Generator | None = None,
    ) -> float:
        """Return the mean loss of a batch, without penalties; outputs are left in ``ws.loss.a``.

        Parameters
        ----------
        x : ndarray of shape (n_batch, n_in)
        y : ndarray of shape (n_batch,), int64
            Class indices.
        ws, rng
            As in :meth:`forward`.
        """
        z = self.forward(x, ws, rng)
        self.loss.set_targets(y, ws.loss)
        return self.loss.forward(z, ws.loss)

    def loss_and_gradients(
        self, x: np.ndarray, y: np.ndarray, ws: Workspace, rng: np.random.Generator
    ) -> float:
        """Return the mean loss of a training batch, and fill ``grads``.

        The penalties' gradients are in them; the returned loss is without penalties.
        """
        loss = self.mean_loss(x, y, ws, rng)
        self.backward(ws)
        self.add_penalty_gradients()
        return loss

    def backward(self, ws: Workspace) -> None:
        """Fill ``grads`` by backpropagation from the last loss that was computed on ``ws``.

        From the output layer's δ = ∇L ⊙ φ′(z) each layer makes its parameters' gradients and the
        δ of the layer before it, (δ·Wᵀ) ⊙ φ′(z).
        """
        delta = self.loss.backward(ws.loss)
        for i in range(len(self.layers) - 1, self._first_trained - 1, -1):
            wanted = i > self._first_trained  # at the last turn dx has no use, and is None
            delta = self.layers[i].backward(delta, ws.layers[i], wanted)  # type: ignore[assignment]

    def penalty(self) -> float:
        """Return l1·Σ|w| + ½·l2·Σw²."""
        l1_norm = squares = 0.0
        for w, _, scratch in self._weight_blocks:
            l1_norm += float(np.abs(w, out=scratch).sum())
            squares += float(np.vdot(w, w))
        return self.l1 * l1_norm + 0.5 * self.l2 * squares

    def add_penalty_gradients(self) -> None:
        """Add l1·sign(w) + l2·w, block by block."""
        if not (self.l1 or self.l2):
            return
        for w, dw, scratch in self._weight_blocks:
            if self.l2:
                dw += np.multiply(w, self.l2, out=scratch)
            if self.l1:
                np.sign(w, out=scratch)
                dw += np.multiply(scratch, self.l1, out=scratch)

    def project(self) -> None:
        """Apply each layer's constraint, such as max-norm, after an update."""
        for layer in self.layers:
            layer.project()

    def first_nonfinite(self, x: np.ndarray, ws: Workspace) -> str | None:
        """Name the first place where a value is NaN or infinite.

        From input to output through parameters, statistics and outputs, then back through the
        gradients. The forward pass of ``x`` is repeated without dropout, to see each layer's
        output before a later one overwrites it.
        """
        if not np.isfinite(x).all():
            return "the input"
        y = x
        for (number, layer), layer_ws in zip(self.numbered_layers(), ws.layers, strict=True):
            for name in (*layer.shapes, *layer.state_shapes):
                if not np.isfinite(getattr(layer, name)).all():
                    return f"{name}{number} of layer {number} ({layer})"
            y = layer.forward(y, layer_ws, None)
            if not np.isfinite(y).all():
                return f"the output of layer {number} ({layer})"
        for number, layer in reversed(list(self.numbered_layers())):
            for name in layer.shapes:
                if not np.isfinite(getattr(layer, f"d{name}")).all():
                    return f"the gradient of {name}{number} of layer {number} ({layer})"
        return None


def _merged(stretches: Iterable[tuple[int, float]]) -> list[tuple[slice, float]]:
    """Join neighbouring stretches of equal factors; sizes become slices."""
    merged, start = list[tuple[slice, float]](), 0
    for factor, group in groupby(stretches, key=lambda stretch: stretch[1]):
        stop = start + sum(size for size, _ in group)
        merged.append((slice(start, stop), factor))
        start = stop
    return merged


def _restored(parts: tuple[Any, ...], params: np.ndarray, state: np.ndarray) -> Network:
    network = Network(*parts)
    network.params[:], network.state[:] = params, state
    return network


def _bind(flat: np.ndarray, named: Sequence[tuple[Layer, str, tuple[int, ...]]]) -> None:
    """Set each layer's attribute to a view of its stretch of ``flat``."""
    start = 0
    for layer, name, shape in named:
        stop = start + int(np.prod(shape))
        setattr(layer, name, flat[start:stop].reshape(shape))
        start = stop
