"""Initial values of weights and biases, named by text: ``he_normal``, ``normal:0.01``, ...

The numbers are drawn in float64 and rounded to the array's type, so that a float32 network starts
as the float64 network of the same seed, rounded.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from numpy import ndarray
from numpy.random import Generator

from mlp.base import closest, positive


class Initializer(ABC):
    """Fills an array with initial values."""

    @abstractmethod
    def __call__(self, out: ndarray, n_in: int, n_out: int, rng: Generator) -> None:
        """Fill ``out``.

        Parameters
        ----------
        out : ndarray of any shape, float32 or float64
            A layer's weights, of shape (n_in, n_out), or its biases, of shape (n_out,).
        n_in, n_out : int
            Inputs and outputs of the layer.
        rng : numpy.random.Generator
            What the numbers are drawn from.
        """


class Zeros(Initializer):
    """All zeros, the usual start of biases."""

    def __call__(self, out: ndarray, n_in: int, n_out: int, rng: Generator) -> None:
        """Fill ``out`` with zeros."""
        out.fill(0)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with mean 0 and standard deviation ``std``."""

    std: float

    def __post_init__(self) -> None:
        positive(std=self.std)

    def __call__(self, out: ndarray, n_in: int, n_out: int, rng: Generator) -> None:
        """Fill ``out`` with draws."""
        out[...] = rng.normal(0, self.std, out.shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform between ``-bound`` and ``bound``; its variance is bound² / 3."""

    bound: float

    def __post_init__(self) -> None:
        positive(bound=self.bound)

    def __call__(self, out: ndarray, n_in: int, n_out: int, rng: Generator) -> None:
        """Fill ``out`` with draws."""
        out[...] = rng.uniform(-self.bound, self.bound, out.shape)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Mean 0 and a variance that follows from the layer's size, normal or uniform."""

    distribution: Literal["normal", "uniform"]

    @abstractmethod
    def variance(self, n_in: int, n_out: int) -> float:
        """Return the variance for a layer of ``n_in`` inputs and ``n_out`` outputs."""

    def __call__(self, out: ndarray, n_in: int, n_out: int, rng: Generator) -> None:
        """Fill ``out`` with draws."""
        std = sqrt(self.variance(n_in, n_out))
        draw = Normal(std) if self.distribution == "normal" else Uniform(sqrt(3) * std)
        draw(out, n_in, n_out, rng)


class He(VarianceScaling):
    """Variance 2 / n_in: keeps the scale of the signal through layers of rectifiers.

    Source: He, Zhang, Ren & Sun, "Delving deep into rectifiers", 2015, equation 10.
    """

    def variance(self, n_in: int, n_out: int) -> float:
        """Return 2 / n_in."""
        return 2 / n_in


class Glorot(VarianceScaling):
    """Variance 2 / (n_in + n_out): between the needs of the forward and of the backward pass.

    Source: Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010, equations 12 and 16 (the uniform one).
    """

    def variance(self, n_in: int, n_out: int) -> float:
        """Return 2 / (n_in + n_out)."""
        return 2 / (n_in + n_out)


class LeCun(VarianceScaling):
    """Variance 1 / n_in: pre-activations of unit variance, as the scaled tanh expects.

    Source: LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998, equation 16.
    """

    def variance(self, n_in: int, n_out: int) -> float:
        """Return 1 / n_in."""
        return 1 / n_in


NUMBER = r"(\d*\.?\d+(?:e-?\d+)?)"

INITIALIZERS: dict[str, Initializer] = {
    "he_normal": He("normal"),
    "he_uniform": He("uniform"),
    "glorot_normal": Glorot("normal"),
    "glorot_uniform": Glorot("uniform"),
    "lecun_normal": LeCun("normal"),
    "lecun_uniform": LeCun("uniform"),
    "zeros": Zeros(),
}
"""Those that take no argument; ``normal:std`` and ``uniform:bound`` take one."""


def get_initializer(name: str, field: str = "initializer") -> Initializer:
    """Return the initializer that a text names.

    Parameters
    ----------
    name : str
        A key of ``INITIALIZERS``, or ``"normal:0.01"``, ``"uniform:0.05"`` with any positive
        number; ``"normal(0.01)"`` is the same, and needs quotes within quotes in a shell.
    field : str
        What an error calls it.

    Raises
    ------
    ValueError
        If nothing has that name (with the list of names), or the number is not positive.
    """
    if name in INITIALIZERS:
        return INITIALIZERS[name]
    if match := re.fullmatch(rf"(normal|uniform)(?::{NUMBER}|\({NUMBER}\))", name):
        number = float(match[2] or match[3])
        return Normal(number) if match[1] == "normal" else Uniform(number)
    choices = [*INITIALIZERS, "normal:0.01", "uniform:0.05"]
    raise ValueError(
        f"{field} must be one of {', '.join(choices)}; got {name!r}{closest(name, choices)}"
    )
