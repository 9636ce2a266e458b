"""Activations with two horizontal asymptotes."""

# ruff: noqa: D102 -- the methods are described once, in ActivationFunction

import numpy as np
from numpy import ndarray

from mlp.nn.activation_function import ActivationFunction


class Sigmoid(ActivationFunction):
    """φ(z) = σ(z) = 1 / (1 + exp(-z)), φ' = a·(1 - a).

    Source: Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors",
    1986, equation 2.
    """

    name = "sigmoid"
    reads = "a"

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        sigmoid(z, out)

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        np.subtract(1, a, out=scratch)
        scratch *= a
        delta *= scratch


class Tanh(ActivationFunction):
    """φ(z) = tanh(z), φ' = 1 - a²."""

    name = "tanh"
    reads = "a"

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        np.tanh(z, out=out)

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        np.square(a, out=scratch)
        np.subtract(1, scratch, out=scratch)
        delta *= scratch


class ScaledTanh(ActivationFunction):
    """φ(z) = A·tanh(S·z) with A = 1.7159, S = 2/3; φ' = S·(A - a²/A). So φ(±1) is close to ±1.

    Source: LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998, section 4.4.
    """

    name = "scaled_tanh"
    reads = "a"
    A = 1.7159
    S = 2 / 3

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        np.multiply(z, self.S, out=out)
        np.tanh(out, out=out)
        out *= self.A

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        np.square(a, out=scratch)
        scratch *= -self.S / self.A
        scratch += self.S * self.A
        delta *= scratch


def sigmoid(z: ndarray, out: ndarray) -> None:
    """Write σ(z) = (1 + tanh(z/2)) / 2 into ``out``, a form in which nothing overflows."""
    np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5
