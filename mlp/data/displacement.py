"""Smooth random displacements of pixels."""

import numpy as np

from mlp.data.resampling import BLOCK_IMAGES


class RandomDisplacement:
    """Fields drawn evenly from -1 to 1, smoothed by a Gaussian, and brought to a norm.

    Parameters
    ----------
    height, width : int
        Of an image, in pixels.
    sigma : float
        Standard deviation of the Gaussian, in pixels.
    norm : float
        Of a field over the image; one field says how far the pixels move in rows, another in
        columns.
    dtype : dtype
    """

    def __init__(self, height: int, width: int, sigma: float, norm: float, dtype: np.dtype) -> None:
        self._down, self._across = (
            _gaussian(size, sigma).astype(dtype) for size in (height, width)
        )
        self._shape, self._norm = (height, width), norm
        self._buffers = np.empty((2, 2 * BLOCK_IMAGES * height * width), dtype)

    def add_to(self, points: np.ndarray, rng: np.random.Generator) -> None:
        """Displace the points of ``n`` ≤ ``BLOCK_IMAGES`` images.

        Parameters
        ----------
        points : ndarray of shape (2, n, height · width)
            Rows and columns.
        rng : Generator
        """
        noise, half_smooth = (
            buffer[: points.size].reshape(2, -1, *self._shape) for buffer in self._buffers
        )
        # Bytes are drawn five times as fast as floats, and smoothing makes one of hundreds.
        np.copyto(noise.reshape(-1), np.frombuffer(rng.bytes(noise.size), np.uint8))
        noise -= 127.5
        # The Gaussian of an image is that of its rows times that of its columns.
        np.matmul(noise, self._across, out=half_smooth)
        fields = np.matmul(self._down, half_smooth, out=noise).reshape(points.shape)
        squares = np.einsum("ijk,ijk->ij", fields, fields)
        tiny = np.finfo(noise.dtype).tiny
        fields *= (self._norm / np.sqrt(np.maximum(squares, tiny)))[..., None]
        points += fields


def _gaussian(size: int, sigma: float) -> np.ndarray:
    """Return the matrix that smooths ``size`` values, up to a factor."""
    places = np.arange(size)
    return np.exp(-0.5 * np.square((places[:, None] - places) / sigma))
