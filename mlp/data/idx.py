"""The IDX format of the MNIST files, read strictly.

A file is a big-endian header, then the values, one byte each: two zero bytes, the value type
(8: unsigned byte), the number of dimensions, and each dimension as four bytes. Source: Y. LeCun,
C. Cortes, C. Burges, "The MNIST database of handwritten digits", section on file formats.
"""

import gzip
import hashlib
import struct
import zlib
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np

from mlp.base import DataError

N_DIMENSIONS = {"images": 3, "labels": 1}
MAGICS = {what: 0x0800 | n for what, n in N_DIMENSIONS.items()}
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1 << 20


def read_idx(path: Path, what: Literal["images", "labels"]) -> np.ndarray:
    """Read an IDX file, gzipped or not.

    Memory is taken for what the file holds, never for what its header declares.

    Returns
    -------
    ndarray of shape (n, height, width) for images, (n,) for labels; uint8

    Raises
    ------
    DataError
        Naming the file, unless it is exactly one complete file of ``what``.
    """
    try:
        with gzip.open(path) if _is_gzip(path) else path.open("rb") as file:
            return _read(file, path, what)
    except (OSError, EOFError, zlib.error) as error:  # gzip's ways to say that it is damaged
        raise DataError(f"{path} is damaged or cannot be read ({error})") from error


def payload_sha256(array: np.ndarray) -> str:
    """Return the SHA-256 of the uncompressed IDX file that holds ``array``, in hex."""
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
    sha256 = hashlib.sha256(header)
    sha256.update(array.data)
    return sha256.hexdigest()


def _read(file: BufferedIOBase, path: Path, what: Literal["images", "labels"]) -> np.ndarray:
    n_dimensions = N_DIMENSIONS[what]
    header = file.read(4 * (1 + n_dimensions))
    _check_magic(header[:4], path, what)
    if len(header) < 4 * (1 + n_dimensions):
        raise DataError(f"{path} is truncated: it ends within the IDX header")
    shape = struct.unpack(f">{n_dimensions}I", header[4:])
    n_declared = prod(shape)
    if n_declared == 0:
        raise DataError(f"{path} holds no {what}: its header declares the shape {shape}")

    values = bytearray()
    while len(values) <= n_declared and (chunk := file.read(CHUNK_BYTES)):
        values += chunk
    if len(values) != n_declared:
        held = "more" if len(values) > n_declared else f"only {len(values)}"
        raise DataError(
            f"{path} declares {' x '.join(map(str, shape))} = {n_declared} values and holds "
            f"{held}: it is damaged"
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def _is_gzip(path: Path) -> bool:
    """Ask the content, not the name."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def _check_magic(found: bytes, path: Path, what: Literal["images", "labels"]) -> None:
    if not found:
        raise DataError(f"{path} is empty; it should be an IDX file of {what}")
    magic = int.from_bytes(found, "big")
    if len(found) == 4 and magic == MAGICS[what]:
        return
    other = next((other for other, known in MAGICS.items() if magic == known), None)
    described = f"an IDX file of {other}" if other else f"neither gzip nor IDX ({found.hex(' ')})"
    raise DataError(
        f"{path} is {described}; it should be an IDX file of {what}, "
        f"which starts with the magic number {MAGICS[what]}"
    )
