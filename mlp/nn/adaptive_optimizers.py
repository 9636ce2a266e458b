"""Optimizers that scale each parameter's step by the history of its gradient.

A moving average v ← β·v + (1 - β)·x is kept as the sum V = v / (1 - β), V ← β·V + x, which takes a
pass less over the parameters.
"""

# ruff: noqa: D102 -- the rules are described by their classes, the rest in Optimizer

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy import ndarray

from mlp.base import at_least, fraction, positive
from mlp.nn.optimizers import Optimizer


@dataclass
class Adagrad(Optimizer):
    """v ← v + g², p ← p - lr·g / (√v + ε), with ε = ``eps`` > 0.

    Source: Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization", 2011, figure 1 (the diagonal version).
    """

    lr: float = 0.01
    eps: float = 1e-10

    slots = ("v",)

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(eps=self.eps)

    def update(self, lr: float, p: ndarray, g: ndarray, v: ndarray, s: ndarray) -> None:
        v += np.square(g, out=s)
        _descend(p, lr, g, v, self.eps, s)


@dataclass
class RMSprop(Optimizer):
    """v ← ρ·v + (1 - ρ)·g², p ← p - lr·g / (√v + ε), with ρ = ``rho``, 0 <= ρ < 1, ε = ``eps`` > 0.

    Source: Tieleman & Hinton, "Neural networks for machine learning", lecture 6e, 2012.
    """

    lr: float = 0.001
    rho: float = 0.9
    eps: float = 1e-8

    slots = ("V",)

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(rho=self.rho)
        positive(eps=self.eps)

    def update(self, lr: float, p: ndarray, g: ndarray, V: ndarray, s: ndarray) -> None:
        _add(V, self.rho, np.square(g, out=s))
        root = 1 / sqrt(1 - self.rho)  # √v = √V / root
        _descend(p, lr * root, g, V, self.eps * root, s)


@dataclass
class Adam(Optimizer):
    """m ← β1·m + (1 - β1)·g, v ← β2·v + (1 - β2)·g², p ← p - lr·m̂ / (√v̂ + ε).

    m̂ = m / (1 - β1ᵗ) and v̂ = v / (1 - β2ᵗ) undo the start from zero; 0 <= β < 1, ε = ``eps`` > 0.

    Source: Kingma & Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
    """

    lr: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slots = ("M", "V")

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(beta1=self.beta1, beta2=self.beta2)
        positive(eps=self.eps)

    def update(self, lr: float, p: ndarray, g: ndarray, M: ndarray, V: ndarray, s: ndarray) -> None:
        _add(M, self.beta1, g)
        _add(V, self.beta2, np.square(g, out=s))
        share = (1 - self.beta1) / (1 - self.beta1**self.t)  # m̂ = share·M
        _descend(p, lr * self._root * share, M, V, self.eps * self._root, s)

    @property
    def _root(self) -> float:
        """Return what √V is to be divided by to give √v̂."""
        return sqrt((1 - self.beta2**self.t) / (1 - self.beta2))


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay: p ← (1 - lr·λ)·p, then Adam's rule, λ = ``weight_decay``.

    Only the decayed parameters (weights, not biases) shrink; λ >= 0. The decay follows the whole
    learning rate; in the paper it follows the schedule's factor alone, so its λ is our lr·λ.

    Source: Loshchilov & Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(0, weight_decay=self.weight_decay)

    def step(self, lr: float, epoch: float = inf) -> None:
        for factor, weights in self._decayed:
            weights *= 1 - float(lr) * factor * self.weight_decay
        super().step(lr, epoch)


@dataclass
class NAdam(Adam):
    """Adam with Nesterov's look-ahead: p ← p - lr·m̄ / (√v̂ + ε).

    m̄ = β1·m / (1 - β1ᵗ⁺¹) + (1 - β1)·g / (1 - β1ᵗ); m, v and v̂ as in Adam.

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 2, with μ constant,
    as β1 (PyTorch and Keras let it rise with t).
    """

    lr: float = 0.002

    def update(self, lr: float, p: ndarray, g: ndarray, M: ndarray, V: ndarray, s: ndarray) -> None:
        _add(M, self.beta1, g)
        _add(V, self.beta2, np.square(g, out=s))
        share_m = self.beta1 * (1 - self.beta1) / (1 - self.beta1 ** (self.t + 1))
        share_g = (1 - self.beta1) / (1 - self.beta1**self.t)
        _descend(p, lr * self._root * share_m, M, V, self.eps * self._root, s)
        _descend(p, lr * self._root * share_g, g, V, self.eps * self._root, s)


def _add(total: ndarray, beta: float, value: ndarray) -> None:
    """Update a sum in which what is older counts less: total ← β·total + value."""
    total *= beta
    total += value


def _descend(p: ndarray, lr: float, m: ndarray, v: ndarray, eps: float, s: ndarray) -> None:
    """Take the step p ← p - lr·m / (√v + ε)."""
    np.sqrt(v, out=s)
    s += eps
    np.divide(m, s, out=s)
    s *= lr
    p -= s
