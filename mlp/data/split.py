"""The split of rows into those that train, those that validate and those that test."""

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
    part: Literal["val", "test"] = "val",
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the training rows and the validation rows, each in ascending order.

    Parameters
    ----------
    y : ndarray of shape (n,), int64, or (n, n_targets), float64
        Class indices; or numbers, of which ``"stratified"`` draws at random.
    validation : {"stratified", "ordered", "none"}
        ``"stratified"`` draws from each class in proportion to its size, ``"ordered"`` takes the
        last rows, ``"none"`` leaves all rows to training.
    val_fraction : float or None
        Share of the rows to validate on, when ``val_size`` is None.
    val_size : int or None
        Number of rows to validate on.
    rng : numpy.random.Generator
        Used by ``"stratified"`` alone.
    part : {"val", "test"}
        What the rows are held back for; messages name its keys.

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
    n_val, asked = _part_size(part, len(y), val_fraction, val_size)
    if validation == "ordered":
        return rows[:-n_val], rows[-n_val:]

    by_class, class_sizes, rank_in_class = _shuffled_by_class(y, rng)
    shares = _proportional_shares(class_sizes, n_val)
    bare = np.flatnonzero((class_sizes > 0) & (shares == class_sizes))
    if len(bare):
        raise DataError(
            f"{asked} leaves {len(bare)} of {np.count_nonzero(class_sizes)} classes without a row "
            "to train on; take fewer rows"
            + (", or set data.validation to ordered or none" if part == "val" else "")
        )
    is_val = rank_in_class < np.repeat(shares, class_sizes)
    return np.sort(by_class[~is_val]), np.sort(by_class[is_val])


def fold_rows(y: np.ndarray, n_folds: int, fold: int, rng: np.random.Generator) -> np.ndarray:
    """Return the rows of one of ``n_folds`` disjoint parts, in ascending order.

    Parameters
    ----------
    y : ndarray
        As in `split_rows`; each class is spread evenly over the folds.
    n_folds, fold : int
        ``fold`` counts from 0.
    rng : numpy.random.Generator
        The same for all folds.

    Raises
    ------
    DataError
        When there are fewer rows than folds.
    """
    if len(y) < n_folds:
        raise DataError(f"data.folds={n_folds} of {len(y)} rows leaves a fold without a row")
    by_class, _, _ = _shuffled_by_class(y, rng)
    return np.sort(by_class[fold::n_folds])


def _shuffled_by_class(
    y: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows, sorted by class and else shuffled; the class sizes; ranks in the class."""
    classes = y if y.ndim == 1 else np.zeros(len(y), np.int64)
    class_sizes = np.bincount(classes)
    shuffled = rng.permutation(len(y))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    starts = np.cumsum(class_sizes) - class_sizes
    return by_class, class_sizes, np.arange(len(y)) - np.repeat(starts, class_sizes)


def _part_size(part: str, n: int, fraction: float | None, size: int | None) -> tuple[int, str]:
    """Return the number of rows of a part and, for messages, the key and value it came from."""
    if size is not None:
        n_part, asked = size, f"data.{part}_size={size}"
    else:
        n_part, asked = round((fraction or 0) * n), f"data.{part}_fraction={fraction}"
    if not 0 < n_part < n:
        purpose = "validate" if part == "val" else "test"
        raise DataError(
            f"{asked} of {n} training rows makes {n_part} rows to {purpose} on; "
            f"it must leave at least 1 for each part"
        )
    return n_part, asked


def _proportional_shares(class_sizes: np.ndarray, total: int) -> np.ndarray:
    """Share ``total`` out in proportion to the sizes, by largest remainder, exactly."""
    scaled = class_sizes * total  # integers, so that equal remainders are equal
    shares, remainders = np.divmod(scaled, class_sizes.sum())
    n_left = total - shares.sum()
    shares[np.argsort(-remainders, kind="stable")[:n_left]] += 1
    return shares
