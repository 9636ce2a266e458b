"""Activations that are, or come close to, max(z, 0)."""

# ruff: noqa: D102 -- the methods are described once, in ActivationFunction

from math import pi, sqrt

import numpy as np
from numpy import ndarray

from mlp.nn.activation_function import ActivationFunction
from mlp.nn.sigmoids import sigmoid


class ReLU(ActivationFunction):
    """φ(z) = max(z, 0), φ' = 1 where a > 0, else 0 (at the kink too).

    Source: Nair & Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.
    """

    name = "relu"
    reads = "a"

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        scratch.fill(0)  # NumPy's maximum is vectorised for two arrays, not for a scalar: 2.5 x
        np.maximum(z, scratch, out=out)

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        np.greater(a, 0, out=scratch)
        delta *= scratch


class LeakyReLU(ActivationFunction):
    """φ(z) = max(z, s·z) with s = 0.01, φ' = 1 where a > 0, else s.

    Source: Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic models",
    2013, section 2.
    """

    name = "leaky_relu"
    reads = "a"
    slope = 0.01

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        np.multiply(z, self.slope, out=scratch)
        np.maximum(z, scratch, out=out)

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        np.greater(a, 0, out=scratch)
        scratch *= 1 - self.slope
        scratch += self.slope
        delta *= scratch


class ELU(ActivationFunction):
    """φ(z) = z where z > 0, else exp(z) - 1; φ' = 1 where a > 0, else a + 1 (that is, α = 1).

    Source: Clevert, Unterthiner & Hochreiter, "Fast and accurate deep network learning by
    exponential linear units (ELUs)", 2016, section 3.
    """

    name = "elu"
    reads = "a"

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        scratch.fill(0)
        np.minimum(z, scratch, out=scratch)
        np.expm1(scratch, out=scratch)
        np.maximum(z, scratch, out=out)  # z < exp(z) - 1 for every z < 0

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        scratch.fill(0)
        np.minimum(a, scratch, out=scratch)
        scratch += 1
        delta *= scratch


class SELU(ActivationFunction):
    """φ(z) = λ·z where z > 0, else λ·α·(exp(z) - 1); φ' = λ where a > 0, else a + λ·α.

    Source: Klambauer, Unterthiner, Mayr & Hochreiter, "Self-normalizing neural networks", 2017,
    equation 2, and equation 14 for λ and α.
    """

    name = "selu"
    reads = "a"
    alpha = 1.6732632423543772
    lambda_ = 1.0507009873554805

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        scratch.fill(0)
        np.minimum(z, scratch, out=scratch)
        np.expm1(scratch, out=scratch)
        np.maximum(z, scratch, out=out)  # ELU; what SELU has less below 0 is (α - 1)·scratch
        scratch *= self.alpha - 1
        out += scratch
        out *= self.lambda_

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        scratch.fill(0)
        np.minimum(a, scratch, out=scratch)
        scratch += self.lambda_ * self.alpha
        delta *= scratch  # by λ·α where a > 0
        np.greater(a, 0, out=scratch)
        scratch *= 1 / self.alpha - 1
        scratch += 1
        delta *= scratch


class GELU(ActivationFunction):
    """φ(z) = z/2 · (1 + t), t = tanh(u), u = √(2/π)·(z + 0.044715·z³).

    φ' = (1 + t)/2 · (1 + (1 - t)·z·du/dz).

    Source: Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", 2016, section 2: the tanh
    form, NumPy having no erf.
    """

    name = "gelu"
    reads = "z"
    c1 = sqrt(2 / pi)
    c3 = c1 * 0.044715

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        self._tanh_u(z, out)
        out += 1
        out *= z
        out *= 0.5

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        self._tanh_u(z, a)
        np.square(z, out=scratch)
        scratch *= 3 * self.c3
        scratch += self.c1
        scratch *= z  # z · du/dz
        np.subtract(1, a, out=a)  # 1 - t
        scratch *= a
        scratch += 1
        np.subtract(2, a, out=a)  # 1 + t
        a *= scratch
        a *= 0.5
        delta *= a

    def _tanh_u(self, z: ndarray, out: ndarray) -> None:
        np.square(z, out=out)
        out *= self.c3
        out += self.c1
        out *= z
        np.tanh(out, out=out)


class SiLU(ActivationFunction):
    """φ(z) = z·σ(z), φ' = σ(z)·(1 + z·(1 - σ(z))); also known as swish.

    Source: Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", 2018, section 2.
    """

    name = "silu"
    reads = "z"

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        sigmoid(z, out)
        out *= z

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        sigmoid(z, a)
        np.subtract(1, a, out=scratch)
        scratch *= z
        scratch += 1
        a *= scratch
        delta *= a


class Mish(ActivationFunction):
    """φ(z) = z·tanh(softplus(z)) = z·(w² + 2w) / d with w = exp(z), d = w² + 2w + 2.

    φ' = w/d · (1 + (1 + w)·(1 + 4z/d)).

    Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019, equation 1.
    """

    name = "mish"
    reads = "z"
    z_max = 20.0  # from here on φ is z, and w² would soon overflow

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        self._w(z, out)
        np.add(out, 2, out=scratch)
        out *= scratch
        np.add(out, 2, out=scratch)  # d
        out /= scratch
        out *= z

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        self._w(z, a)
        np.add(a, 2, out=scratch)
        scratch *= a
        scratch += 2  # d
        delta *= a
        delta /= scratch
        np.divide(z, scratch, out=scratch)
        scratch *= 4
        scratch += 1
        a += 1
        scratch *= a
        scratch += 1
        delta *= scratch

    def _w(self, z: ndarray, out: ndarray) -> None:
        out.fill(self.z_max)
        np.minimum(z, out, out=out)
        np.exp(out, out=out)


class Softplus(ActivationFunction):
    """φ(z) = log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), φ' = σ(z) = 1 - exp(-a).

    Source: Dugas et al., "Incorporating second-order functional knowledge for better option
    pricing", 2000, section 3.
    """

    name = "softplus"
    reads = "a"

    def forward(self, z: ndarray, out: ndarray, scratch: ndarray) -> None:
        np.negative(z, out=scratch)
        np.minimum(z, scratch, out=scratch)  # -|z|, whose exponential cannot overflow
        np.exp(scratch, out=scratch)
        np.log1p(scratch, out=scratch)
        np.maximum(z, 0, out=out)
        out += scratch

    def backward(self, z: ndarray, a: ndarray, delta: ndarray, scratch: ndarray) -> None:
        np.negative(a, out=scratch)
        np.expm1(scratch, out=scratch)
        np.negative(scratch, out=scratch)
        delta *= scratch
