"""Learning rate schedules: the factor on the base rate, as a function of the epochs done.

Time is counted in epochs, with fractions, so that a schedule means the same at every batch size: 0
at the first step, 2.5 in the middle of the third epoch. The horizon, where an annealing schedule
arrives at its end, is the schedule's own or else the length of the training.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import cos, floor, inf, log2, pi

from mlp.base import at_least, between, positive


class Schedule(ABC):
    """A factor on the learning rate that depends on how far training has come.

    Attributes
    ----------
    horizon : float or None
        Epochs after which the schedule is through; None takes the length of the training. It
        means nothing to a schedule that has no end.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    """

    horizon: float | None = None

    @abstractmethod
    def factor(self, epoch: float, horizon: float) -> float:
        """Return what to multiply the base rate with.

        Parameters
        ----------
        epoch : float
            Epochs done so far, not negative.
        horizon : float
            ``self.horizon``, or the number of epochs to train if that is None; greater than 0.
        """

    def check(self, max_epochs: int) -> None:
        """Raise ValueError unless the schedule fits into a training of so many epochs."""

    def observe(self, value: float, higher_is_better: bool) -> None:
        """Take note of an epoch's monitored metric; only ``ReduceOnPlateau`` heeds it."""

    def state(self) -> dict[str, float]:
        """Return what has been learned from ``observe``, as plain numbers."""
        return {}

    def load_state(self, state: dict[str, float]) -> None:
        """Go on from what ``state`` returned."""


@dataclass(frozen=True)
class Constant(Schedule):
    """Always the base rate."""

    def factor(self, epoch: float, horizon: float) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Multiplied by ``gamma`` at the end of every ``every`` epochs."""

    every: float = 10.0
    gamma: float = 0.5

    def __post_init__(self) -> None:
        positive(every=self.every, gamma=self.gamma)

    def factor(self, epoch: float, horizon: float) -> float:
        """Return gamma^⌊epoch / every⌋."""
        return self.gamma ** floor(epoch / self.every + 1e-9)  # 0.3 / 0.1 is a little less than 3


@dataclass(frozen=True)
class Exponential(Schedule):
    """Multiplied by ``gamma`` in the course of every epoch, a little at each step."""

    gamma: float = 0.95

    def __post_init__(self) -> None:
        positive(gamma=self.gamma)

    def factor(self, epoch: float, horizon: float) -> float:
        """Return gamma^epoch."""
        return self.gamma**epoch


@dataclass(frozen=True)
class Annealing(Schedule):
    """What ends at the factor ``final`` after ``horizon`` epochs, and stays there."""

    final: float = 0.0
    horizon: float | None = None

    def __post_init__(self) -> None:
        at_least(0, final=self.final)
        if self.horizon is not None:
            positive(horizon=self.horizon)


@dataclass(frozen=True)
class Linear(Annealing):
    """Straight from 1 to ``final``."""

    def factor(self, epoch: float, horizon: float) -> float:
        """Return 1 + (final - 1)·epoch / horizon."""
        return _blend(1, self.final, _progress(epoch, horizon))


@dataclass(frozen=True)
class Cosine(Annealing):
    """Half a cosine from 1 to ``final``.

    Source: Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017,
    equation 5, without restarts.
    """

    def factor(self, epoch: float, horizon: float) -> float:
        """Return final + (1 - final)·(1 + cos(π·epoch / horizon)) / 2."""
        return _blend(1, self.final, _half_cosine(_progress(epoch, horizon)))


@dataclass(frozen=True)
class WarmupCosine(Annealing):
    """Linear from 0.01 to 1 in ``warmup`` epochs, then half a cosine to ``final``.

    It starts at 0.01 because the first step, at epoch 0, would do nothing if it started at 0.

    Source: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017,
    section 2.2 (gradual warm-up), and ``Cosine``.
    """

    warmup: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(0, warmup=self.warmup)
        if self.horizon is not None:
            at_least(self.warmup, horizon=self.horizon)

    def check(self, max_epochs: int) -> None:
        """Raise ValueError if the training would end before the warm-up."""
        if self.warmup > max_epochs:
            raise ValueError(
                f"warmup must be at most max_epochs, {max_epochs}, got {self.warmup:g}"
            )

    def factor(self, epoch: float, horizon: float) -> float:
        """Return the factor on the ramp or, after it, on the cosine."""
        if epoch < self.warmup:
            return _blend(0.01, 1, epoch / self.warmup)
        progress = _progress(epoch - self.warmup, horizon - self.warmup)
        return _blend(1, self.final, _half_cosine(progress))


@dataclass(frozen=True)
class OneCycle(Annealing):
    """Half a cosine from ``initial`` up to 1, then one down to ``final``; ``lr`` is the peak.

    Source: Smith & Topin, "Super-convergence: very fast training of neural networks using large
    learning rates", 2018. Their slopes are straight, these are bent as PyTorch's are. The momentum
    is left alone.
    """

    final: float = 1e-4
    warmup_fraction: float = 0.3
    initial: float = 0.04

    def __post_init__(self) -> None:
        super().__post_init__()
        between(0, 1, warmup_fraction=self.warmup_fraction)
        positive(initial=self.initial)

    def factor(self, epoch: float, horizon: float) -> float:
        """Return the factor on the way up or, after ``warmup_fraction`` of the horizon, down."""
        peak = self.warmup_fraction * horizon
        if epoch < peak:
            return _blend(self.initial, 1, _half_cosine(epoch / peak))
        return _blend(1, self.final, _half_cosine(_progress(epoch - peak, horizon - peak)))


@dataclass(frozen=True)
class CosLog(Schedule):
    """Whole cosines from 0 up to 1 and back, ``cycles`` of them, each twice as long as the last.

    Source: Holzmüller, Grinsztajn & Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", 2024, section 3 (coslog4).
    """

    cycles: int = 4
    horizon: float | None = None

    def __post_init__(self) -> None:
        at_least(1, cycles=self.cycles)
        if self.horizon is not None:
            positive(horizon=self.horizon)

    def factor(self, epoch: float, horizon: float) -> float:
        """Return (1 - cos(2π·log₂(1 + (2^cycles - 1)·epoch / horizon))) / 2."""
        time = log2(1 + (2**self.cycles - 1) * _progress(epoch, horizon))  # in cycles
        return _half_cosine(2 * time)


@dataclass
class ReduceOnPlateau(Schedule):
    """Multiplied by ``gamma`` after every ``patience`` epochs in which the metric stood still.

    The metric is the one the trainer monitors. An epoch that beats the best value so far by more
    than ``min_delta`` starts the count anew.
    """

    gamma: float = 0.5
    patience: int = 5
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        between(0, 1, gamma=self.gamma)
        at_least(1, patience=self.patience)
        at_least(0, min_delta=self.min_delta)
        self._factor = 1.0
        self._best = -inf  # the best value, negated where lower is better
        self._waited = 0  # epochs

    def factor(self, epoch: float, horizon: float) -> float:
        """Return gamma^(reductions so far)."""
        return self._factor

    def observe(self, value: float, higher_is_better: bool) -> None:
        """Take note of an epoch's monitored metric, which may lower the factor from here on."""
        score = value if higher_is_better else -value
        if score > self._best + self.min_delta:
            self._best, self._waited = score, 0
            return
        self._waited += 1
        if self._waited == self.patience:
            self._factor, self._waited = self._factor * self.gamma, 0

    def state(self) -> dict[str, float]:
        """Return the factor, the best value and the epochs waited since."""
        return {"factor": self._factor, "best": self._best, "waited": self._waited}

    def load_state(self, state: dict[str, float]) -> None:
        """Go on from what ``state`` returned."""
        self._factor, self._best = state["factor"], state["best"]
        self._waited = int(state["waited"])


def _progress(epoch: float, horizon: float) -> float:
    """Return the share of the way that is done, at most 1."""
    return epoch / horizon if epoch < horizon else 1.0


def _half_cosine(progress: float) -> float:
    """Bend a progress from 0 to 1 so that it starts and ends level."""
    return (1 - cos(pi * progress)) / 2


def _blend(start: float, end: float, share: float) -> float:
    """Return the point between ``start`` (share 0) and ``end`` (share 1), exact at both."""
    return (1 - share) * start + share * end
