"""The report of a run or a sweep: what is in the file."""

import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

from mlp.base import RunError
from mlp.reports import write_run_report, write_sweep_report
from mlp.reports.charts import curve_of
from mlp.runs import read_history, read_leaderboard, write_csv
from tests.records import make_child, make_sweep

SMUGGLED = "<script>alert(1)</script>"


class Cells(HTMLParser):
    """Collects the text of the cells of the leaderboard, row by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._depth = 0
        self.feed(page[page.index('<table id="board">') : page.index("</table>")])

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        self._depth += tag in ("td", "th")

    def handle_endtag(self, tag):
        self._depth -= tag in ("td", "th")

    def handle_data(self, data):
        if self._depth and data.strip():
            self.rows[-1].append(data.strip())


@pytest.fixture
def sweep(runs: Path) -> str:
    """The report of four runs of three settings; one has failed."""
    folder = make_sweep(runs, command=f"mlp run -m {SMUGGLED}", name=SMUGGLED)
    for run, lr, seed, loss in (("a1", 0.1, 1, 0.5), ("a2", 0.1, 2, 0.3), ("b1", 0.3, 1, 0.2)):
        make_child(runs, run, {"optimizer.lr": lr, "model.dropout": 0.5, "seed": seed}, loss)
    params = {"optimizer.lr": SMUGGLED, "model.dropout": 0.5, "seed": 1}
    make_child(runs, "c1", params, None, status="FAILED")
    write_sweep_report(folder, read_leaderboard(["5eed"]), folder.report)
    return folder.report.read_text("utf-8")


def test_ranks_as_the_leaderboard_does_and_shows_only_what_differs(sweep: str):
    header, *rows = Cells(sweep).rows
    assert header == ["#", "lr", "val/loss", "epoch", "seconds", "run"]
    assert [row[:3] for row in rows] == [
        ["1", "0.3", "0.2000"],
        ["2", "0.1", "0.4000 ± 0.1414 (2)"],
        [SMUGGLED, "failed", "3"],
    ]


def test_names_and_commands_are_text(sweep: str):
    assert SMUGGLED not in sweep
    places = ["title", "heading", "cell", "command"]
    assert sweep.count("&lt;script&gt;alert(1)&lt;/script&gt;") == len(places)


def test_refers_to_nothing_outside(sweep: str):
    own = re.sub(r"<script>.*?</script>", "", sweep, flags=re.DOTALL)
    assert "default-src 'none'" in own
    assert not re.search(r"""(src|href)=["'](?!data:)""", own)


def test_a_sweep_of_one_setting_has_no_parameters(runs: Path):
    folder = make_sweep(runs)
    make_child(runs, "a1", {"seed": 1}, 0.5)
    write_sweep_report(folder, read_leaderboard(["5eed"]), folder.report)
    page = folder.report.read_text("utf-8")
    assert "Learning curves" in page
    assert "Parameters" not in page


@pytest.mark.parametrize("n", [2, 3])
def test_verdicts_on_more_than_two_settings_differ_from_the_terminals(runs: Path, n: int):
    folder = make_sweep(runs)
    for lr, seed in product(range(1, n + 1), (1, 2)):
        make_child(runs, f"{lr}{seed}", {"optimizer.lr": lr, "seed": seed}, lr + seed / 9)
    write_sweep_report(folder, read_leaderboard(["5eed"]), folder.report)
    assert ("Of the best three, each two" in folder.report.read_text("utf-8")) == (n == 3)


def test_a_long_curve_is_thinned_and_the_page_says_so(runs: Path):
    folder = make_child(runs, "1a", {"optimizer.lr": 0.3})
    rows = [(epoch, 0, 1 / epoch) for epoch in range(1, 501)]
    write_csv(folder.history, ["epoch", "timestamp", "val/loss"], rows)
    write_run_report(folder, folder.report, ())
    assert "50 of 500 epochs are drawn" in folder.report.read_text("utf-8")
    points = curve_of(read_history(folder), "val/loss")
    assert (len(points), points[0], points[-1]) == (50, (1, 1.0), (500, 0.002))


def test_a_run_says_what_differs_and_whether_it_reproduced(runs: Path):
    folder = make_child(
        runs, "1a", {"optimizer.lr": 0.3},
        test={"metrics": {"accuracy": 0.9}, "timestamp": 0, "digest": "abc"},
        published={"error": 10.0, "source": "somebody 1998"},
    )  # fmt: skip
    write_run_report(folder, folder.report, {"optimizer", "optimizer.lr", "tags"})
    page = folder.report.read_text("utf-8")
    differing = page[page.index("differs from the defaults") : page.index("<details>")]
    assert "<dt>optimizer</dt><dd>SGD</dd>\n<dt>optimizer.lr</dt><dd>0.3</dd>" in differing
    assert "dropout" not in differing
    assert "published 10 % (somebody 1998): reproduced" in page
    assert "mlp reproduce 1a" in page


def test_a_place_that_does_not_exist_is_named(runs: Path, tmp_path: Path):
    folder = make_child(runs, "1a", {"optimizer.lr": 0.3})
    with pytest.raises(RunError, match=r"nowhere/report.html cannot be written: No such file"):
        write_run_report(folder, tmp_path / "nowhere" / "report.html", ())
