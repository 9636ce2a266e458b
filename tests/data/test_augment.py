"""Augmentation: what a warp does to an image, and that it is random by its key alone."""

from dataclasses import replace

import numpy as np
import pytest

from mlp.base import generator
from mlp.data import Affine, AffineElastic, Elastic
from mlp.data.augment import affine_maps
from mlp.data.displacement import RandomDisplacement
from mlp.data.resampling import BLOCK_IMAGES, Resampler

NOTHING = {"rotation": 0.0, "scale": 0.0, "shear": 0.0, "translation": 0.0}
WARPS = [Affine(), Elastic(), AffineElastic()]


def images(n: int = 5, height: int = 12, width: int = 9, margin: int = 0) -> np.ndarray:
    """Noise, within a margin of zeros."""
    x = np.zeros((n, height, width), np.float32)
    inner = slice(margin, height - margin), slice(margin, width - margin)
    x[:, *inner] = np.random.default_rng(0).random(x[:, *inner].shape)
    return x


def mapped(x: np.ndarray, **changes: float) -> np.ndarray:
    """Return the images after one affine map."""
    n, height, width = x.shape
    keys = ("rotation", "height", "width", "shear", "down", "right")
    maps = affine_maps(*(np.full(n, changes.get(key, 0.0)) for key in keys))
    resampler, result = Resampler(height, width, x.dtype), x.copy()
    points = resampler.points(n)
    np.matmul(maps.astype(x.dtype), resampler.grid, out=points)
    resampler(result, points)
    return result


class TestAffineMap:
    @pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (-2, 3)])
    def test_translation_moves_whole_pixels_exactly(self, down: int, right: int):
        x = images(margin=3)
        expected = np.roll(x, (down, right), axis=(1, 2))
        np.testing.assert_array_equal(mapped(x, down=down, right=right), expected)

    def test_what_comes_from_outside_is_zero(self):
        x = images()
        moved = mapped(x, down=2)
        np.testing.assert_array_equal(moved[:, 2:], x[:, :-2])
        assert not moved[:, :2].any()
        assert not mapped(x, right=100).any()

    @pytest.mark.parametrize("turns", [1, 2, 3])
    @pytest.mark.parametrize("size", [8, 9])
    def test_rotation_by_right_angles_is_exact(self, turns: int, size: int):
        x = images(height=size, width=size)
        expected = np.rot90(x, turns, axes=(1, 2))
        np.testing.assert_allclose(mapped(x, rotation=90 * turns), expected, atol=1e-6)

    def test_half_a_pixel_is_the_mean_of_two(self):
        x = images(margin=1)
        expected = (x[:, :, 1:] + x[:, :, :-1]) / 2
        np.testing.assert_allclose(mapped(x, right=0.5)[:, :, 1:], expected, atol=1e-6)

    def test_shear_moves_each_row_by_its_distance_from_the_middle(self):
        x = images(height=5, width=11, margin=2)[:, :, ::-1]
        x[:, :, :4], x[:, :, -4:] = 0, 0
        x[:, 0] = x[:, 4] = x[:, 2]
        expected = np.stack([np.roll(x[:, row], row - 2, axis=1) for row in range(5)], axis=1)
        np.testing.assert_allclose(mapped(x, shear=1.0), expected, atol=1e-6)

    def test_growth_doubles_what_is_seen(self):
        x = np.zeros((1, 21, 21), np.float32)
        x[:, 8:13, 8:13] = 1
        grown = mapped(x, height=1.0, width=0.5)
        assert grown.sum() == pytest.approx(x.sum() * 2 * 1.5, rel=0.1)
        assert np.count_nonzero(grown[0, :, 10] > 0.5) == pytest.approx(10, abs=1)


@pytest.mark.parametrize("warp", WARPS, ids=lambda warp: type(warp).__name__)
class TestWarp:
    def test_with_no_strength_leaves_the_images_alone(self, warp):
        still = {name: 0.0 for name in (*NOTHING, "alpha") if hasattr(warp, name)}
        x = images()
        changed = x.copy()
        replace(warp, **still)(changed, np.random.default_rng(0))
        np.testing.assert_array_equal(changed, x)

    def test_equal_keys_give_equal_bits_and_others_do_not(self, warp):
        """Also from an object that was used before."""
        results = []
        for used, epoch in ((warp, 1), (replace(warp), 1), (warp, 2)):
            x = images()
            used(x, generator(0, "augment", epoch))
            results.append(x)
        np.testing.assert_array_equal(results[0], results[1])
        assert not np.allclose(results[0], results[2], atol=0.05)

    def test_equal_images_are_warped_differently(self, warp):
        x = np.repeat(images(1), 2 * BLOCK_IMAGES + 3, axis=0)
        warp(x, np.random.default_rng(0))
        assert len(np.unique(x, axis=0)) == len(x)

    def test_invents_no_brightness(self, warp):
        """A value is a mean of four, so that none leaves the range of the image."""
        x = images(60)
        warp(x, np.random.default_rng(0))
        assert x.min() >= 0
        assert x.max() <= 1

    def test_keeps_the_ink_and_its_place_on_average(self, warp):
        x = np.zeros((400, 28, 28), np.float32)
        x[:, 9:19, 9:19] = 1
        warp(x, np.random.default_rng(0))
        assert x.sum(axis=(1, 2)).mean() == pytest.approx(100, rel=0.06)
        mean = x.mean(axis=0)
        middle = [np.average(np.arange(28), weights=mean.sum(axis=axis)) for axis in (1, 0)]
        np.testing.assert_allclose(middle, 13.5, atol=0.3)

    def test_takes_any_size_and_dtype(self, warp):
        for x in (images(3, 5, 7).astype(np.float64), images(3)):
            before = x.copy()
            warp(x, np.random.default_rng(0))
            assert np.isfinite(x).all()
            assert not np.allclose(x, before, atol=0.01)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 30.0])
def test_displacements_have_the_norm_and_are_as_smooth_as_asked(sigma: float):
    points = np.zeros((2, 8, 28 * 28))
    RandomDisplacement(28, 28, sigma, 34.0, points.dtype).add_to(points, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(points, axis=2), 34.0)
    steps = np.diff(points.reshape(2, 8, 28, 28), axis=3)
    # Two values of smoothed noise, d apart, have the correlation exp(-d² / 4σ²).
    expected = np.sqrt(2 * (1 - np.exp(-1 / (4 * sigma**2)))) * np.sqrt(np.mean(points**2))
    assert np.sqrt(np.mean(steps**2)) == pytest.approx(expected, rel=0.35)


@pytest.mark.parametrize(
    ("kind", "wrong", "sentence"),
    [
        (Affine, {"rotation": -1.0}, "rotation must be at least 0, got -1.0"),
        (Affine, {"scale": 1.0}, "scale must be at least 0 and below 1, got 1.0"),
        (Elastic, {"sigma": 0.0}, "sigma must be greater than 0, got 0.0"),
        (AffineElastic, {"alpha": -1.0}, "alpha must be at least 0, got -1.0"),
        (AffineElastic, {"shear": -1.0}, "shear must be at least 0, got -1.0"),
    ],
)
def test_bounds(kind, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**wrong)
