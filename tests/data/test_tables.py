import numpy as np
import pandas as pd
import pytest

from mlp.base import DataError
from mlp.data import Column, Csv

TEXT = """id,area,city,pool,price,kind
a,50,Rome,True,1.5,cheap
b,,Oslo,False,2.5,dear
c,70.5,,true,3,dear
d,80,Rome,,4,cheap
e,50,Bern,false,5,cheap
f,50,Bern,False,6,dear
"""
COLUMNS = (
    Column("area", "numeric"),
    Column("city", "categorical", ("Bern", "Oslo", "Rome")),
    Column("pool", "boolean"),
)
NAN = np.nan
X = [[50, 2, 1], [NAN, 1, 0], [70.5, NAN, 1], [80, 2, NAN], [50, 0, 0], [50, 0, 0]]


@pytest.fixture
def csv(tmp_path):
    """Write a table and return its source."""

    def csv(content=TEXT, name="mine.csv", **options):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Csv(path=str(path), **{"target": "kind", "drop": ["id", "price"]} | options)

    return csv


def test_columns_are_of_the_kind_that_their_values_look_like(csv):
    data = csv().load()
    assert data.columns == COLUMNS
    np.testing.assert_array_equal(data.x_train, X)
    assert (data.classes, data.targets, data.x_test) == (("cheap", "dear"), (), None)
    np.testing.assert_array_equal(data.y_train, [0, 1, 1, 0, 0, 1])


def test_a_second_load_gives_the_same_from_the_cache(csv):
    first, second = csv().load(), csv().load()
    assert first.digest == second.digest
    assert second.columns == COLUMNS
    assert not second.x_train.flags.writeable


def test_numbers_as_targets(csv):
    data = csv(target=["price", "area"], drop=["id", "kind"], numeric=[]).load
    with pytest.raises(DataError, match=r"mine.csv, row 3, column area: the target is missing"):
        data("numbers")
    data = csv(target="price", drop=["id", "kind"]).load("numbers")
    assert (data.classes, data.targets) == ((), ("price",))
    np.testing.assert_array_equal(data.y_train, [[1.5], [2.5], [3], [4], [5], [6]])


@pytest.mark.parametrize(
    "content",
    [
        TEXT.replace(",", "\t"),
        TEXT.replace(",", ";"),
        TEXT.replace(",", ", "),
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        "\n" + TEXT.replace("\n", "\n\n"),
        TEXT.replace("c,70.5,,", "c,70.5,?,").replace("b,,", "b,NA,"),
        TEXT.replace("Rome", '"Rome"'),
    ],
    ids=["tabs", "semicolons", "spaces", "CRLF", "BOM", "blank lines", "gaps by name", "quotes"],
)
def test_tables_are_written_in_many_ways(csv, content):
    data = csv(content).load()
    assert data.columns == COLUMNS
    np.testing.assert_array_equal(data.x_train, X)


def test_a_parquet_file(csv):
    frame = pd.DataFrame(
        {
            "area": [50, None, 70.5, 80, 50, 50],
            "city": pd.Categorical(["Rome", "Oslo", None, "Rome", "Bern", "Bern"]),
            "pool": pd.array([True, False, True, None, False, False], "boolean"),
            "kind": [1, 10, 10, 1, 1, 9],
        },
        index=[7, 3, 4, 5, 9, 8],
    )
    data = csv(frame, "mine.parquet", drop=[]).load()
    assert data.columns == COLUMNS
    np.testing.assert_array_equal(data.x_train, X)
    assert data.classes == ("1", "9", "10")


def test_a_table_to_test_on_has_the_columns_of_the_first(csv, tmp_path):
    """In any order; a category that the first does not know gets an index of its own."""
    test = tmp_path / "test.csv"
    test.write_text("kind,pool,more,city,area\ndear,True,1,Paris,9\n")
    source = csv(test_path=str(test))
    data = source.load()
    np.testing.assert_array_equal(data.x_test, [[9, 3, 1]])
    assert len(source.parts(data, 0).test) == 1


def test_declared_kinds_come_before_looks(csv):
    data = csv(categorical="area").load()
    assert data.columns[0] == Column("area", "categorical", ("50", "70.5", "80"))
    with pytest.raises(DataError, match=r"mine.csv, row 2, column city: 'Rome' is not a number"):
        csv(numeric=["city"]).load()


def test_another_table_for_a_trained_network(csv):
    """Its categories and its kinds are those of the network's columns, whatever it holds."""
    other = csv("city,area,pool,kind\nParis,1,0,dear\nRome,?,1,dear\n")
    data = other.load_as(COLUMNS)
    np.testing.assert_array_equal(data.x_train, [[1, 3, 0], [NAN, 2, 1]])
    assert data.classes == ("dear",)
    with pytest.raises(DataError, match=r"mine.csv: column pool is missing; the columns are area,"):
        csv("city,area,kind\nParis,1,dear\n").load_as(COLUMNS)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", {}, "holds no row of data"),
        ("id,kind\n", {}, "holds no row of data"),
        ("id,kind\n1,a\n2\n", {}, ", row 3: 1 values, where the first row has 2"),
        ("id,kind\n1,a\n2,b,c\n", {}, ", row 3: 3 values, where the first row has 2"),
        ("id,id,kind\n1,2,a\n", {}, "has 2 columns of the name 'id'"),
        (
            ",kind\n4,a\n7,b\n",
            {"drop": []},
            r"""column 1 has no name; 'data.drop=\["Unnamed: 0"\]' leaves it out, 'data.num""",
        ),
        (TEXT.encode("utf-16"), {}, "row 1: a byte is not UTF-8"),
        (TEXT.replace("Oslo", "Tromsø").encode("latin-1"), {}, ", row 3: a byte is not UTF-8"),
        (TEXT.replace("70.5", "7\0"), {}, ", row 4: a NUL"),
        (
            "a;kind\n1,5;x\n2;y\n2,5;y\n",
            {"drop": []},
            "column a holds numbers with commas",
        ),
        ("größe,kind\n,x\n,y\n", {"drop": []}, r"""'data.drop=\["größe"\]' leaves it out"""),
        (TEXT.replace("70.5", "inf"), {}, ", row 4, column area: 'inf' is no finite number"),
        (TEXT.replace("70.5", "1e39"), {}, ", row 4, column area: '1e39' is no finite number"),
        (TEXT.replace("70.5", "7O.5"), {}, ", row 4, column area: '7O.5' is not a number, as most"),
        (TEXT.replace("dear\nd", "\nd"), {}, ", row 4, column kind: the target is missing"),
        (TEXT.replace("dear", "cheap"), {}, "column kind holds one class only"),
        (TEXT, {"drop": ["price"]}, "column id holds a different text in each row, such as 'a'"),
        (TEXT, {"target": "sort"}, r"data.target: .*mine.csv has no column 'sort'; there are id,"),
        (TEXT, {"drop": ["Price"]}, "data.drop: .* no column 'Price'; did you mean 'price'"),
        (
            TEXT,
            {"target": ["kind", "price"]},
            "classes are the values of one column, and the targets are kind, price",
        ),
        (TEXT, {"drop": ["id", "price", "area", "city", "pool"]}, "no column to predict kind from"),
        (TEXT.replace("Rome", "").replace("Oslo", "").replace("Bern", ""), {}, "city is empty"),
    ],
)
def test_a_bad_table_is_refused_naming_file_and_place(csv, tmp_path, content, options, message):
    with pytest.raises(DataError, match=message) as caught:
        csv(content, **options).load()
    assert "mine.csv" in str(caught.value) or "data.target" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_are_no_classes(csv):
    rows = "".join(f"{i % 7},{i / 3}\n" for i in range(60))
    with pytest.raises(DataError, match=r"60 different values in 60 rows.*task=regression"):
        csv("x,kind\n" + rows, drop=[]).load()


@pytest.mark.parametrize("first", [0, 1])
def test_the_index_that_pandas_writes_is_no_feature(csv, caplog, first):
    """Unless it is asked for."""
    text = ",x,kind\n" + "".join(f"{first + i},{i % 5},{'ab'[i > 9]}\n" for i in range(20))
    assert [column.name for column in csv(text, drop=[]).load().columns] == ["x"]
    assert "column 'Unnamed: 0' only counts the rows and is left out" in caplog.text
    assert csv(text, drop=["Unnamed: 0"]).load().n_in == 1
    assert csv(text, drop=[], numeric=["Unnamed: 0"]).load().n_in == 2


def test_an_index_that_was_written_twice_is_no_feature(csv, tmp_path):
    """As of a file that was read without index_col=0, and written again."""
    frame = pd.DataFrame({"x": [3, 1, 2, 5], "kind": list("abab")})
    frame.to_csv(tmp_path / "once.csv")
    text = pd.read_csv(tmp_path / "once.csv").to_csv()
    assert csv(text, drop=[]).load().n_in == 1


@pytest.mark.parametrize(
    ("labels", "kind"),
    [("01", "int"), (["0.5", "1"], "float"), (["TRUE", "false"], "bool"), ("ab", "str")],
)
def test_labels_in_a_text_are_what_they_look_like(csv, labels, kind):
    rows = "".join(f"{i},{labels[i % 2]}\n" for i in range(9))
    assert csv("x,kind\n" + rows, drop=[]).load().label_type == kind


def test_texts_are_not_offered_as_numbers(csv):
    rows = "".join(f"{i % 7},k{i // 2}\n" for i in range(60))
    with pytest.raises(DataError, match=r"30 different texts in 60 rows, .* 5 rows or more$"):
        csv("x,kind\n" + rows, drop=[]).load()


def test_a_file_that_is_no_table_is_told_what_is(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"x": [1, 2], "kind": ["a", "b"]}')
    with pytest.raises(DataError, match=r"a table is read from .csv, .tsv, .parquet"):
        Csv(path=str(path), target="kind").load()


def test_a_damaged_parquet_file_is_named(csv):
    with pytest.raises(DataError, match=r"mine.parquet is not a readable Parquet file"):
        csv("PAR1", "mine.parquet").load()


@pytest.mark.parametrize("path", ["none.csv", ".", "a\0b"])
def test_a_path_without_a_file_is_named(path):
    with pytest.raises(DataError, match=r"data\.path: there is no file"):
        Csv(path=path, target="y").load()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": []}, "^target must name columns"),
        ({"target": ["a", "a"]}, "^target must name columns, each once"),
        ({"numeric": ["a"], "categorical": ["a"]}, "^numeric must not name what"),
        ({"test_fraction": 1.0}, "^test_fraction must be between 0 and 1"),
        ({"folds": 1}, "^folds must be at least 2"),
        ({"folds": 3, "fold": 3}, "^fold must be at least 0 and below folds=3"),
        ({"fold": 1}, "^fold must be at least 0 and 0 unless folds is given"),
        ({"split_seed": -1}, "^split_seed must be at least 0"),
    ],
)
def test_an_option_out_of_range_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        Csv(**{"path": "a.csv", "target": "y"} | options)
