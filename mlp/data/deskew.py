"""Deskewing: an image whose ink leans to a side is sheared upright."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlp.base import RunError, read_json
from mlp.data.resampling import BLOCK_IMAGES, Resampler
from mlp.data.scaling import Scaler

FILE = "deskew.json"


class Deskewer:
    """Shears images so that the rows and the columns of their ink are uncorrelated.

    With the ink as a distribution over the pixels, the shear that makes the covariance of row and
    column 0 is that covariance over the variance of the row. The rows' mean stays where it is.

    Source: LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document
    recognition", 1998, section III.A: "deslanted" by the moments of inertia.

    Parameters
    ----------
    height, width : int
        In pixels.
    """

    steepest = 2.0  # columns a row; no digit leans as far
    least_variance = 1e-3  # of the rows, for a lean to be told

    def __init__(self, height: int, width: int) -> None:
        self._shape = height, width
        self._resamplers: dict[np.dtype, tuple[Resampler, np.ndarray]] = {}

    def __call__(self, x: np.ndarray) -> None:
        """Deskew rows of pixels in place: ``x`` of shape (n, height · width), float."""
        resampler, moments = self._prepared(x.dtype)
        for start in range(0, len(x), BLOCK_IMAGES):
            block = x[start : start + BLOCK_IMAGES]
            # No matrix products: what they make of a row may depend on how many there are.
            lean, middle = _lean(np.einsum("ij,kj->ik", block, moments))
            points = resampler.points(len(block))
            points[...] = resampler.grid[:2, None]
            points[1] += lean[:, None] * (points[0] - middle[:, None])
            resampler(block.reshape(-1, *self._shape), points)

    def _prepared(self, dtype: np.dtype) -> tuple[Resampler, np.ndarray]:
        """Return what is made once: a resampler, and the pixels' 1, r, c, r·c, r²."""
        if dtype not in self._resamplers:
            resampler = Resampler(*self._shape, dtype)
            r, c, one = resampler.grid
            self._resamplers[dtype] = resampler, np.stack([one, r, c, r * c, r * r])
        return self._resamplers[dtype]


def _lean(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns a row that each image leans by, and its mean row; 0 without ink."""
    ink = np.where(sums[:, 0] > 0, sums[:, 0], np.inf)
    r, c, rc, rr = sums[:, 1:].T / ink
    variance = rr - r * r
    safe = np.where(variance > Deskewer.least_variance, variance, np.inf)
    return np.clip((rc - r * c) / safe, -Deskewer.steepest, Deskewer.steepest), r


@dataclass(frozen=True)
class DeskewingScaler(Scaler):
    """A scaler of images that are deskewed first.

    Attributes
    ----------
    image_shape : tuple of int
        (height, width).
    """

    image_shape: tuple[int, int]
    _deskew: Deskewer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_deskew", Deskewer(*self.image_shape))

    def transform(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write the deskewed and scaled rows into ``out`` and return it; see `Scaler`.

        They are rounded to float32 in either case.
        """
        rows = out if out.dtype == np.float32 else np.empty(out.shape, np.float32)
        np.copyto(rows, x)
        self._deskew(rows)
        super().transform(rows, rows)
        if rows is not out:
            np.copyto(out, rows)
        return out

    def save(self, folder: Path) -> None:
        """Write ``deskew.json`` besides the scaler's files."""
        super().save(folder)
        text = json.dumps({"image_shape": self.image_shape})
        (folder / FILE).write_text(f"{text}\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "DeskewingScaler":
        """Read what ``save`` wrote; RunError names the file that is absent or damaged."""
        scaler, path = Scaler.load(folder), folder / FILE
        try:
            height, width = map(int, read_json(path)["image_shape"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} does not say how large an image is: {error}") from None
        if height < 1 or width < 1 or height * width != scaler.n_in:
            raise RunError(f"{path}: {height} x {width} pixels are not {scaler.n_in} inputs")
        return cls(scaler.shift, scaler.factor, (height, width))
