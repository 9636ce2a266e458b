"""Augmentation: each epoch sees the training images in another form."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlp.base import at_least, fraction, positive
from mlp.data.displacement import RandomDisplacement
from mlp.data.resampling import BLOCK_IMAGES, Resampler

RowChange = Callable[[np.ndarray, np.random.Generator], None]  # of rows of shape (n, n_in)


class NoAugmentation:
    """The training examples are taken as they are."""

    def of_rows(self, image_shape: Sequence[int] | None) -> None:
        """Return no change."""


class Augmentation(ABC):
    """A random change of the training images, drawn anew for each batch.

    One of your own is a class with this one method.
    """

    @abstractmethod
    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> None:
        """Change a batch in place.

        Parameters
        ----------
        images : ndarray of shape (n_batch, height, width), float32 or float64
            Scaled as the network gets them.
        rng : Generator
            The only source of randomness, keyed by seed and epoch: a replayed epoch sees the same
            images.
        """

    def of_rows(self, image_shape: Sequence[int] | None) -> RowChange:
        """Return the same change for batches of shape (n_batch, height · width).

        Raises
        ------
        ValueError
            Without an ``image_shape``.
        """
        if image_shape is None:
            raise ValueError("changes images, and the rows of these data are not known to be any")
        return lambda x, rng: self(x.reshape(-1, *image_shape), rng)


class Warp(Augmentation):
    """A change that moves pixels: each is read at another place, by bilinear interpolation.

    What comes from outside the image is 0, and all pixels are to be scaled alike.
    """

    _resampler: Resampler | None = None

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> None:
        """Warp a batch in place; nothing of its size is allocated after the first one."""
        if self._resampler is None or not self._resampler.fits(images):
            height, width = images.shape[1:]
            self._resampler = self.prepare(height, width, images.dtype)
        for start in range(0, len(images), BLOCK_IMAGES):
            block = images[start : start + BLOCK_IMAGES]
            points = self._resampler.points(len(block))
            self.place(points, self._resampler.grid, rng)
            self._resampler(block, points)

    def prepare(self, height: int, width: int, dtype: np.dtype) -> Resampler:
        """Make the buffers for images of a size."""
        return Resampler(height, width, dtype)

    @abstractmethod
    def place(self, points: np.ndarray, grid: np.ndarray, rng: np.random.Generator) -> None:
        """Choose where to read each pixel.

        Parameters
        ----------
        points : ndarray of shape (2, n, height · width)
            To be filled with rows and columns, counted from the middle of the image.
        grid : ndarray of shape (3, height · width)
            Where the pixels are, and 1.
        rng : Generator
        """


@dataclass
class Affine(Warp):
    """Rotation, scaling, shear and translation, each drawn evenly from minus its bound to plus it.

    Parameters
    ----------
    rotation : float
        Degrees.
    scale : float
        Change of the height and, drawn apart, of the width, as a share of them; below 1.
    shear : float
        Columns that a row is moved for each row of its distance from the middle.
    translation : float
        Pixels, down and, drawn apart, to the right.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shear: float = 0.1
    translation: float = 1.0

    def __post_init__(self) -> None:
        at_least(0, rotation=self.rotation, shear=self.shear, translation=self.translation)
        fraction(scale=self.scale)

    def place(self, points: np.ndarray, grid: np.ndarray, rng: np.random.Generator) -> None:
        """Place the pixels by one affine map for each image."""
        bounds = self.rotation, self.scale, self.scale, self.shear, *2 * [self.translation]
        drawn = rng.uniform(-1, 1, (points.shape[1], 6)) * bounds
        np.matmul(affine_maps(*drawn.T).astype(grid.dtype), grid, out=points)


@dataclass
class Elastic(Warp):
    """Elastic deformation (Simard, Steinkraus and Platt 2003, section 2).

    The displacements of the pixels, in rows and in columns, are drawn evenly from -1 to 1, smoothed
    by a Gaussian, brought to a norm of 1 over the image, and multiplied by ``alpha``. So their root
    mean square is alpha / √(height · width) pixels: 1.2 with alpha = 34 and 28 x 28 pixels.

    Parameters
    ----------
    sigma : float
        Standard deviation of the Gaussian in pixels: the elasticity.
    alpha : float
        The strength.
    """

    sigma: float = 4.0
    alpha: float = 34.0

    def __post_init__(self) -> None:
        positive(sigma=self.sigma)
        at_least(0, alpha=self.alpha)

    def prepare(self, height: int, width: int, dtype: np.dtype) -> Resampler:
        """Make the buffers for images of a size."""
        self._displacement = RandomDisplacement(height, width, self.sigma, self.alpha, dtype)
        return super().prepare(height, width, dtype)

    def place(self, points: np.ndarray, grid: np.ndarray, rng: np.random.Generator) -> None:
        """Place the pixels where they are, and displace them."""
        points[...] = grid[:2, None]
        self._displacement.add_to(points, rng)


@dataclass
class AffineElastic(Affine, Elastic):
    """An affine map and an elastic deformation in one; see both."""

    def __post_init__(self) -> None:
        Affine.__post_init__(self)
        Elastic.__post_init__(self)

    def place(self, points: np.ndarray, grid: np.ndarray, rng: np.random.Generator) -> None:
        """Place the pixels by an affine map, and displace them."""
        Affine.place(self, points, grid, rng)
        self._displacement.add_to(points, rng)


def affine_maps(
    rotation: np.ndarray,
    height: np.ndarray,
    width: np.ndarray,
    shear: np.ndarray,
    down: np.ndarray,
    right: np.ndarray,
) -> np.ndarray:
    """Return the maps from the pixels of a warped image to where they are read.

    Parameters
    ----------
    rotation : ndarray of shape (n,)
        Degrees, counterclockwise.
    height, width : ndarray of shape (n,)
        Growth as a share, greater than -1.
    shear : ndarray of shape (n,)
        Columns to the right for each row down from the middle.
    down, right : ndarray of shape (n,)
        Pixels.

    Returns
    -------
    ndarray of shape (2, n, 3)
        For the row and for the column, the factors of row, column and 1.
    """
    angle = np.deg2rad(rotation)
    cos, sin = np.cos(angle), np.sin(angle)
    # An image is scaled, sheared, rotated and moved: to be undone in the opposite order.
    rows = np.stack([cos, sin, -cos * down - sin * right])
    columns = np.stack([-sin, cos, sin * down - cos * right]) - shear * rows
    return np.stack([rows / (1 + height), columns / (1 + width)]).transpose(0, 2, 1)
