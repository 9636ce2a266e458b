"""Activations against their formulas, their limits, and central differences."""

import tracemalloc

import numpy as np
import pytest

from mlp.nn.activation_check import check_activation
from mlp.nn.activation_function import ActivationFunction
from mlp.nn.activations import ACTIVATIONS, get_activation

FORMULAS = {
    "identity": lambda z: z,
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    "gelu": lambda z: z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1),
    "scaled_tanh": lambda z: 1.7159 * np.tanh(2 * z / 3),
}
LIMITS = {  # of φ'(z) as z goes to -∞ and to +∞
    "identity": (1, 1),
    "relu": (0, 1),
    "leaky_relu": (0.01, 1),
    "elu": (0, 1),
    "selu": (0, 1.0507009873554805),
    "gelu": (0, 1),
    "silu": (0, 1),
    "mish": (0, 1),
    "softplus": (0, 1),
    "sigmoid": (0, 0),
    "tanh": (0, 0),
    "scaled_tanh": (0, 0),
}
away_from_zero = np.concatenate([-np.geomspace(0.01, 8, 60), np.geomspace(0.01, 8, 60)])

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
both_precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


def value(activation, z):
    """Return φ(z), computed apart from z, with scratch that would betray being read."""
    a = np.full_like(z, np.nan)
    activation.forward(z, a, np.full_like(z, np.nan))
    return a


def derivative(activation, z):
    """Return φ'(z): what 1 is multiplied by; the array that is not read would betray it."""
    a, nan, delta = value(activation, z), np.full_like(z, np.nan), np.ones_like(z)
    activation.backward(z if activation.reads == "z" else nan, a, delta, nan.copy())
    return delta


@every_activation
@both_precisions
def test_value_is_the_published_formula(activation, dtype):
    """φ agrees with its textbook form to the precision of the type."""
    a = value(activation, away_from_zero.astype(dtype))
    assert a.dtype == dtype
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(a, FORMULAS[activation.name](away_from_zero), 20 * eps, 10 * eps)


@every_activation
def test_derivative_agrees_with_central_differences(activation):
    """φ'(z) = (φ(z + h) - φ(z - h)) / 2h, away from the kink at 0."""
    z, h = away_from_zero, 1e-5
    differences = (value(activation, z + h) - value(activation, z - h)) / (2 * h)
    error = np.linalg.norm(derivative(activation, z) - differences)
    assert error <= 1e-9 * np.linalg.norm(differences)


@pytest.mark.parametrize(("name", "at_zero"), [("relu", 0), ("leaky_relu", 0.01), ("elu", 1)])
def test_derivative_at_the_kink(name, at_zero):
    """At 0 a rectifier takes its left slope; the slopes of ELU meet."""
    assert derivative(ACTIVATIONS[name], np.zeros(1)) == at_zero


def test_selu_keeps_mean_0_and_variance_1():
    """The fixed point of Klambauer et al. 2017, section 2, for z ~ N(0, 1)."""
    z = np.linspace(-12, 12, 200_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    a = value(ACTIVATIONS["selu"], z)
    np.testing.assert_allclose([density @ a, density @ a**2], [0, 1], atol=1e-6)


@every_activation
@both_precisions
def test_nothing_overflows_at_extremes(activation, dtype):
    """At ±1e4 both are finite and the derivative has reached its limits, without a warning."""
    z = np.array([-1e4, 1e4], dtype)
    assert np.isfinite(value(activation, z)).all()
    np.testing.assert_allclose(derivative(activation, z), LIMITS[activation.name], atol=1e-6)


@pytest.mark.parametrize("name", [n for n, a in ACTIVATIONS.items() if a.reads == "a"])
def test_value_may_overwrite_z(name):
    """Where the derivative reads a, the value may be computed in z's own memory."""
    z = away_from_zero.copy()
    expected = value(ACTIVATIONS[name], z)
    ACTIVATIONS[name].forward(z, z, np.empty_like(z))
    np.testing.assert_array_equal(z, expected)


@every_activation
def test_inputs_are_left_as_they_are(activation):
    """z is left as it is when the output lies apart."""
    z = away_from_zero.copy()
    a, delta = value(activation, z), np.ones_like(z)
    activation.backward(z, a, delta, np.empty_like(z))
    np.testing.assert_array_equal(z, away_from_zero)


@every_activation
def test_no_array_is_allocated(activation):
    """Nothing of the arrays' size is allocated: at most a ufunc's buffer."""
    z, a, delta, scratch = np.ones((4, 512, 2048), np.float32)
    tracemalloc.start()
    activation.forward(z, a, scratch)
    activation.backward(z, a, delta, scratch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.02 * z.nbytes


def test_an_unknown_name_is_answered_with_the_names():
    """The error lists every activation and offers the nearest."""
    assert get_activation("silu") is ACTIVATIONS["silu"]
    with pytest.raises(ValueError, match=r"identity, relu, .*got 'rleu'; did you mean 'relu'"):
        get_activation("rleu")


class Own(ActivationFunction):
    """φ(z) = z², as it should be."""

    def forward(self, z, out, scratch):
        np.multiply(z, z, out=out)

    def backward(self, z, a, delta, scratch):
        delta *= 2 * z


class Returned(Own):
    def forward(self, z, out, scratch):
        return z * z


class WrongSlope(Own):
    def backward(self, z, a, delta, scratch):
        delta *= 3 * z


class StraightThrough(Own):
    approximate = True

    def backward(self, z, a, delta, scratch):
        pass


class Assigned(Own):
    def backward(self, z, a, delta, scratch):
        delta[:] = 2 * z


class ReadTooLate(Own):
    reads = "a"

    def forward(self, z, out, scratch):
        np.exp(z, out=out)
        out *= z


class Broken(Own):
    def backward(self, z, a, delta, scratch):
        delta *= z.no_such_thing


@pytest.mark.parametrize("own", [Own, StraightThrough])
def test_one_of_your_own_that_is_right(own):
    assert type(get_activation(f"{__name__}.{own.__name__}")) is own


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (Returned, r"Returned must write φ\(z\) into out in forward, and returns an array instead"),
        (
            WrongSlope,
            r"backward: at z = -3.17 it makes -19.02 of 2, where forward has the slope -6",
        ),
        (Assigned, r"backward: at z = -3.17 it makes -6.34 of 2"),
        (ReadTooLate, r"must not read z in forward once out is written"),
        (Broken, r"Broken fails with AttributeError: .*no_such_thing"),
    ],
)
def test_one_of_your_own_is_tried_first(own, sentence):
    with pytest.raises(ValueError, match=sentence):
        get_activation(f"{__name__}.{own.__name__}")


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_the_trial_accepts_every_right_one(activation):
    check_activation(activation)


def test_one_of_your_own_goes_by_its_dotted_name():
    """Its kind is checked before it is called."""
    assert type(get_activation("mlp.nn.activations.ReLU")).__name__ == "ReLU"
    with pytest.raises(ValueError, match="activation must name a class of the kind ActivationFu"):
        get_activation("os.system")
    with pytest.raises(ValueError, match="Function', which lacks backward, forward"):
        get_activation("mlp.nn.ActivationFunction")
    with pytest.raises(ValueError, match=r"got 'no\.Swish' \(ModuleNotFoundError"):
        get_activation("no.Swish")
