"""Whatever is in a file of data, only DataError comes out, and it names the file."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given

from mlp.base import DataError
from mlp.data import Npz
from mlp.data.idx import read_idx
from tests.fuzz.damage import NASTY, damaged, fuzz, npy, only

IMAGES = struct.pack(">4I", 0x803, 3, 4, 4) + bytes(48)
FEATURES, LABELS = npy(np.eye(4, dtype=np.float32)), npy(np.arange(4))


def archive(x_train: bytes) -> bytes:
    """Return an .npz file with these bytes as its x_train."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("x_train.npy", x_train)
        members.writestr("y_train.npy", LABELS)
    return file.getvalue()


def decode(folder: Path, content: bytes) -> None:
    path = folder / "data.npz"
    path.write_bytes(content)
    Npz(path=str(path)).decode([path])


@fuzz
@given(content=damaged(IMAGES))
@example(content=struct.pack(">4I", 0x803, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF))
def test_idx(tmp_path: Path, content: bytes):
    for data in (content, gzip.compress(content)):
        (tmp_path / "file").write_bytes(data)
        only(DataError, lambda: read_idx(tmp_path / "file", "images"))


@fuzz
@given(content=damaged(gzip.compress(IMAGES)))
def test_gzip_around_idx(tmp_path: Path, content: bytes):
    (tmp_path / "file").write_bytes(content)
    only(DataError, lambda: read_idx(tmp_path / "file", "images"))


@fuzz
@given(content=damaged(archive(FEATURES)))
def test_npz(tmp_path: Path, content: bytes):
    only(DataError, lambda: decode(tmp_path, content))


@fuzz
@given(content=damaged(FEATURES))
def test_array_in_an_npz(tmp_path: Path, content: bytes):
    only(DataError, lambda: decode(tmp_path, archive(content)))


@pytest.mark.parametrize("content", NASTY.values(), ids=NASTY)
def test_nasty_array_in_an_npz(tmp_path: Path, content: bytes):
    with pytest.raises(DataError, match=r"data\.npz"):
        decode(tmp_path, archive(content))
