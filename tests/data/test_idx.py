import gzip
import hashlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp.base import DataError
from mlp.data.idx import payload_sha256, read_idx

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([7, 0, 9], np.uint8)


def idx_bytes(array, dimensions=None):
    """IDX bytes written out by hand; the header may declare other dimensions than the array's."""
    dimensions = array.shape if dimensions is None else dimensions
    header = bytes([0, 0, 8, len(dimensions)]) + struct.pack(f">{len(dimensions)}I", *dimensions)
    return header + array.tobytes()


@pytest.fixture
def write(tmp_path):
    def write(content, name="file-ubyte"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(("array", "what"), [(IMAGES, "images"), (LABELS, "labels")])
def test_reads_images_and_labels_gzipped_or_not_whatever_the_name(write, wrap, array, what):
    for name in ("file-ubyte", "file-ubyte.gz"):
        read = read_idx(write(wrap(idx_bytes(array)), name), what)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    ("content", "what", "message"),
    [
        (b"", "images", "is empty"),
        (gzip.compress(b"", mtime=0), "images", "is empty"),
        (b"\0\0\x08", "images", "neither gzip nor IDX"),
        (b"not a gzip file at all", "images", "neither gzip nor IDX"),
        (idx_bytes(LABELS), "images", "is an IDX file of labels; it should be .* images"),
        (idx_bytes(IMAGES), "labels", "is an IDX file of images; it should be .* labels"),
        (b"\0\0\x0d\x03" + idx_bytes(IMAGES)[4:], "images", "magic number 2051"),
        (idx_bytes(IMAGES)[:9], "images", "truncated: it ends within the IDX header"),
        (idx_bytes(IMAGES)[:-1], "images", "declares 2 x 3 x 4 = 24 values and holds only 23"),
        (idx_bytes(IMAGES) + b"!", "images", "declares 2 x 3 x 4 = 24 values and holds more"),
        (gzip.compress(idx_bytes(IMAGES) + b"!", mtime=0), "images", "holds more"),
        (gzip.compress(idx_bytes(IMAGES), mtime=0)[:-9], "images", "damaged"),
        (gzip.compress(idx_bytes(IMAGES), mtime=0) + b"tail", "images", "damaged"),
        (gzip.compress(idx_bytes(IMAGES), mtime=0)[:-5] + b"x" * 5, "images", "damaged"),
        (idx_bytes(LABELS[:0]), "labels", "holds no labels"),
        (idx_bytes(LABELS[:0], (0, 2**32 - 1, 2**32 - 1)), "images", "holds no images"),
    ],
)
def test_refuses_any_other_content_naming_the_file(write, content, what, message):
    path = write(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, what)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_takes_no_memory_for_what_a_header_only_declares(write, wrap):
    path = write(wrap(idx_bytes(IMAGES, (2**32 - 1, 28, 28))))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="holds only 24"):
            read_idx(path, "images")
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_stops_decompressing_once_there_is_more_than_declared(write):
    """A gzip bomb behind a small header costs no more memory than a chunk."""
    path = write(gzip.compress(idx_bytes(LABELS) + bytes(100_000_000), compresslevel=1))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="holds more"):
            read_idx(path, "labels")
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=40), st.booleans())
def test_no_content_raises_anything_but_a_data_error(tmp_path_factory, content, zipped):
    path = tmp_path_factory.getbasetemp() / "fuzz-ubyte"
    for start in (b"", b"\0\0\x08\x03", b"\0\0\x08\x01", b"\x1f\x8b\x08"):
        path.write_bytes(gzip.compress(start + content) if zipped else start + content)
        for what in ("images", "labels"):
            try:
                array = read_idx(path, what)
            except DataError:
                continue
            assert array.size > 0


def test_payload_digest_is_that_of_the_uncompressed_file():
    for array in (IMAGES, LABELS):
        assert payload_sha256(array) == hashlib.sha256(idx_bytes(array)).hexdigest()
