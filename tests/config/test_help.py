"""``mlp run --help``: every key with its meaning, default and choices."""

from pathlib import Path

import pytest
import yaml

from mlp.base import ConfigError
from mlp.config import conf_dir, run_help
from mlp.config.help import read_choice

FILES = [p for p in conf_dir().glob("*/*.yaml") if p.parent.name not in ("debug", "experiment")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_key_is_explained(path: Path):
    """And each file says in a sentence what it is."""
    choice = read_choice(path)
    keys = (yaml.safe_load(path.read_text()) or {}).keys() - {
        "_target_",
        "defaults",
        "space",
        "axes",
    }
    assert {key for key in keys if not choice.comments.get(key)} == set()
    assert choice.summary


def test_of_the_words_on_the_line(monkeypatch: pytest.MonkeyPatch):
    """Another choice's keys, a preset's values; no line is longer than the terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_help(["optimizer=nadam", "--help", "experiment=mnist", "seed=3"]).splitlines()
    assert any(line.startswith("optimizer=nadam  Adam with Nesterov's") for line in lines)
    [lr] = [line for line in lines if line.lstrip().startswith("optimizer.lr")]
    assert lr.split()[:3] == ["optimizer.lr", "0.002", "learning"]
    assert any(line.split()[:2] == ["model.dropout", "0.25"] for line in lines)
    assert any(line.split()[:2] == ["seed", "3"] for line in lines)
    assert max(map(len, lines[20:])) <= 80


def test_a_comment_that_goes_on(tmp_path: Path):
    """Beneath itself; the comments of the choice that it builds on hold for the other keys."""
    (tmp_path / "base.yaml").write_text("# The base.\nlr: 1  # how fast\nm: 2  # how heavy\n")
    text = "# @package _global_\n# mlp run x=y\n#\n# First. Second.\ndefaults:\n  - base\n"
    (tmp_path / "more.yaml").write_text(text + "lr: 3\nn: 4  # how\n      # many\n")
    choice = read_choice(tmp_path / "more.yaml")
    assert choice == (
        "First.",
        {"lr": "how fast", "m": "how heavy", "n": "how many", "defaults": ""},
    )


def test_a_wrong_word():
    """Is refused as it would be without --help."""
    with pytest.raises(ConfigError, match="optimizer has no choice 'adm'"):
        run_help(["--help", "optimizer=adm"])
