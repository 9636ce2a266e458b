"""The split of the training rows into those that train and those that validate."""

from typing import Literal

import numpy as np

from mlp.base import DataError

Validation = Literal["stratified", "ordered", "none"]


def split_rows(
    y: np.ndarray,
    validation: Validation,
    val_fraction: float | None,
    val_size: int | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the training rows and the validation rows, each in ascending order.

    Parameters
    ----------
    y : ndarray of shape (n,), int64
        Class indices.
    validation : {"stratified", "ordered", "none"}
        ``"stratified"`` draws from each class in proportion to its size, ``"ordered"`` takes the
        last rows, ``"none"`` leaves all rows to training.
    val_fraction : float or None
        Share of the rows to validate on, when ``val_size`` is None.
    val_size : int or None
        Number of rows to validate on.
    rng : numpy.random.Generator
        Used by ``"stratified"`` alone.

    Returns
    -------
    train_rows : ndarray of int64
    val_rows : ndarray of int64, or None for ``"none"``

    Raises
    ------
    DataError
        When a part would be empty, or a class left without a row to train on.
    """
    rows = np.arange(len(y))
    if validation == "none":
        return rows, None
    n_val, asked = _validation_size(len(y), val_fraction, val_size)
    if validation == "ordered":
        return rows[:-n_val], rows[-n_val:]

    class_sizes = np.bincount(y)
    shares = _proportional_shares(class_sizes, n_val)
    bare = np.flatnonzero((class_sizes > 0) & (shares == class_sizes))
    if len(bare):
        raise DataError(
            f"{asked} leaves {len(bare)} of {np.count_nonzero(class_sizes)} classes without a row "
            "to train on; take fewer rows, or set data.validation to ordered or none"
        )
    shuffled = rng.permutation(len(y))
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    starts = np.cumsum(class_sizes) - class_sizes
    rank_in_class = rows - np.repeat(starts, class_sizes)
    is_val = rank_in_class < np.repeat(shares, class_sizes)
    return np.sort(by_class[~is_val]), np.sort(by_class[is_val])


def _validation_size(n: int, val_fraction: float | None, val_size: int | None) -> tuple[int, str]:
    """Return the number of validation rows and, for messages, the key and value it came from."""
    if val_size is not None:
        n_val, asked = val_size, f"data.val_size={val_size}"
    else:
        n_val, asked = round((val_fraction or 0) * n), f"data.val_fraction={val_fraction}"
    if not 0 < n_val < n:
        raise DataError(
            f"{asked} of {n} training rows makes {n_val} rows to validate on; "
            f"it must leave at least 1 for each part"
        )
    return n_val, asked


def _proportional_shares(class_sizes: np.ndarray, total: int) -> np.ndarray:
    """Share ``total`` out in proportion to the sizes, by largest remainder, exactly."""
    scaled = class_sizes * total  # integers, so that equal remainders are equal
    shares, remainders = np.divmod(scaled, class_sizes.sum())
    n_left = total - shares.sum()
    shares[np.argsort(-remainders, kind="stable")[:n_left]] += 1
    return shares
