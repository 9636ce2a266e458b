"""The page of reproduced results, and what writes it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from omegaconf import OmegaConf

from mlp.config import conf_dir
from mlp.runs import RunRecord
from tests.records import RUN

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = spec_from_file_location("reproduction", ROOT / "bench" / "reproduction.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def a_run(accuracy: float, **changes: Any) -> RunRecord:
    test = {"metrics": {"loss": 0.1, "accuracy": accuracy}, "timestamp": 0, "digest": "abc"}
    data = RUN["data"] | {"n_test": 10_000}
    return RunRecord.model_validate(RUN | {"data": data, "test": test} | changes)


def test_every_published_preset_has_its_row():
    text = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    presets = sorted(conf_dir().glob("experiment/*.yaml"))
    published = {path.stem: OmegaConf.load(path).get("published") for path in presets}
    expected = [
        f"| [{p}](../conf/experiment/{p}.yaml) | {v.error:g} |" for p, v in published.items() if v
    ]
    assert [row[: len(start)] for row, start in zip(rows, expected, strict=True)] == expected


def test_row_of_several_seeds(page: ModuleType):
    published = {"error": 1.5, "source": "Someone 1999", "shortened": True}
    runs = [(a_run(0.984), 60.0), (a_run(0.986), 120.0)]
    cells = [cell.strip() for cell in page.row("mine", published, runs).split("|")]
    assert cells[2:7] == ["1.5", "1.50 ± 0.31", "0.14, 2", "1.5", "reproduced, shortened"]
    assert "not run yet" in page.row("mine", published, [])


def test_minutes_are_those_of_the_fastest_epochs(page: ModuleType):
    """Whatever kept the machine busy during the others."""
    assert page.undisturbed_seconds([9.0] * 18 + [1.0, 2.0]) == 20 * 1.5
    assert page.undisturbed_seconds([3.0]) == 3.0
