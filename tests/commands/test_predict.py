"""``mlp predict``: rows without labels, from the command line."""

import io

import numpy as np
import pandas as pd
import pytest

from mlp.base import DataError
from mlp.jobs import predict_file
from mlp.predict import main
from mlp.runs import find_run, read_run
from mlp.training import Predictor

pytestmark = pytest.mark.e2e

TABLE = ("data=csv", "data.path=../mine.csv", "data.target=kind", "model.hidden_sizes=[4]")
QUICK = ("trainer.max_epochs=1", "tracking=none")


@pytest.fixture
def frame(mlp_run, tmp_path) -> pd.DataFrame:
    """A table that the latest run was trained on."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=60), "city": rng.choice(["A", "B"], 60)})
    frame["kind"] = np.where(frame["size"] > 0, "big", "small")
    frame.to_csv(tmp_path / "mine.csv", index=False)
    assert mlp_run(*TABLE, *QUICK).status == 0
    return frame


def test_each_row_of_a_table_gets_label_and_probabilities(frame, tmp_path, monkeypatch, capsys):
    path = tmp_path / "new.csv"
    frame[["city", "size"]].to_csv(path, index=False)  # in another order, without labels
    monkeypatch.setattr("sys.argv", ["mlp predict", "latest", str(path)])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr()
    answers, record = pd.read_csv(io.StringIO(said.out)), read_run(find_run("latest"))
    who = f"{record.name} ({record.id[:8]}), trained on {record.data.name}"
    assert said.err == f"answered by {who}\n"
    predictor = Predictor.load(find_run("latest").weights)
    assert answers.columns.tolist() == ["prediction", "big", "small"]
    assert (answers["prediction"] == predictor.predict(frame)).all()
    np.testing.assert_allclose(answers[["big", "small"]], predictor.predict_proba(frame), rtol=1e-5)


def test_what_cannot_be_predicted_is_named(frame, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("size,city\n1,A\nx,A\n")
    with pytest.raises(DataError, match=r"new.csv, row 3, column size: 'x' is not a number"):
        predict_file(find_run("latest"), path)
    path.write_text("size\n1\n")
    with pytest.raises(DataError, match="column city is missing; the columns are size, city"):
        predict_file(find_run("latest"), path)
    np.savez(tmp_path / "new.npz", X=np.zeros((2, 2)))
    with pytest.raises(DataError, match=r"a table with the columns size, city by name"):
        predict_file(find_run("latest"), tmp_path / "new.npz")
    with pytest.raises(DataError, match=r"there is no file nix.csv; it should be .csv"):
        predict_file(find_run("latest"), tmp_path.relative_to(tmp_path) / "nix.csv")


def test_unknown_categories_are_counted(frame, tmp_path, caplog):
    path = tmp_path / "new.csv"
    path.write_text("size,city\n1,A\n1,C\n1,\n1,D\n")  # a gap is no category
    predict_file(find_run("latest"), path)
    assert "not in the data trained on: city in 2 of 4 rows" in caplog.text


def test_arrays(mlp_run, tmp_path):
    """From a file of arrays, or from a table without names for its columns' meaning."""
    assert mlp_run("data=digits", "model.hidden_sizes=[4]", *QUICK).status == 0
    x = np.arange(128.0).reshape(2, 8, 8) % 17
    np.savez(tmp_path / "new.npz", X=x)
    pd.DataFrame(x.reshape(2, 64)).to_csv(tmp_path / "new.csv", index=False)
    a, b = (predict_file(find_run("latest"), tmp_path / f"new.{kind}") for kind in ("npz", "csv"))
    pd.testing.assert_frame_equal(a, b)
    (tmp_path / "new.csv").write_text("a,b\n1,2\n3,x\n")
    with pytest.raises(DataError, match=r"new.csv, row 3, column b: 'x' is not a number"):
        predict_file(find_run("latest"), tmp_path / "new.csv")
