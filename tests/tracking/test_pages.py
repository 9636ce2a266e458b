"""What a person sees in MLflow's UI, in a real browser."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from mlp.runs import Leaderboard, find_run, list_sweeps, read_leaderboard, read_run
from mlp.tracking import address_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE = 60_000  # ms, on a busy machine

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("runs")
        patch.setenv("MLP_RUNS", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def board(runs: Path) -> Leaderboard:
    """A sweep that was trained."""
    words = ["data=digits", "trainer.max_epochs=3", "optimizer.lr=0.0001,0.01,0.001"]
    subprocess.run([sys.executable, "-m", "mlp.run", "-m", *words], check=True)
    return read_leaderboard([list_sweeps()[0].id])


def ui(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "mlp.ui", *words], text=True, stdout=subprocess.PIPE
    )


@pytest.fixture(scope="module")
def start(board: Leaderboard) -> Iterator[str]:
    """The address that ``mlp ui`` names while it serves."""
    process = ui()
    try:
        said = [process.stdout.readline() for _ in range(3)]
        yield said[1].split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """A page of somebody who sees MLflow for the first time."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def test_the_list_shows_metrics_and_nothing_in_front_of_them(
    page: "Page", start: str, board: Leaderboard
):
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(urlsplit(request.url).hostname))
    page.goto(start)
    page.get_by_text(list_sweeps()[0].name).wait_for()
    for column in ("best_val_accuracy", "best_val_loss", "test_accuracy"):
        page.get_by_role("columnheader", name=column).first.wait_for()
    value = board.winner.metrics["val/loss"]
    page.get_by_role("gridcell", name=f"{value:.5f}"[:6]).first.wait_for()
    assert not page.get_by_role("dialog").is_visible()
    assert not page.get_by_text("Overview").is_visible()
    assert set(elsewhere) == {"127.0.0.1"}


def test_a_sweep_is_a_ranking(page: "Page", start: str, board: Leaderboard):
    sweep = list_sweeps()[0]
    page.goto(address_of(sweep, find_run(sweep.id)))
    links = page.get_by_role("link", name=re.compile(r"^lr=0"))
    links.nth(2).wait_for()
    assert links.all_inner_texts() == [row.name for row in board.rows]


def test_a_sweeps_own_page_leads_to_its_best_run_and_its_curves(
    page: "Page", start: str, board: Leaderboard
):
    page.goto(start)
    page.get_by_role("link", name=list_sweeps()[0].name).click()
    table = page.get_by_role("table").filter(has_text="val/loss").first
    table.wait_for()
    cells = table.get_by_role("row").nth(1).get_by_role("cell")
    first, second = cells.nth(0).bounding_box(), cells.nth(1).locator("a").bounding_box()
    assert second["x"] - first["x"] - first["width"] > 5  # pixels
    with page.expect_popup() as tab:
        page.get_by_role("link", name=board.winner.name).first.click()  # in the first line
    run = tab.value
    run.set_default_timeout(PATIENCE)
    run.get_by_role("tab", name="Model metrics").click()
    run.locator("path.js-line").first.wait_for()
    sections = re.findall(r"^(\w+)\s*\(\d+\)$", run.inner_text("body"), re.MULTILINE)
    assert sections[:2] == ["train", "val"]


def test_a_sweeps_report_opens_among_its_artifacts(page: "Page", start: str, board: Leaderboard):
    sweep = list_sweeps()[0]
    page.goto(start)
    page.get_by_role("link", name=sweep.name).click()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("report.html").first.click()
    report = page.frame_locator("iframe")
    report.locator("html.drawn").wait_for()
    assert report.locator("#board tbody tr").first.locator("td").nth(1).inner_text() == "0.01"


def test_a_comparison_opens_on_the_monitored_metric(page: "Page", start: str, board: Leaderboard):
    ids = [row.runs[0].id for row in board.rows]
    said, _ = ui(*ids).communicate(timeout=240)
    page.goto(said.split()[-1])
    page.get_by_text("Comparing 3 Runs").wait_for()
    page.locator(".parcoords .axis-title", has_text="val/loss").first.wait_for()
    assert read_run(find_run(ids[0])).monitor == "val/loss"
