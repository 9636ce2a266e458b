import tracemalloc

import numpy as np
import pytest

from mlp.data import Batches, Part, fit_scaler

N, N_IN = 1000, 784
X = np.random.default_rng(0).integers(0, 256, (N, N_IN), dtype=np.uint8)
Y = np.arange(N) % 10


def make_part(kind="unit", rows=None, dtype=np.uint8):
    x = X.astype(dtype)
    return Part(x, Y, rows, fit_scaler(kind, x, rows, 255.0))


def collect(batches):
    """Copy an epoch's batches, whose buffers are used again."""
    xs, ys = zip(*[(x.copy(), y.copy()) for x, y in batches], strict=True)
    return np.vstack(xs), np.hstack(ys), [len(y) for y in ys]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stored", [np.uint8, np.float32])
@pytest.mark.parametrize("kind", ["unit", "standardize"])
def test_in_order_yields_every_row_scaled_once(kind, stored, dtype):
    rows = np.arange(5, N, 3)
    part = make_part(kind, rows, stored)
    x, y, sizes = collect(Batches(part, 64, dtype).in_order())
    assert x.dtype == dtype
    assert sizes == [64, 64, 64, 64, 64, 12]
    np.testing.assert_array_equal(y, Y[rows])
    expected = (X[rows].astype(dtype) - part.scaler.shift) * part.scaler.factor
    np.testing.assert_array_equal(x, expected)


def test_a_part_without_rows_yields_all():
    _, y, _ = collect(Batches(make_part(), 300).in_order())
    np.testing.assert_array_equal(y, Y)


def test_shuffled_yields_every_row_once_in_an_order_of_the_generator_alone():
    """The order does not depend on the epochs before."""
    batches = Batches(make_part(rows=np.arange(500)), 128)
    plain, *_ = collect(batches.in_order())
    first, y, sizes = collect(batches.shuffled(np.random.default_rng(1)))
    other, *_ = collect(batches.shuffled(np.random.default_rng(2)))
    again, *_ = collect(batches.shuffled(np.random.default_rng(1)))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(first[np.lexsort(first.T)], plain[np.lexsort(plain.T)])
    np.testing.assert_array_equal(np.bincount(y), [50] * 10)
    assert sizes == [128, 128, 128, 116]


@pytest.mark.parametrize(("size", "n"), [(1, 1000), (128, 8), (250, 4), (1000, 1), (5000, 1)])
def test_its_length_is_the_number_of_batches(size, n):
    batches = Batches(make_part(), size)
    assert len(batches) == n == len(list(batches.in_order()))


def test_the_user_s_arrays_are_never_written():
    part = make_part("standardize", dtype=np.float32)
    before = part.x.copy()
    collect(Batches(part, 64).shuffled(np.random.default_rng(0)))
    np.testing.assert_array_equal(part.x, before)


@pytest.mark.parametrize("kind", ["unit", "standardize"])
@pytest.mark.parametrize("stored", [np.uint8, np.float32])
def test_nothing_of_a_batchs_size_is_allocated(kind, stored):
    """Beyond NumPy's own loop buffer, which has a fixed size."""
    x = np.ones((600, 10_000), stored)
    part = Part(x, np.zeros(600, np.int64), None, fit_scaler(kind, x))
    batches = Batches(part, 256)
    rng = np.random.default_rng(0)
    list(batches.shuffled(rng))
    tracemalloc.start()
    try:
        for _ in batches.shuffled(rng):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.05 * 256 * 10_000
