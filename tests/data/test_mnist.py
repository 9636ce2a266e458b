import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlp.base import DataError
from mlp.data import FashionMnist, Mnist, fit_scaler, mnist

REAL = os.environ.get("MLP_MNIST_DIR", "")
needs_real_mnist = pytest.mark.skipif(
    not REAL, reason="MLP_MNIST_DIR does not name a folder with the four files of MNIST"
)


@pytest.fixture
def folder(tmp_path, idx_files):
    """A folder with the four small files, not gzipped."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in idx_files.items():
        (folder / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    return folder


def test_four_files_make_a_data_set(folder):
    """Bytes stay bytes, images become rows, labels int64; classes have their names."""
    data = FashionMnist(dir=str(folder)).load()
    assert data.name == "fashion_mnist"
    assert (data.x_train.shape, data.x_train.dtype) == ((30, 784), np.uint8)
    assert (data.x_test.shape, data.n_in, data.n_classes) == ((20, 784), 784, 10)
    assert (data.image_shape, data.x_max) == ((28, 28), 255.0)
    assert data.classes[9] == "Ankle boot"
    np.testing.assert_array_equal(data.y_test, np.arange(20) % 10)
    assert data.y_test.dtype == np.int64


def test_unpacked_fashion_files_have_no_published_digest_but_gzipped_ones_do(folder, idx_files):
    name = "t10k-labels-idx1-ubyte.gz"
    (folder / name).write_bytes(idx_files[name])
    with pytest.raises(DataError, match=rf"{name} is not the published file: its MD5 is"):
        FashionMnist(dir=str(folder)).load()


def test_mnist_files_with_another_digest_are_refused_by_name(folder, monkeypatch):
    for path in folder.iterdir():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        monkeypatch.setitem(mnist.MNIST_SHA256, path.name, digest)
    assert len(Mnist(dir=str(folder)).load().x_train) == 30

    images = folder / "t10k-images-idx3-ubyte"
    content = bytearray(images.read_bytes())
    content[-1] ^= 1
    images.write_bytes(content)
    with pytest.raises(DataError, match=f"{images} is not the published file: its SHA-256 is"):
        Mnist(dir=str(folder)).load()


def test_as_many_labels_as_images(folder):
    labels = folder / "train-labels-idx1-ubyte"
    labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 4]))
    with pytest.raises(DataError, match=f"30 images and {labels.name} 2 labels"):
        FashionMnist(dir=str(folder)).load()


def test_labels_beyond_the_last_class_are_refused(folder):
    labels = folder / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x0a")
    with pytest.raises(DataError, match=f"{labels} holds the label 10; the largest is 9"):
        FashionMnist(dir=str(folder)).load()


def test_images_of_another_size_are_refused(folder):
    images = folder / "train-images-idx3-ubyte"
    content = images.read_bytes()
    images.write_bytes(content[:8] + bytes([0, 0, 0, 14, 0, 0, 0, 56]) + content[16:])
    with pytest.raises(DataError, match=f"{images} holds .* not images of 28 x 28"):
        FashionMnist(dir=str(folder)).load()


@needs_real_mnist
def test_the_real_mnist():
    """60,000 + 10,000 digits; 67 pixels never vary in training and are not blown up."""
    data = Mnist(dir=REAL).load()
    assert (len(data.x_train), len(data.x_test)) == (60_000, 10_000)
    assert np.bincount(data.y_train)[1] == 6742
    factor = fit_scaler("standardize", data.x_train, None, data.x_max).factor
    constant = np.ptp(data.x_train, axis=0) == 0
    assert constant.sum() == 67
    np.testing.assert_array_equal(factor[constant], 1.0)


@needs_real_mnist
def test_a_second_process_loads_the_real_mnist_in_under_0_3_seconds(data_dir):
    Mnist(dir=REAL).load()
    script = """if True:
        import sys, time
        from pathlib import Path
        from mlp.base import paths
        from mlp.data import Mnist
        paths.project_root = lambda: Path(sys.argv[1]).parent
        start = time.perf_counter()
        Mnist(dir=sys.argv[2]).load()
        print(time.perf_counter() - start)
    """
    command = [sys.executable, "-c", script, str(data_dir), str(Path(REAL).resolve())]
    seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert seconds < 0.3
