"""``mlp report``: where the page is written, and what it is about."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlp.report import main
from tests.records import make_child, make_sweep


@pytest.fixture
def report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Call the command; return its status and what it printed."""

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["mlp report", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, "".join(capsys.readouterr())

    return call


def test_a_sweeps_page_lies_in_its_folder(runs: Path, report):
    folder = make_sweep(runs)
    make_child(runs, "1a", {"optimizer.lr": 0.3})
    assert report("5eed") == (0, f"report  {folder.report}\n")
    assert "<h1>sweep-5eed</h1>" in folder.report.read_text("utf-8")


def test_a_runs_page_names_what_differs_from_the_defaults(runs: Path, tmp_path: Path, report):
    make_child(runs, "1a", {"optimizer.lr": 0.375})
    path = tmp_path / "page.html"
    assert report("1a", "--output", path) == (0, f"report  {path}\n")
    page = path.read_text("utf-8")
    assert "<dt>optimizer.lr</dt><dd>0.375</dd>" in page[: page.index("<details>")]


def test_a_sweep_without_results_has_none(runs: Path, report):
    folder = make_sweep(runs)
    make_child(runs, "1a", {"optimizer.lr": 0.3}, None, status="FAILED")
    assert report("5eed") == (2, "mlp: no run of the sweep has finished yet (1 failed)\n")
    assert not folder.report.exists()
