"""Points in a plane: on their curves but for the noise, and the same for every run."""

import numpy as np
import pytest

from mlp.base import DataError
from mlp.data import Circles, Moons, Source, Spirals


@pytest.mark.parametrize("kind", [Moons, Circles, Spirals])
def test_half_of_each_class_to_train_and_to_test_on(kind: type[Source]):
    data = kind(n=100).load()
    assert (data.x_train.shape, data.x_test.shape) == ((100, 2), (100, 2))
    for y in (data.y_train, data.y_test):
        np.testing.assert_array_equal(np.bincount(y), [50, 50])
    assert not np.isin(data.x_test, data.x_train).any()


def test_the_seed_is_that_of_the_points():
    assert Moons().load().digest == Moons(val_size=7, split_seed=3).load().digest
    assert Moons().load().digest != Moons(seed=1).load().digest


def test_without_noise_points_lie_on_their_curves():
    circles = Circles(noise=0).load()
    radii = np.array([1, 0.5])[circles.y_train]
    np.testing.assert_allclose(np.hypot(*circles.x_train.T), radii, rtol=1e-6)
    moons = Moons(noise=0).load()
    centres = np.array([[0, 0], [1, 0.5]])[moons.y_train]
    x, y = (moons.x_train - centres).T
    np.testing.assert_allclose(np.hypot(x, y), 1, rtol=1e-6)
    assert ((y >= -1e-6) == (moons.y_train == 0)).all()  # the upper half, the lower half


def test_spirals_are_each_other_turned_by_half():
    spirals = Spirals(noise=0, turns=2).load()
    sides = 1 - 2 * spirals.y_train[:, None]  # turning by half is a change of sign
    radius = np.hypot(*spirals.x_train.T)
    np.testing.assert_allclose(
        spirals.x_train * sides,
        np.column_stack([radius * np.cos(4 * np.pi * radius), radius * np.sin(4 * np.pi * radius)]),
        atol=1e-5,
    )


def test_noise_has_its_deviation():
    clear, noisy = (Circles(n=20_000, noise=noise).load() for noise in (0, 0.3))
    np.testing.assert_allclose((noisy.x_train - clear.x_train).std(axis=0), 0.3, rtol=0.02)


def test_refusals():
    with pytest.raises(ValueError, match="n must be at least 4, got 3"):
        Moons(n=3)
    with pytest.raises(ValueError, match="noise must be at least 0, got -1"):
        Moons(noise=-1)
    with pytest.raises(DataError, match="moons has classes as targets and no numbers"):
        Moons().load("numbers")
