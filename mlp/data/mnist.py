"""MNIST and Fashion-MNIST: four IDX files, from a folder or downloaded into it."""

import hashlib
import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from mlp.base import DataError, data_dir
from mlp.data.dataset import Dataset, LabelType
from mlp.data.download import fetch
from mlp.data.idx import payload_sha256, read_idx
from mlp.data.source import ImageSource

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# Of the uncompressed files; the same digits are found in different gzip wrappings.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

FASHION_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
# Of the gzip files, as their authors published them.
FASHION_MD5 = {
    "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
}


@dataclass(frozen=True, kw_only=True)
class IdxSource(ImageSource):
    """Four IDX files of 28 x 28 images and their labels, gzipped or not.

    Parameters
    ----------
    dir : str, optional
        The files' folder; those it lacks are downloaded into it. By default the folder of the
        data set's name in the project's data folder.
    """

    dir: str | None = None

    classes: ClassVar[tuple[str, ...]]
    label_type: ClassVar[LabelType] = "str"

    @abstractmethod
    def mirrors(self) -> Sequence[str]:
        """Return the URLs of the folders to download from, in the order to try them."""

    @abstractmethod
    def check(self, path: Path, array: np.ndarray) -> None:
        """Raise DataError unless the file is the published one; ``array`` is what it holds."""

    def files(self) -> Sequence[Path]:
        """Return the four paths, after downloading what is absent."""
        folder = Path(self.dir).expanduser() if self.dir else data_dir() / self.name
        return [self._find(folder, name) for name in FILES]

    def decode(self, files: Sequence[Path]) -> Dataset:
        """Read and check the four files."""
        x_train, y_train = self._read_pair(*files[:2])
        x_test, y_test = self._read_pair(*files[2:])
        return Dataset(
            name=self.name,
            x_train=x_train,
            y_train=y_train,
            x_test=x_test,
            y_test=y_test,
            classes=self.classes,
            x_max=255.0,
            image_shape=(28, 28),
            label_type=self.label_type,
        )

    def _find(self, folder: Path, name: str) -> Path:
        for path in (folder / f"{name}.gz", folder / name):
            if os.path.isfile(path):  # unlike Path.is_file, False for names too long or with NUL
                return path
        return fetch(f"{name}.gz", self.mirrors(), folder, self._read)

    def _read(self, path: Path) -> np.ndarray:
        array = read_idx(path, _kind(path))
        self.check(path, array)
        return array

    def _read_pair(self, images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
        """Return x of shape (n, 784), uint8, and y of shape (n,), int64."""
        x, y = read_idx(images, "images"), read_idx(labels, "labels")
        if len(x) != len(y):
            raise DataError(
                f"{images} holds {len(x)} images and {labels.name} {len(y)} labels; "
                "they must be as many"
            )
        if x.shape[1:] != (28, 28) or not len(x):
            raise DataError(f"{images} holds an array of shape {x.shape}, not images of 28 x 28")
        if y.max() >= len(self.classes):
            raise DataError(f"{labels} holds the label {y.max()}; the largest is 9")
        self.check(images, x)
        self.check(labels, y)
        return x.reshape(len(x), -1), y.astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Mnist(IdxSource):
    """MNIST: 60,000 handwritten digits and 10,000 to test on (LeCun, Cortes, Burges)."""

    name = "mnist"
    classes = tuple("0123456789")
    label_type = "int"

    def mirrors(self) -> Sequence[str]:
        """Return ``MNIST_MIRRORS``."""
        return MNIST_MIRRORS

    def check(self, path: Path, array: np.ndarray) -> None:
        """Compare with the SHA-256 of the uncompressed file."""
        _compare(path, "SHA-256", payload_sha256(array), MNIST_SHA256)


@dataclass(frozen=True, kw_only=True)
class FashionMnist(IdxSource):
    """Fashion-MNIST: photographs of clothes, in MNIST's format (Xiao, Rasul, Vollgraf, 2017)."""

    name = "fashion_mnist"
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )

    def mirrors(self) -> Sequence[str]:
        """Return ``FASHION_MIRRORS``."""
        return FASHION_MIRRORS

    def check(self, path: Path, array: np.ndarray) -> None:
        """Compare with the MD5 of the gzip file; none is published of the uncompressed one."""
        if path.suffix == ".gz":
            with path.open("rb") as file:
                md5 = hashlib.file_digest(file, "md5").hexdigest()
            _compare(path, "MD5", md5, FASHION_MD5)


def _kind(path: Path) -> Literal["images", "labels"]:
    return "images" if "images" in path.name else "labels"


def _compare(path: Path, algorithm: str, found: str, published: dict[str, str]) -> None:
    expected = published[path.name.removesuffix(".gz")]
    if found != expected:
        raise DataError(
            f"{path} is not the published file: its {algorithm} is {found}, not {expected}; "
            "delete it to have it downloaded again"
        )
