"""Bilinear resampling of images: the value of each pixel is read at a place of its own."""

import numpy as np

BLOCK_IMAGES = 32  # resampled at a time, so that their buffers stay in the cache


class Resampler:
    """Resamples blocks of images, in buffers made once.

    An image is continued by zeros outside its frame.

    Parameters
    ----------
    height, width : int
        Of an image, in pixels.
    dtype : dtype
        Of the images: float32 or float64.

    Attributes
    ----------
    grid : ndarray of shape (3, height · width)
        Row and column of each pixel, counted from the middle of the image, and 1: a matrix of
        shape (2, 3) times this is an affine map.
    """

    def __init__(self, height: int, width: int, dtype: np.dtype) -> None:
        self.shape, n_pixels = (height, width), height * width
        rows, columns = np.indices(self.shape, dtype).reshape(2, -1)
        middle = (height - 1) / 2, (width - 1) / 2
        self.grid = np.stack([rows - middle[0], columns - middle[1], np.ones(n_pixels, dtype)])
        self._points = np.empty((2, BLOCK_IMAGES, n_pixels), dtype)
        # With a frame of zeros, a place outside and its neighbours are pixels like others.
        self._padded = np.zeros((BLOCK_IMAGES, height + 3, width + 3), dtype)
        self._origin = np.array([m + 1 for m in middle], dtype)[:, None, None]
        self._whole = np.empty_like(self._points)
        self._index = np.empty((BLOCK_IMAGES, n_pixels), np.intp)
        starts = np.arange(BLOCK_IMAGES) * self._padded[0].size
        self._starts = np.repeat(starts, n_pixels).reshape(self._index.shape)
        self._corners = np.empty((4, BLOCK_IMAGES, n_pixels), dtype)

    def fits(self, images: np.ndarray) -> bool:
        """Tell whether images have the size and the dtype that this object is for."""
        return images.shape[1:] == self.shape and images.dtype == self.grid.dtype

    def points(self, n: int) -> np.ndarray:
        """Return a buffer of shape (2, n, height · width) for the places to read ``n`` images at.

        It is to be filled with rows and columns, counted as those of ``grid``.
        """
        return self._points[:, :n]

    def __call__(self, images: np.ndarray, points: np.ndarray) -> None:
        """Replace the pixels of images by the values found at ``points``.

        Parameters
        ----------
        images : ndarray of shape (n, height, width)
            ``n`` ≤ ``BLOCK_IMAGES``; changed in place.
        points : ndarray of shape (2, n, height · width)
            What ``points`` returned; overwritten.
        """
        n, stride = len(images), self._padded.shape[2]
        self._padded[:n, 1:-2, 1:-2] = images
        points += self._origin
        np.maximum(points, 0, out=points)
        for axis, size in zip(points, self.shape, strict=True):
            np.minimum(axis, size + 1, out=axis)
        whole = np.floor(points, out=self._whole[:, :n])
        points -= whole
        down, right = points  # the distance from the pixel above, and from the one at the left
        whole[0] *= stride
        whole[0] += whole[1]
        index = self._index[:n]
        np.copyto(index, whole[0], casting="unsafe")  # exact in float32 up to 2^24 pixels
        index += self._starts[:n]
        pixels, (a, b, c, d) = self._padded.reshape(-1), self._corners[:, :n]
        for corner, start in ((a, 0), (b, 1), (c, stride), (d, stride + 1)):
            np.take(pixels[start:], index, out=corner, mode="clip")
        for left, other in ((a, b), (c, d)):
            other -= left
            other *= right
            left += other
        c -= a
        c *= down
        np.add(a, c, out=images.reshape(n, -1))
