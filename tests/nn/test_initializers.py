"""Initializers: the variance each promises, reproducible at both precisions."""

import numpy as np
import pytest

from mlp.nn.initializers import INITIALIZERS, get_initializer

N_IN, N_OUT = 300, 200
VARIANCES = {
    "he_normal": 2 / N_IN,
    "he_uniform": 2 / N_IN,
    "glorot_normal": 2 / (N_IN + N_OUT),
    "glorot_uniform": 2 / (N_IN + N_OUT),
    "lecun_normal": 1 / N_IN,
    "lecun_uniform": 1 / N_IN,
    "normal(0.01)": 0.01**2,
    "uniform(0.05)": 0.05**2 / 3,
}
every_distribution = pytest.mark.parametrize("name", VARIANCES)


def draw(name, dtype=np.float64, seed=0):
    """Return weights of shape (300, 200)."""
    W = np.full((N_IN, N_OUT), np.nan, dtype)
    get_initializer(name)(W, N_IN, N_OUT, np.random.default_rng(seed))
    return W


def test_every_initializer_is_tested_here():
    """A new one needs its variance in the table above."""
    assert set(INITIALIZERS) - {"zeros"} <= set(VARIANCES)


@every_distribution
def test_mean_and_variance(name):
    """Over 60,000 draws the mean is 0 and the variance the promised one, within 4 sigma."""
    W, std = draw(name), np.sqrt(VARIANCES[name])
    assert abs(W.mean()) < 4 * std / np.sqrt(W.size)
    assert abs(W.var() / std**2 - 1) < 4 * np.sqrt(2 / W.size)


@every_distribution
def test_shape_of_the_distribution(name):
    """A uniform one ends at √3 standard deviations; of a normal one, 0.27 % lie beyond 3."""
    beyond = np.abs(draw(name)) / np.sqrt(VARIANCES[name])
    if "uniform" in name:
        assert 1.73 < beyond.max() <= np.sqrt(3)
    else:
        assert 0.002 < np.mean(beyond > 3) < 0.0034


@every_distribution
def test_equal_generators_give_equal_weights(name):
    """The draws depend on the generator alone."""
    np.testing.assert_array_equal(draw(name), draw(name))
    assert not np.array_equal(draw(name), draw(name, seed=1))


@every_distribution
def test_float32_is_float64_rounded(name):
    """A float32 network starts as the float64 one of the same seed, rounded."""
    np.testing.assert_array_equal(draw(name, np.float32), draw(name).astype(np.float32))


def test_biases_take_the_sizes_of_their_layer():
    """An array of shape (n_out,) is filled with the layer's variance, not with its own."""
    b = np.empty(20_000)
    get_initializer("he_normal")(b, 50, 20_000, np.random.default_rng(0))
    assert b.var() == pytest.approx(2 / 50, rel=0.05)


def test_zeros():
    """All zeros."""
    assert not draw("zeros").any()


@pytest.mark.parametrize(("name", "parameter"), [("normal(2)", 2), ("normal(1e-3)", 0.001)])
def test_the_number_is_read_from_the_text(name, parameter):
    """Integers and exponents are numbers as well."""
    assert get_initializer(name).std == parameter


@pytest.mark.parametrize(
    "name",
    [
        "he",
        "normal",
        "normal()",
        "normal(a)",
        "uniform(-1)",
        "normal:",
        "normal:0.01)",
        "normal(0.01",
        "normal:-1",
        "",
    ],
)
def test_an_unknown_name_is_answered_with_the_names(name):
    """The error lists every initializer, and says what was asked for."""
    with pytest.raises(ValueError, match=r"must be one of he_normal, .*uniform:0.05; got '"):
        get_initializer(name)


def test_a_spread_of_zero_is_refused():
    """For that there is zeros."""
    with pytest.raises(ValueError, match="std must be greater than 0, got 0"):
        get_initializer("normal(0)")


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_a_number_can_follow_a_colon(kind):
    """It can be typed in a shell without quotes, and means the same."""
    assert get_initializer(f"{kind}:0.01") == get_initializer(f"{kind}(0.01)")
    assert get_initializer(f"{kind}:5e-3") == get_initializer(f"{kind}:.005")
