"""Optimizers: each is its hyper-parameters and one published rule, applied block by block.

A rule is elementwise and makes several passes over its vectors. Cut into blocks, those stay in the
cache from the first pass to the last, and one block of scratch serves all.

The learning rate comes with every step, so that a schedule can change it; the field ``lr`` is the
rate it starts from. Notation of the rules: p are the parameters, g their gradient (the mean over
the batch, penalties included), t counts the steps from 1, s is scratch.
"""

# ruff: noqa: D102 -- the rules are described by their classes, the rest in Optimizer

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from mlp.base import at_least, fraction, positive

BLOCK = 65536  # elements; measured as the fastest from 1e5 to 8e6 parameters, float32


def blocks(start: int, stop: int, size: int = BLOCK) -> list[slice]:
    """Cut a stretch into consecutive slices of ``size`` elements; the last may be shorter."""
    return [slice(i, min(i + size, stop)) for i in range(start, stop, size)]


@dataclass
class Optimizer(ABC):
    """What all optimizers share: blocks, slots, the step count, and their state.

    Parameters
    ----------
    lr : float
        The base learning rate, greater than 0.

    Attributes
    ----------
    slots : tuple of str
        Names of the vectors, like the parameters and zero at first, that the rule keeps.
    slot_vectors : dict of str to ndarray of shape (n_params,)
        The slots, since ``bind``. With ``t`` they are all that the next step depends on: filled
        with another's, they go on to the same bits.
    t : int
        Steps taken since ``bind``.

    Raises
    ------
    ValueError
        If a hyper-parameter is out of its range.
    """

    lr: float

    slots: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        positive(lr=self.lr)

    def bind(
        self,
        params: ndarray,
        grads: ndarray,
        n_decayed: int,
        lr_factors: Sequence[tuple[slice, float]] | None = None,
    ) -> None:
        """Attach to a network's vectors and start afresh, with t = 0 and empty slots.

        Parameters
        ----------
        params, grads : ndarray of shape (n_params,), float32 or float64
            Kept, not copied: ``step`` reads ``grads`` and writes ``params``.
        n_decayed : int
            How many parameters, from the first, weight decay acts on.
        lr_factors : sequence of (slice, float), optional
            Stretches that make up the parameters, and the factor on the learning rate in each;
            1 everywhere by default.
        """
        self.t = 0
        lr_factors = lr_factors or [(slice(0, params.size), 1.0)]
        self._decayed = [(factor, params[:n_decayed][cut]) for cut, factor in lr_factors]
        self.slot_vectors = {name: np.zeros_like(params) for name in self.slots}
        vectors = (params, grads, *self.slot_vectors.values())
        scratch = np.empty_like(params[:BLOCK])
        self._blocks = [
            (factor, [*(vector[cut] for vector in vectors), scratch[: cut.stop - cut.start]])
            for stretch, factor in lr_factors
            for cut in blocks(stretch.start, stretch.stop)
        ]

    def step(self, lr: float, epoch: float = inf) -> None:
        """Apply the rule once; allocates nothing of the parameters' size.

        Parameters
        ----------
        lr : float
            The learning rate.
        epoch : float
            Epochs done so far; to a rule that changes with them, infinity is its end.
        """
        self.t += 1
        for factor, block in self._blocks:
            self.update(float(lr) * factor, *block)

    @abstractmethod
    def update(self, *args: Any, **kwargs: Any) -> None:
        """Apply the rule to a block: a subclass takes ``lr, p, g``, its slots, and scratch."""


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent: p ← p - lr·g.

    Source: Robbins & Monro, "A stochastic approximation method", 1951.
    """

    lr: float = 0.1

    def update(self, lr: float, p: ndarray, g: ndarray, s: ndarray) -> None:
        np.multiply(g, lr, out=s)
        p -= s


@dataclass
class Momentum(Optimizer):
    """Classical momentum: v ← μ·v - lr·g, p ← p + v, with μ = ``momentum``, 0 <= μ < 1.

    The rate is inside the velocity: when a schedule lowers it, steps already under way keep theirs.
    μ may rise on a straight line from ``initial_momentum`` in the first ``ramp`` epochs, and
    ``dampened`` multiplies the rate by 1 - μ, so that the velocity is a mean of steps, not a sum.

    Source: Polyak, 1964, as in Sutskever, Martens, Dahl & Hinton, "On the importance of
    initialization and momentum in deep learning", 2013, equations 1 and 2; the ramp and 1 - μ:
    Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors",
    2012, appendix A.
    """

    lr: float = 0.05
    momentum: float = 0.9
    initial_momentum: float = 0.5
    ramp: float = 0.0
    dampened: bool = False

    slots = ("v",)

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(momentum=self.momentum, initial_momentum=self.initial_momentum)
        at_least(0, ramp=self.ramp)

    def step(self, lr: float, epoch: float = inf) -> None:
        share = epoch / self.ramp if epoch < self.ramp else 1.0
        self._mu = (1 - share) * self.initial_momentum + share * self.momentum
        super().step(lr * (1 - self._mu) if self.dampened else lr, epoch)

    def update(self, lr: float, p: ndarray, g: ndarray, v: ndarray, s: ndarray) -> None:
        np.multiply(g, lr, out=s)
        v *= self._mu
        v -= s
        p += v


@dataclass
class Nesterov(Momentum):
    """Nesterov's momentum: v ← μ·v - lr·g, p ← p + μ·v - lr·g.

    The parameters held are the point looked ahead to, p = θ + μ·v, where the gradient is due.

    Source: Sutskever et al. (see ``Momentum``), equations 3 and 4, in the variables of Bengio,
    Boulanger-Lewandowski & Pascanu, "Advances in optimizing recurrent networks", 2013, section 3.5.
    """

    def update(self, lr: float, p: ndarray, g: ndarray, v: ndarray, s: ndarray) -> None:
        np.multiply(g, lr, out=s)
        v *= self._mu
        v -= s
        p -= s
        np.multiply(v, self._mu, out=s)
        p += s
