import numpy as np
import pandas as pd
import pytest

from mlp.base import DataError, RunError
from mlp.data import Column, TablePreprocessing, load_preprocessing
from mlp.data.preprocessing import fit_preprocessing

COLUMNS = (
    Column("area", "numeric"),
    Column("city", "categorical", ("Bern", "Oslo", "Rome")),
    Column("sex", "categorical", ("f", "m")),
    Column("pool", "boolean"),
)
NAN = np.nan
X = np.array(
    [
        [1, 0, 0, 1],
        [2, 1, 1, 0],
        [NAN, 2, 1, 1],
        [9, NAN, NAN, NAN],
        [4, 1, 0, 1],
        [1e6, 3, 2, 0],  # in no training row, with unknown categories
    ]
)
TRAIN = np.arange(5)
TABLE = {"area": [1], "city": ["Rome"], "sex": ["f"], "pool": [True]}


def fitted(scale="none", **options):
    return fit_preprocessing(COLUMNS, X, TRAIN, scale, **options)


def inputs(preprocessing, x=X, dtype=np.float32):
    return preprocessing.transform(x, np.empty((len(x), preprocessing.n_in), dtype))


def test_gaps_are_filled_and_categories_are_one_hot():
    """A gap is the median of the training rows, an unknown category 0 in all inputs."""
    expected = [
        [1, 1, 0, 0, -1, 1],
        [2, 0, 1, 0, 1, -1],
        [3, 0, 0, 1, 1, 1],
        [9, 0, 0, 0, 0, 0],
        [4, 0, 1, 0, -1, 1],
        [1e6, 0, 0, 0, 0, -1],
    ]
    np.testing.assert_array_equal(inputs(fitted()), expected)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        ({"area": 1, "city": "Rome", "sex": "f", "pool": True}, "each column must be a sequence"),
        ([{"area": 1}], "inputs must be a table with the columns area, city"),
        ([["1", "Rome", "f", "yes"]], "inputs must be a table with the columns area, city"),
        ({**TABLE, "area": [pd.Timestamp(0)]}, "column area, row 1: 1970-01-01 00:00:00 is not a"),
        ({**TABLE, "area": [1j]}, "column area, row 1: 1j is not a number"),
        ({**TABLE, "area": [1e39]}, "column area, row 1: 1e\\+39 is no finite number"),
    ],
)
def test_what_is_no_table_of_these_columns_is_refused(x, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        fitted().raw(x)


def test_flags_tell_gaps_and_unknown_categories():
    options = {"missing_indicators": True, "unknown_column": True}
    preprocessing = fitted(**options)
    assert preprocessing.flagged.all()
    flags = inputs(preprocessing)[:, [1, 5, 7, 9]]
    expected = [[0] * 4, [0] * 4, [1, 0, 0, 0], [0, 1, 1, 1], [0] * 4, [0, 1, 1, 0]]
    np.testing.assert_array_equal(flags, expected)
    without_gaps = fit_preprocessing(COLUMNS, X, TRAIN[:2], "none", **options)
    np.testing.assert_array_equal(without_gaps.flagged, [False, True, True, False])


def test_standardize_is_of_numbers_alone():
    x = inputs(fitted("standardize"))
    assert x[TRAIN, 0].mean() == pytest.approx(0, abs=1e-6)
    assert x[TRAIN, 0].std() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(x[:, 1:], inputs(fitted())[:, 1:])


def test_unit_divides_by_the_largest_magnitude():
    np.testing.assert_allclose(inputs(fitted("unit"))[TRAIN, 0], np.array([1, 2, 3, 9, 4]) / 9)


def test_robust_follows_the_published_formula_in_every_input():
    """(x - median) / IQR, then x / √(1 + (x/3)²); half the range where the IQR is 0."""
    raw, x = inputs(fitted(), dtype=np.float64), inputs(fitted("robust"), dtype=np.float64)
    for j in range(raw.shape[1]):
        low, median, high = np.quantile(raw[TRAIN, j], [0.25, 0.5, 0.75])
        spread = high - low or np.ptp(raw[TRAIN, j]) / 2
        scaled = (raw[:, j] - median) / spread
        np.testing.assert_allclose(x[:, j], scaled / np.sqrt(1 + (scaled / 3) ** 2), rtol=1e-6)
    assert np.abs(x).max() <= 3


@pytest.mark.parametrize("scale", ["none", "unit", "standardize", "robust"])
def test_what_does_not_vary_in_training_is_zero_for_ever(scale):
    rows = np.array([1, 4])  # Oslo twice
    x = inputs(fit_preprocessing(COLUMNS, X, rows, scale))
    assert not x[:, 1:4].any()
    assert x[:, 0].any()
    assert np.isfinite(x).all()


def test_categories_are_known_in_every_form_of_their_number():
    """A column of integers with gaps is written as floats by pandas."""
    column = Column("zip", "categorical", ("1010", "8001"))
    values = pd.Series([1010, 8001.0, "8001.0", " 1010", np.int32(8001), "8001.5"], dtype=object)
    np.testing.assert_array_equal(column.encode(values), [0, 1, 1, 0, 1, 2])


def test_only_training_rows_are_looked_at():
    other = X.copy()
    other[5] = [-1e9, 0, 0, 0]
    for scale in ("unit", "standardize", "robust"):
        a, b = fitted(scale), fit_preprocessing(COLUMNS, other, TRAIN, scale)
        np.testing.assert_array_equal(inputs(a), inputs(b))


def test_a_table_by_name_is_the_same_as_its_matrix():
    """In any order, with more columns, with gaps of any form, from pandas or not."""
    table = {
        "more": [0] * 6,
        "pool": [True, False, "true", None, 1, "0"],
        "city": ["Bern", " Oslo", "Rome", NAN, "Oslo", "Paris"],
        "sex": ["f", "m", "m", None, "f", "x"],
        "area": [1, "2", None, 9.0, 4, 1e6],
    }
    preprocessing = fitted("robust")
    np.testing.assert_array_equal(preprocessing.raw(table), X)
    np.testing.assert_array_equal(preprocessing.raw(pd.DataFrame(table)), X)
    with pytest.raises(ValueError, match="columns area, city, sex, pool by name: city is categ"):
        preprocessing.raw(X.tolist())


def test_numeric_columns_need_no_names():
    numbers, x = fit_preprocessing(COLUMNS[:1], X[:, :1], TRAIN, "none"), [[1.0], [NAN]]
    np.testing.assert_array_equal(numbers.raw(x), x)
    for wrong, message in {
        ((1.0, 2.0),): r"inputs must be of shape \(n, 1\), got \(1, 2\)",
        ((np.inf,),): "inputs must be finite numbers",
        (("big",),): "inputs must be a table with the columns area by name",
    }.items():
        with pytest.raises(ValueError, match=message):
            numbers.raw(wrong)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"area": [1], "city": ["Rome"], "sex": ["f"]}, "column pool is missing; the columns are"),
        ({"area": ["big"]}, "column area, row 1: 'big' is not a number"),
        ({"area": [[1]]}, "column area, row 1: .* is not a number"),
        ({"area": [np.inf]}, "column area, row 1: .* is no finite number"),
        ({"pool": ["maybe"]}, "column pool, row 1: 'maybe' is neither true nor false"),
        ({"city": [{}]}, "column city, row 1: .* is neither a text nor a number"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table, message):
    if isinstance(table, dict) and "sex" not in table:
        table = {"area": [1], "city": ["Rome"], "sex": ["f"], "pool": [True]} | table
    with pytest.raises(ValueError, match=message):
        fitted().raw(table)


def test_what_is_stored_gives_the_same(tmp_path):
    preprocessing = fitted("robust", missing_indicators=True, unknown_column=True)
    preprocessing.save(tmp_path)
    loaded = load_preprocessing(tmp_path)
    assert isinstance(loaded, TablePreprocessing)
    np.testing.assert_array_equal(inputs(loaded), inputs(preprocessing))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("preprocessing.json", b"{}"),
        ("preprocessing.json", b'{"scale": "big", "columns": []}'),
        ("preprocessing.json", b'{"scale": "none", "columns": []}'),
        ("medians.npy", b""),
        ("flagged.npy", None),
    ],
)
def test_a_damaged_file_is_named(tmp_path, file, content):
    fitted().save(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(RunError, match=r"preprocessing.json|" + file):
        load_preprocessing(tmp_path)


def test_more_inputs_than_memory_holds_are_refused_before_they_are_made():
    columns = [Column("name", "categorical", tuple(map(str, range(10**5))))]
    x = np.broadcast_to(np.zeros((1, 1)), (10**9, 1))
    with pytest.raises(DataError, match=r"GB are available; column name has 100,000 cat"):
        fit_preprocessing(columns, x, np.arange(10), "none")
