"""Bytes and folders that the data tests share."""

import gzip
import struct

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    """The project's data folder, so that no test writes into the real one."""
    monkeypatch.setattr("mlp.base.paths.project_root", lambda: tmp_path / "project")
    return tmp_path / "project" / "data"


def idx_bytes(array: np.ndarray) -> bytes:
    """Write the IDX format out, independently of the reader under test."""
    dimensions = b"".join(struct.pack(">I", n) for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + dimensions + array.tobytes()


@pytest.fixture(scope="session")
def idx_files():
    """Four small IDX files by name, gzipped: 30 and 20 images, labels 0 to 9 in turn."""
    rng = np.random.default_rng(0)
    contents = {}
    for part, n in (("train", 30), ("t10k", 20)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = (np.arange(n) % 10).astype(np.uint8)
        contents[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx_bytes(images))
        contents[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx_bytes(labels))
    return contents
