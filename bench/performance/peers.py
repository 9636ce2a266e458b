"""The peers: each is a function of a load and an optimizer that returns a `Training`."""

import os
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from math import log
from typing import NamedTuple

import numpy as np

from bench.performance.loads import (
    LR,
    SEED,
    Load,
    Weights,
    mnist,
    network,
    order,
    scaled_mnist,
    weights_of,
)


class Training(NamedTuple):
    """A training under way: ``epoch(k)`` trains for the k-th epoch, counted from 1."""

    epoch: Callable[[int], object]
    weights: Callable[[], Weights]


def products(load: Load, optimizer: str) -> Training:
    """Multiply the matrices of forward and backward passes, and do nothing else."""
    n = load.batch
    values = [np.random.default_rng(0).random((n, size), np.float32) for size in load.sizes]
    deltas = [np.empty_like(a) for a in values]
    weights = [np.ones(shape, np.float32) for shape in pairwise(load.sizes)]
    grads = [np.empty_like(W) for W in weights]
    layers = list(enumerate(weights))

    def step() -> None:
        for i, W in layers:
            np.matmul(values[i], W, out=deltas[i + 1])
        for i, W in reversed(layers):
            np.matmul(values[i].T, deltas[i + 1], out=grads[i])
            if i:
                np.matmul(deltas[i + 1], W.T, out=deltas[i])

    def epoch(_: int) -> None:
        for _ in range(0, len(mnist()), n):
            step()

    return Training(epoch, list)


def ours(load: Load, optimizer: str) -> Training:
    """Train as a run does, without validation."""
    from mlp.nn import SGD, Adam, Constant
    from mlp.training import Classification, Trainer
    from mlp.training.epoch import EpochRunner

    net = network(load)
    rule = {"sgd": SGD, "adam": Adam}[optimizer](lr=LR[optimizer])
    trainer = Trainer(max_epochs=100, batch_size=load.batch)
    epoch = EpochRunner(trainer, Classification(), net, rule, Constant(), mnist(), None, SEED)
    return Training(epoch, lambda: weights_of(net))


def jax(load: Load, optimizer: str) -> Training:
    """Compile a whole epoch, a scan over its batches."""
    from functools import partial

    import jax
    from jax import numpy as jnp
    from jax.nn import log_softmax, relu

    lr, n_rows = LR[optimizer], len(mnist())
    n_whole = n_rows // load.batch * load.batch

    def mean_loss(params, x, y):
        for i, (W, b) in enumerate(params):
            x = (relu(x) if i else x) @ W + b
        return -jnp.mean(jnp.take_along_axis(log_softmax(x), y[:, None], 1))

    def sgd(params, grads, slots):
        return jax.tree.map(lambda p, g: p - lr * g, params, grads), slots

    def adam(params, grads, slots):
        m, v, t = slots
        t += 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        a = lr / -jnp.expm1(t * log(0.9))  # 1 - 0.9**t, exact in float32
        c = 1 / -jnp.expm1(t * log(0.999))
        params = jax.tree.map(lambda p, m, v: p - a * m / (jnp.sqrt(c * v) + 1e-8), params, m, v)
        return params, (m, v, t)

    update = {"sgd": sgd, "adam": adam}[optimizer]

    @partial(jax.jit, donate_argnums=0)
    def epoch(state, x, y, rows):
        def step(state, rows):
            params, slots = state
            loss, grads = jax.value_and_grad(mean_loss)(params, x[rows], y[rows])
            return update(params, grads, slots), loss

        state, losses = jax.lax.scan(step, state, rows[:n_whole].reshape(-1, load.batch))
        if n_whole < n_rows:
            state, _ = step(state, rows[n_whole:])
        return state, losses.mean()

    x, y = map(jnp.asarray, scaled_mnist())
    params = [(jnp.asarray(W), jnp.asarray(b)) for W, b in weights_of(network(load))]
    zeros = [jax.tree.map(jnp.zeros_like, params) for _ in "mv"]
    state = (params, (*zeros, jnp.float32(0)) if optimizer == "adam" else ())
    compiled = epoch.lower(state, x, y, order(1)).compile()

    def run(number: int) -> None:
        nonlocal state
        state, loss = compiled(state, x, y, order(number))
        loss.block_until_ready()

    return Training(run, lambda: [(np.array(W), np.array(b)) for W, b in state[0]])


def pytorch(load: Load, optimizer: str) -> Training:
    """Train eagerly, with the fused updates."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    x, y = map(torch.from_numpy, scaled_mnist())
    layers = []
    for W, b in weights_of(network(load)):
        linear = torch.nn.Linear(*W.shape)
        linear.weight.data, linear.bias.data = torch.from_numpy(W.T.copy()), torch.from_numpy(b)
        layers += [torch.nn.ReLU(), linear]
    model, mean_loss = torch.nn.Sequential(*layers[1:]), torch.nn.CrossEntropyLoss()
    rule = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    rule = rule(model.parameters(), lr=LR[optimizer], fused=True)

    def epoch(number: int) -> None:
        total = torch.zeros(())
        for rows in torch.from_numpy(order(number)).split(load.batch):
            loss = mean_loss(model(x[rows]), y[rows])
            rule.zero_grad()
            loss.backward()
            rule.step()
            total += loss.detach()

    def weights() -> Weights:
        pairs = [(layer.weight, layer.bias) for layer in layers[1::2]]
        return [(W.detach().numpy().T, b.detach().numpy()) for W, b in pairs]

    return Training(epoch, weights)


def scikit_learn(load: Load, optimizer: str) -> Training:
    """Call ``partial_fit``, which shuffles and trains for an epoch."""
    from sklearn.neural_network import MLPClassifier

    class Order(np.random.RandomState):
        """Shuffles as the others do."""

        epoch = 0

        def shuffle(self, x: np.ndarray) -> None:
            if len(x) == len(mnist()):
                x[:] = order(self.epoch)

    shuffling = Order()
    model = MLPClassifier(
        load.sizes[1:-1],
        solver=optimizer,
        batch_size=load.batch,
        learning_rate_init=LR[optimizer],
        momentum=0,
        nesterovs_momentum=False,
        alpha=0,
        random_state=shuffling,
    )
    x, y = scaled_mnist()
    classes = np.arange(load.sizes[-1])
    model.partial_fit(
        x[: load.batch], y[: load.batch], classes=classes
    )  # makes weights, replaced here
    model.coefs_, model.intercepts_ = map(list, zip(*weights_of(network(load)), strict=True))
    del model._optimizer

    def epoch(number: int) -> None:
        shuffling.epoch = number
        model.partial_fit(x, y)

    return Training(epoch, lambda: list(zip(model.coefs_, model.intercepts_, strict=True)))


PEERS = {
    "matrix products": products,
    "JAX jit": jax,
    "ours": ours,
    "PyTorch eager": pytorch,
    "scikit-learn": scikit_learn,
}
PACKAGES = {"JAX jit": "jax", "PyTorch eager": "torch", "scikit-learn": "scikit-learn"}


def versions() -> dict[str, str]:
    """Return the versions of the packages that are installed."""
    found = {}
    for package in ("numpy", *PACKAGES.values()):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
