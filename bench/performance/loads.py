"""The loads: networks, batches, data, initial weights and orders, the same for all peers."""

import os
from functools import cache
from typing import NamedTuple

import numpy as np

from mlp.base import generator
from mlp.data import Mnist, Mnist5k, Part, Source
from mlp.nn import MLP, Network, SoftmaxCrossEntropy


class Load(NamedTuple):
    """A network and the size of its batches."""

    sizes: tuple[int, ...]
    batch: int

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch}"


LOADS = {
    "A": Load((784, 128, 64, 10), 128),
    "C": Load((784, 30, 10), 10),
    "E": Load((784, 256, 128, 10), 64),
    "B": Load((784, 800, 10), 128),
    "D": Load((784, 1024, 1024, 10), 256),
}
LR = {"sgd": 0.1, "adam": 0.001}
SEED = 0

Weights = list[tuple[np.ndarray, np.ndarray]]


@cache
def mnist() -> Part:
    """Return the 60,000 training images, as bytes; 4,000 where $BENCH_SMALL is set.

    $MLP_MNIST_DIR has the files, data/mnist otherwise.
    """
    if os.environ.get("BENCH_SMALL"):
        source: Source = Mnist5k(validation="none")
    else:
        source = Mnist(dir=os.environ.get("MLP_MNIST_DIR"), validation="none")
    return source.parts(source.load(), SEED).train


@cache
def scaled_mnist() -> tuple[np.ndarray, np.ndarray]:
    """Return x in [0, 1], float32, and y."""
    part = mnist()
    return part.x.astype(np.float32) / 255, np.array(part.y)


def order(epoch: int) -> np.ndarray:
    """Return the rows in the order in which an epoch takes them."""
    rows = np.arange(len(mnist()))
    generator(SEED, "shuffle", epoch).shuffle(rows)
    return rows


def network(load: Load) -> Network:
    """Return the network with its initial weights."""
    n_in, *hidden, n_out = load.sizes
    return MLP(hidden).build(n_in, n_out, SoftmaxCrossEntropy(), generator(SEED, "init"))


def weights_of(network: Network) -> Weights:
    """Return copies of W and b, layer by layer."""
    arrays = {name: array.copy() for name, array in network.named_arrays()}
    return [(arrays[f"W{i}"], arrays[f"b{i}"]) for i in range(1, len(arrays) // 2 + 1)]


def mean_loss(weights: Weights) -> float:
    """Return the cross-entropy on the first 10,000 training images."""
    a, y = (array[:10_000] for array in scaled_mnist())
    for i, (W, b) in enumerate(weights):
        a = (np.maximum(a, 0) if i else a) @ W + b
    z = a.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]))
