"""The recipes of docs/extend.md do as printed what they say."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "extend.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
BLOCKS = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
COMMANDS = {
    title: [line for kind, text in BLOCKS.findall(body) if not kind for line in text.splitlines()]
    for title, body in SECTIONS.items()
}

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file of the document."""
    folder = tmp_path_factory.mktemp("project")
    for kind, text in BLOCKS.findall(TEXT):
        if kind:
            path = folder / re.search(r"^# ([\w/]+\.(?:py|yaml))$", text, re.M).group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


def typed(line: str, folder: Path) -> str:
    """Type a line in a folder, without MLflow and for a few epochs; return what was said."""
    command, *words = shlex.split(line)
    if command == "mlp" and words[0] == "run" and not {"--help", "--cfg"} & set(words):
        words += ["tracking=none"]
        words += [] if "max_epochs" in line else ["trainer.max_epochs=5"]
    done = subprocess.run(
        [Path(sys.executable).with_name(command), *words],
        cwd=folder,
        env=os.environ | {"MLP_RUNS": str(folder / "runs")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{line}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("title", [title for title, lines in COMMANDS.items() if lines])
def test_recipe(title: str, project: Path):
    """Each command succeeds and says nothing on stderr."""
    said = [typed(line, project) for line in COMMANDS[title]]
    for line, out in zip(COMMANDS[title], said, strict=True):
        if "--help" in line:
            assert {"squared_hinge", "mine"} <= set(out.split())
        if "PrintNorm" in line:
            assert out.count("the norm of all parameters is") == 1
        if "top_two" in line:
            assert "top2" in out


def test_the_gradients_of_the_recipes_are_right(project: Path, monkeypatch: pytest.MonkeyPatch):
    """Central differences of the loss of a network of them all."""
    code = """
import numpy as np
from hinge import SquaredHinge
from noisy import NoisyMLP
from mlp.base import generator

model = NoisyMLP([5, 4], "hard_tanh.HardTanh", noise=0.3, dtype="float64")
network = model.build(3, 4, SquaredHinge(), generator(0, "init"))
rng = np.random.default_rng(1)
x, y, ws = rng.normal(size=(6, 3)) / 2, rng.integers(0, 4, 6), network.workspace(6)
network.loss_and_gradients(x, y, ws, generator(0, "noise"))
told, found = network.grads.copy(), np.empty_like(network.grads)
for i in range(len(told)):
    losses = []
    for step in (1e-6, -1e-6):
        network.params[i] += step
        losses.append(network.mean_loss(x, y, ws, generator(0, "noise")))
        network.params[i] -= step
    found[i] = (losses[0] - losses[1]) / 2e-6
print(np.linalg.norm(told - found) / np.linalg.norm(told))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 1e-7


def test_readme_shows_the_same_activation():
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    [shown] = [text for kind, text in BLOCKS.findall(readme) if "class HardTanh" in text]
    assert shown.partition("\n")[2] in TEXT
