"""Scaling of the inputs: fitted on the training rows, stored with the run, applied per batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mlp.base import RunError

ScaleKind = Literal["unit", "standardize", "robust", "none"]

CHUNK_VALUES = 1 << 18  # read at a time while fitting: 2 MB in float64, whatever the data's size
TINIEST = float(np.finfo(np.float32).tiny)  # 1 / spread must be a finite float32


@dataclass(frozen=True)
class Scaler:
    """The map ``x -> (x - shift) * factor``, feature by feature.

    Attributes
    ----------
    shift, factor : ndarray of shape (n_in,), float32
    """

    shift: np.ndarray
    factor: np.ndarray

    @property
    def n_in(self) -> int:
        """Number of the network's inputs."""
        return len(self.shift)

    @property
    def n_raw(self) -> int:
        """Number of features of a raw row."""
        return self.n_in

    def raw(self, x: Any) -> np.ndarray:
        """Return inputs as an array that `transform` takes.

        Parameters
        ----------
        x : array_like of shape (n, n_in), or (n, ...) with as many numbers a row

        Raises
        ------
        ValueError
            For another shape, or what is not a finite number.
        """
        raw = np.asarray(x)
        if raw.dtype == object:
            try:
                raw = raw.astype(np.float64)
            except (TypeError, ValueError) as error:
                raise ValueError(f"inputs must be numbers: {error}") from None
        if raw.dtype.kind not in "buif":
            raise ValueError(f"inputs must be real numbers, got {raw.dtype}")
        if raw.ndim < 2 or prod(raw.shape[1:]) != self.n_in:
            raise ValueError(f"inputs must be of shape (n, {self.n_in}), got {raw.shape}")
        if not (np.abs(raw) <= np.finfo(np.float32).max).all():
            raise ValueError("inputs must be finite in float32: no NaN, infinity or null")
        return raw.reshape(len(raw), self.n_in)

    def transform(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write the scaled rows into ``out`` and return it; nothing of their size is allocated.

        Parameters
        ----------
        x : ndarray of shape (n, n_in), uint8 or float32
        out : ndarray of shape (n, n_in), float32 or float64
            May be ``x`` itself.
        """
        np.copyto(out, x)  # casting here is faster than inside the arithmetic
        if self._common_factor is not None:
            np.multiply(out, self._common_factor, out=out)
            return out
        np.subtract(out, self.shift, out=out)
        np.multiply(out, self.factor, out=out)
        return out

    @cached_property
    def _common_factor(self) -> float | None:
        """The one factor of all features when nothing is shifted: half the work."""
        plain = not self.shift.any() and (self.factor == self.factor[0]).all()
        return float(self.factor[0]) if plain else None

    def save(self, folder: Path) -> None:
        """Write ``shift.npy`` and ``factor.npy`` into an existing folder."""
        np.save(folder / "shift.npy", self.shift)
        np.save(folder / "factor.npy", self.factor)

    @classmethod
    def load(cls, folder: Path) -> "Scaler":
        """Read what ``save`` wrote; RunError names the file that is absent or damaged."""
        shift, factor = (load_vector(folder / name) for name in ("shift.npy", "factor.npy"))
        if len(shift) != len(factor):
            raise RunError(
                f"{folder / 'factor.npy'} holds {len(factor)} values and shift.npy {len(shift)}; "
                "both need one per input feature"
            )
        return cls(shift, factor)


def fit_scaler(
    kind: ScaleKind,
    x: np.ndarray,
    rows: np.ndarray | None = None,
    x_max: float | None = None,
    change: Callable[[np.ndarray], None] | None = None,
) -> Scaler:
    """Fit a scaler to some rows of ``x``.

    Parameters
    ----------
    kind : {"unit", "standardize", "none"}
        ``"unit"`` divides by ``x_max``, so that the features lie in [0, 1], or when that is not
        known by the largest magnitude in the rows (then in [-1, 1]). ``"standardize"`` gives
        each feature mean 0 and standard deviation 1; a constant feature is only shifted.
    x : ndarray of shape (n, n_in), uint8 or float32
    rows : ndarray of int64, optional
        The training rows; all by default. No other row is looked at.
    x_max : float, optional
        The largest value a feature can take.
    change : callable, optional
        What is done to rows, in place, before they are scaled.

    Raises
    ------
    ValueError
        For another kind.
    """
    if kind not in ("unit", "standardize", "none"):
        raise ValueError(f"scale must be unit, standardize or none, got {kind!r}")
    rows = np.arange(len(x)) if rows is None else rows
    n_in = x.shape[1]
    shift, spread = np.zeros(n_in), np.ones(n_in)
    if kind == "unit":
        largest = x_max or max(float(np.abs(chunk).max()) for chunk in _chunks(x, rows, change))
        spread[:] = largest if largest >= TINIEST else 1.0
    elif kind == "standardize":
        shift, spread = _mean_and_deviation(lambda: _chunks(x, rows, change), n_in)
    return Scaler(shift.astype(np.float32), (1 / spread).astype(np.float32))


def _mean_and_deviation(
    chunks: Callable[[], Iterator[np.ndarray]], n_in: int
) -> tuple[np.ndarray, np.ndarray]:
    """Per feature, in float64; the deviation of a constant feature is given as 1."""
    total, squares, varies = np.zeros(n_in), np.zeros(n_in), np.zeros(n_in, bool)
    first, n = next(chunks())[0], 0
    for chunk in chunks():
        n += len(chunk)
        total += chunk.sum(axis=0)
        # Rounding leaves a constant feature a deviation just above 0, so it is not asked.
        varies |= (chunk != first).any(axis=0)
    mean = total / n
    for chunk in chunks():
        squares += np.square(chunk - mean).sum(axis=0)
    deviation = np.sqrt(squares / n)
    return mean, np.where(varies & (deviation >= TINIEST), deviation, 1.0)


def _chunks(
    x: np.ndarray, rows: np.ndarray, change: Callable[[np.ndarray], None] | None
) -> Iterator[np.ndarray]:
    """Yield the rows in float64, a few at a time, after a change."""
    n_rows = max(1, CHUNK_VALUES // x.shape[1])
    for start in range(0, len(rows), n_rows):
        chunk = x[rows[start : start + n_rows]].astype(np.float64)
        if change:
            change(chunk)
        yield chunk


def load_vector(path: Path, dtype: str = "<f4") -> np.ndarray:
    """Read a vector of finite values of a dtype; RunError if the file holds no such vector."""
    try:
        # Mapped first: a header that declares more than the file holds is refused, not allocated.
        vector = np.array(np.lib.format.open_memmap(path, mode="r"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing: the run's inputs cannot be scaled without it") from None
    except Exception as error:  # a header is parsed as Python, which has many ways to fail
        raise RunError(f"{path} is not a readable .npy file ({error})") from error
    if vector.dtype != dtype or vector.ndim != 1 or not np.isfinite(vector).all():
        raise RunError(
            f"{path} must hold a vector of finite {np.dtype(dtype)} values, "
            f"got {vector.dtype} of shape {vector.shape}"
        )
    return vector
