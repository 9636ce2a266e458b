"""Minibatches, gathered and scaled into buffers that are made once."""

from collections.abc import Iterator

import numpy as np

from mlp.data.dataset import Part

AT_ONCE = 1 << 17  # values gathered together: of small batches, the calls cost more than the rows


class Batches:
    """The minibatches of a part, epoch after epoch.

    Parameters
    ----------
    part : Part
    batch_size : int
        Rows of a batch; the last one of an epoch has what is left.
    dtype : dtype
        Of the network: float32 or float64.

    Notes
    -----
    Each iteration yields ``x``, an ndarray of shape (n_batch, n_in) in ``dtype``, scaled, and
    ``y``, an ndarray of shape (n_batch,), int64, or (n_batch, n_targets), float32. Both are views
    of this object's buffers and valid until the next batch, so only one iteration can be under way
    at a time. Nothing of a batch's size is allocated.
    """

    def __init__(self, part: Part, batch_size: int, dtype: np.dtype | type = np.float32) -> None:
        self._part = part
        self._rows = np.arange(len(part)) if part.rows is None else part.rows
        self._order = np.empty_like(self._rows)
        self._batch_size = batch_size
        self._n_at_once = batch_size * max(1, AT_ONCE // (batch_size * part.x.shape[1]))
        shape = (min(self._n_at_once, len(part)), part.x.shape[1])
        self._x = np.empty(shape, dtype)
        # Rows are gathered as they are stored, a byte a pixel; no detour when stored as computed.
        self._raw = self._x if part.x.dtype == self._x.dtype else np.empty(shape, part.x.dtype)
        self._y = np.empty((len(part), *part.y.shape[1:]), part.y.dtype)  # of an epoch

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-len(self._rows) // self._batch_size)

    def shuffled(self, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of an epoch in an order that depends on ``rng`` alone."""
        np.copyto(self._order, self._rows)
        rng.shuffle(self._order)
        return self._gather(self._order)

    def in_order(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches in the order of the part's rows."""
        return self._gather(self._rows)

    def _gather(self, order: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        # mode="clip": the default would gather into a temporary array first.
        np.take(self._part.y, order, axis=0, out=self._y, mode="clip")
        for start in range(0, len(order), self._n_at_once):
            x = self._inputs(order[start : start + self._n_at_once])
            y = self._y[start : start + len(x)]
            for i in range(0, len(x), self._batch_size):
                yield x[i : i + self._batch_size], y[i : i + self._batch_size]

    def _inputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the inputs of some rows, scaled."""
        raw, x = self._raw[: len(rows)], self._x[: len(rows)]
        np.take(self._part.x, rows, axis=0, out=raw, mode="clip")
        if self._part.scaler:
            self._part.scaler.transform(raw, out=x)
        elif self._raw is not self._x:
            np.copyto(x, raw)
        return x
