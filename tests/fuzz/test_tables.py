"""Whatever stands in a table's file: a Dataset, or one sentence that names the file."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlp.base import DataError
from mlp.data import Csv
from tests.fuzz.damage import fuzz

GOOD = "a,b,c,y\n" + "".join(f"{i},{'uvw'[i % 3]},{i % 2 == 0},{i % 2}\n" for i in range(12))
CELLS = st.one_of(
    st.sampled_from(["", "1", "-2.5", "1e400", "nan", "True", "x", '"', '""', "NA", "0x1", "é"]),
    st.text(max_size=5),
)


def decode(path, targets):
    source = Csv(path=str(path), target="y")
    try:
        decoder = source.decode if targets == "classes" else source.decode_numbers
        data = decoder(source.files())
        parts = source.parts(data, 0)
    except DataError as error:
        said = str(error)
    else:
        said = "data."
        assert np.isfinite(parts.train.x).all()
    assert str(path) in said or "data." in said
    assert "\n" not in said


@fuzz
@given(st.lists(st.lists(CELLS, min_size=3, max_size=5), max_size=6), st.sampled_from(",;\t"))
def test_random_cells(tmp_path_factory, rows, separator):
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    lines = [["a", "b", "c", "y"][: len(rows[0]) if rows else 4], *rows]
    path.write_text("\n".join(separator.join(line) for line in lines), errors="surrogatepass")
    for targets in ("classes", "numbers"):
        decode(path, targets)


@fuzz
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_damaged_bytes(tmp_path_factory, position, damage):
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    good = GOOD.encode()
    path.write_bytes(good[:position] + damage + good[position + 1 :])
    decode(path, "classes")


@fuzz
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_parquet_file(tmp_path_factory, position, value):
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    good = tmp_path_factory.getbasetemp() / "good.parquet"
    if not good.exists():
        pd.DataFrame({"a": range(9), "b": list("uvwuvwuvw"), "y": [0, 1, 2] * 3}).to_parquet(good)
    content = bytearray(good.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    decode(path, "classes")


@pytest.mark.parametrize(
    "column",
    [
        pd.date_range("2020-01-01", periods=4),
        [1 + 2j] * 4,
        [[1], [2], [3], [1]],
        [{"a": 1}] * 4,
        [b"x", b"y", b"x", b"y"],
        [None] * 4,
        [np.inf, 1, 2, 3],
        pd.Categorical(["a", "b", "a", None]),
        pd.array([1, None, 3, 4], "Int64"),
        [True, None, False, True],
        ["a", 1, 2.5, None],
    ],
    ids=str,
)
def test_columns_of_any_type(tmp_path, monkeypatch, column):
    frame = pd.DataFrame({"a": column, "y": [0, 1, 0, 1]})
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame)
    path = tmp_path / "any.parquet"
    path.touch()
    decode(path, "classes")
