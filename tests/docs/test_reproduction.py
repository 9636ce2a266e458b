"""The page of reproduced results, and what writes it."""

from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from omegaconf import OmegaConf

from mlp.config import conf_dir
from mlp.runs import Repeat
from mlp.runs.folder import read_training, write_csv
from tests.records import make_child

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = spec_from_file_location("reproduction", ROOT / "bench" / "reproduction.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def a_run(
    runs: Path, accuracy: float, seconds: Sequence[float], refit: bool = False, **changes: Any
) -> Repeat:
    """A run of seed 0 with a training of so many epochs, the second of which was the best."""
    test = {"metrics": {"loss": 0.1, "accuracy": accuracy}, "timestamp": 0, "digest": "abc"}
    data = {"n_test": 10_000, "n_train": 100, "n_val": 50}
    name = f"r{accuracy}"
    folder = make_child(runs, name, {"seed": 0, "refit": refit}, test=test, data=data, **changes)
    rows = [(epoch, 0, taken) for epoch, taken in enumerate(seconds, 1)]
    write_csv(folder.history, ["epoch", "timestamp", "seconds"], rows)
    return Repeat(folder, read_training(folder))


def test_every_published_preset_has_its_row():
    text = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    presets = sorted(conf_dir().glob("experiment/*.yaml"))
    published = {path.stem: OmegaConf.load(path).get("published") for path in presets}
    expected = [
        f"| [{p}](../conf/experiment/{p}.yaml) | {v.error:g} |" for p, v in published.items() if v
    ]
    assert [row[: len(start)] for row, start in zip(rows, expected, strict=True)] == expected


def test_row_of_several_seeds(page: ModuleType, runs: Path):
    published = {"error": 1.5, "source": "Someone 1999", "shortened": True}
    seeds = [a_run(runs, 0.984, [30.0, 30.0]), a_run(runs, 0.986, [60.0, 60.0])]
    cells = [cell.strip() for cell in page.row("mine", published, seeds).split("|")]
    assert cells[2:7] == ["1.5", "1.50 ± 0.31", "0.14, 2", "1.5", "reproduced, shortened"]
    assert "not run yet" in page.row("mine", published, [])


def test_minutes_are_those_of_the_fastest_epochs(page: ModuleType, runs: Path):
    """Whatever kept the machine busy during the others."""
    assert page.undisturbed_seconds(a_run(runs, 0.9, [9.0] * 18 + [1.0, 2.0])) == 20 * 1.5
    assert page.undisturbed_seconds(a_run(runs, 0.8, [3.0])) == 3.0


def test_minutes_have_the_second_training_in_them(page: ModuleType, runs: Path):
    """Of as many epochs as were best, with half as many rows more."""
    assert page.undisturbed_seconds(a_run(runs, 0.9, [1.0] * 5, refit=True)) == 5 + 2 * 1.5
