"""The report in a real browser: it sorts and filters, its charts follow, it asks for nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from mlp.reports import write_sweep_report
from mlp.runs import read_leaderboard
from tests.records import make_child, make_sweep

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

SETTINGS = [(0.01, "tanh", 0.4), (0.1, "relu", 0.2), (1.0, "tanh", 0.3), (0.1, "tanh", 0.5)]
LRS = (
    "[...document.querySelectorAll('#board tbody tr:not([hidden])')].map(r => r.cells[1].innerText)"
)
CHARTS = "Bokeh.documents[0].get_model_by_name('{}').{}"


@pytest.fixture(scope="module")
def page(chromium: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator["Page"]:
    """The report of a sweep; in the end nothing has been requested or complained about."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLP_RUNS", str(folder))
        sweep = make_sweep(folder)
        for number, (lr, activation, loss) in enumerate(SETTINGS):
            params = {"optimizer.lr": lr, "model.activation": activation}
            make_child(folder, f"a{number}", params, loss)
        write_sweep_report(sweep, read_leaderboard(["5eed"]), sweep.report)
    page = chromium.new_page()
    requests, complaints = list[str](), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda said: complaints.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(sweep.report.as_uri())
    page.locator("html.drawn").wait_for()
    yield page
    assert requests == [sweep.report.as_uri()]
    assert complaints == []


@pytest.fixture(autouse=True)
def as_opened(page: "Page") -> None:
    page.get_by_role("searchbox").fill("")
    page.evaluate("select([]); sort(0, 1)")


def test_a_heading_sorts_numbers_by_size_both_ways(page: "Page"):
    heading = page.get_by_role("button", name="lr")
    heading.click()
    assert page.evaluate(LRS) == ["0.01", "0.1", "0.1", "1"]
    heading.click()
    assert page.evaluate(LRS) == ["1", "0.1", "0.1", "0.01"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("tanh", ["1", "0.01", "0.1"]),
        ("tanh lr<0.5", ["0.01", "0.1"]),
        ("val/loss<=0.3", ["0.1", "1"]),
        ("activation=relu", ["0.1"]),
        ("lr!=0.1 val/loss>0.35", ["0.01"]),
        ("nothing", []),
    ],
)
def test_words_and_comparisons_filter(page: "Page", words: str, left: list[str]):
    page.get_by_role("searchbox").fill(words)
    assert page.evaluate(LRS) == left
    assert page.get_by_role("status").inner_text() == f"{len(left)} of 4"
    assert len(page.evaluate(CHARTS.format("shown settings", "indices"))) == len(left)
    assert len(page.evaluate(CHARTS.format("shown runs", "indices"))) == len(left)


def test_a_column_that_there_is_not_is_named(page: "Page"):
    page.get_by_role("searchbox").fill("momentum>0.5")
    assert page.get_by_role("status").inner_text() == "there is no column momentum"


def test_a_row_is_selected_in_the_charts(page: "Page"):
    page.locator("#board tbody tr").first.click()
    best = len(SETTINGS) - 1  # the last that is drawn
    assert page.evaluate(CHARTS.format("settings", "selected.indices")) == [best]
    assert page.evaluate(CHARTS.format("runs", "selected.indices")) == [best]
    page.get_by_role("button", name="clear selection").click()
    assert page.evaluate(CHARTS.format("runs", "selected.indices")) == []


def test_a_box_over_an_axis_selects_rows(page: "Page"):
    chart = page.locator("#parallel")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    x, middle = box["x"] + box["width"] / 6, box["y"] + box["height"] / 2  # the first of three axes
    page.mouse.move(x - 30, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(x + 30, middle - 40, steps=5)
    page.mouse.up()
    selected = page.locator("#board tr.selected")
    selected.first.wait_for()
    assert selected.locator("td:nth-child(2)").all_inner_texts() == ["1"]


@pytest.mark.parametrize("width", [400, 1600])
def test_fits_the_window(page: "Page", width: int):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)  # ms, the charts follow
    assert page.evaluate("document.documentElement.scrollWidth") <= width
