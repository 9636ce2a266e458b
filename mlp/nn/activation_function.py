"""The contract of an activation function, a = φ(z), and the simplest one."""

# ruff: noqa: D102 -- the methods are described once, in ActivationFunction

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
from numpy import ndarray


class ActivationFunction(ABC):
    """An elementwise function φ and its derivative.

    Attributes
    ----------
    name : str
        What a configuration calls it; one of your own needs none.
    reads : "z" or "a"
        The array that ``backward`` reads. With ``"a"``, z is not needed again after ``forward``,
        which may then work in place.
    approximate : bool
        Whether ``backward`` is not meant to be the derivative of ``forward``, as in a
        straight-through estimator (Bengio et al. 2013); else one of your own is tried at a few
        points before a training.
    """

    name: str
    reads: Literal["z", "a"] = "z"
    approximate: bool = False

    @abstractmethod
    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        """Write a = φ(z) into ``out``.

        Parameters
        ----------
        z : ndarray of any shape, float32 or float64
            Left as it is, unless it is ``out``.
        out : ndarray like ``z``
            May be ``z`` itself where ``reads`` is ``"a"``.
        scratch : ndarray like ``z``
            Overwritten; shares no memory with the others.
        """

    @abstractmethod
    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        """Multiply ``delta`` by φ'(z), element by element.

        Parameters
        ----------
        z : ndarray of any shape, float32 or float64
            What ``forward`` was given; overwritten by now where ``reads`` is ``"a"``.
        a : ndarray like ``z``
            What ``forward`` returned. May be overwritten where ``reads`` is ``"z"``.
        delta : ndarray like ``z``
            ∂L/∂a on entry, ∂L/∂z on return.
        scratch : ndarray like ``z``
            Overwritten; shares no memory with the others.
        """


class Identity(ActivationFunction):
    """φ(z) = z, φ' = 1."""

    name = "identity"
    reads = "a"

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        np.copyto(out, z)

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        pass
