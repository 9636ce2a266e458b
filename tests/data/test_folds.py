import numpy as np
import pytest

from mlp.base import DataError
from mlp.data import Digits, Sklearn
from mlp.data.split import fold_rows


def rows_of(part):
    return set(part.rows.tolist())


def test_each_row_is_tested_in_one_fold():
    """The validation rows come from the rest; each class is spread over the folds."""
    sources = [Sklearn(name="iris", folds=5, fold=fold) for fold in range(5)]
    data = sources[0].load()
    parts = [source.parts(data, 0) for source in sources]
    tested = [rows_of(part.test) for part in parts]
    assert sorted(row for rows in tested for row in rows) == list(range(150))
    for part in parts:
        np.testing.assert_array_equal(np.bincount(part.test.labels), [10, 10, 10])
        rest = rows_of(part.train) | rows_of(part.val)
        assert (len(part.train), len(part.val)) == (108, 12)
        assert rest == set(range(150)) - rows_of(part.test)


def test_a_fold_stands_in_for_the_test_set():
    source = Digits(folds=10)
    parts = source.parts(source.load(), 0)
    assert len(parts.test) == 144
    assert parts.test.x is parts.train.x


def test_the_split_has_a_seed_of_its_own():
    """With it, runs of any seed are split in the same way."""
    data = Sklearn(name="iris").load()

    def split(seed, **options):
        parts = Sklearn(name="iris", folds=3, **options).parts(data, seed)
        return [rows_of(part) for part in (parts.train, parts.val, parts.test)]

    assert split(1) != split(2)
    assert split(1, split_seed=2) == split(2)
    assert split(1, split_seed=7) == split(2, split_seed=7)


def test_numbers_are_folded_at_random():
    y = np.arange(10.0)[:, None]
    folds = [fold_rows(y, 3, fold, np.random.default_rng(0)) for fold in range(3)]
    assert [len(fold) for fold in folds] == [4, 3, 3]
    assert set(np.concatenate(folds)) == set(range(10))


def test_more_folds_than_rows_are_refused():
    with pytest.raises(DataError, match=r"data\.folds=11 of 10 rows"):
        fold_rows(np.zeros(10, np.int64), 11, 0, np.random.default_rng(0))


def test_images_have_no_numbers_to_predict():
    with pytest.raises(DataError, match=r"digits has classes .* task=classification"):
        Digits().load("numbers")
