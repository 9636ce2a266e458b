import numpy as np
import pytest

from mlp.base import RunError
from mlp.data import Scaler, fit_scaler


@pytest.fixture
def x():
    """5,000 rows of bytes; feature 0 is constant."""
    x = np.random.default_rng(0).integers(0, 200, (5000, 300), dtype=np.uint8)
    x[:, 0] = 7
    return x


def scaled(scaler, x, dtype=np.float64):
    return scaler.transform(x, out=np.empty(x.shape, dtype))


def test_unit_divides_by_the_largest_possible_value(x):
    np.testing.assert_allclose(scaled(fit_scaler("unit", x, None, 255.0), x), x / 255, rtol=1e-7)


def test_unit_divides_by_the_largest_magnitude_of_the_training_rows_when_none_is_known():
    x = np.array([[1, -4], [2, 3], [100, 100]], np.float32)
    scaler = fit_scaler("unit", x, np.array([0, 1]))
    np.testing.assert_array_equal(scaled(scaler, x), x / 4)


@pytest.mark.parametrize("kind", ["unit", "standardize", "none"])
def test_features_that_are_all_zero_stay_finite(kind):
    x = np.zeros((3, 2), np.float32)
    np.testing.assert_array_equal(scaled(fit_scaler(kind, x), x), x)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_standardize_gives_the_training_rows_mean_0_and_deviation_1(x, dtype):
    rows = np.arange(100, 4000)
    x = x.astype(dtype)
    x[4000:] = 0
    result = scaled(fit_scaler("standardize", x, rows, 255.0), x)[rows]
    np.testing.assert_allclose(result.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(result[:, 1:].std(axis=0), 1, rtol=1e-6)


def test_a_constant_feature_gets_unit_scale():
    """Also one whose mean is rounded, so that its computed deviation is not quite 0."""
    x = np.full((1000, 2), 0.1, np.float32)
    x[:, 1] = np.arange(1000)
    scaler = fit_scaler("standardize", x)
    assert scaler.factor[0] == 1
    np.testing.assert_allclose(scaled(scaler, x)[:, 0], 0, atol=1e-8)


def test_none_changes_nothing(x):
    np.testing.assert_array_equal(scaled(fit_scaler("none", x, None, 255.0), x), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["unit", "standardize"])
def test_transform_is_shift_then_factor_and_may_work_in_place(x, kind, dtype):
    scaler = fit_scaler(kind, x, None, 255.0)
    expected = (x.astype(dtype) - scaler.shift) * scaler.factor
    np.testing.assert_array_equal(scaled(scaler, x, dtype), expected)
    in_place = x.astype(dtype)
    assert scaler.transform(in_place, out=in_place) is in_place
    np.testing.assert_array_equal(in_place, expected)


def test_what_was_saved_is_loaded(x, tmp_path):
    scaler = fit_scaler("standardize", x)
    scaler.save(tmp_path)
    loaded = Scaler.load(tmp_path)
    np.testing.assert_array_equal(loaded.shift, scaler.shift)
    np.testing.assert_array_equal(loaded.factor, scaler.factor)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        (b"", "not a readable"),
        (b"text", "not a readable"),
        (np.ones(3, np.float64), "finite float32 values, got float64"),
        (np.ones((3, 1), np.float32), r"got float32 of shape \(3, 1\)"),
        (np.full(3, np.nan, np.float32), "finite"),
        (np.ones(2, np.float32), "holds 2 values and shift.npy 3"),
        (np.array([1, "a"], object), "not a readable"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, message):
    Scaler(np.zeros(3, np.float32), np.ones(3, np.float32)).save(tmp_path)
    path = tmp_path / "factor.npy"
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(RunError, match=message) as caught:
        Scaler.load(tmp_path)
    assert str(path) in str(caught.value)
