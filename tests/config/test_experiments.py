"""Each preset makes a network that takes an epoch; its header says what is to be expected."""

from math import isfinite
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from mlp.base import generator
from mlp.config import check, compose, conf_dir
from mlp.data import Dataset
from mlp.jobs import check_fit
from mlp.training import EpochLimit
from tests.cases import composed

FILES = sorted(conf_dir().glob("experiment/*.yaml"))
PRESETS = [*FILES, *sorted(conf_dir().glob("debug/*.yaml"))]
IMAGES = [path.stem for path in FILES if not path.stem.startswith("tabular")]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """As MNIST, but for what the images show, and how many they are."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (400, 784), np.uint8), np.arange(400) % 10
    classes = tuple("0123456789")
    return Dataset("noise", x[:300], y[:300], x[300:], y[300:], classes, 255.0, (28, 28))


@pytest.mark.parametrize("preset", IMAGES)
def test_takes_an_epoch(preset: str, dataset: Dataset):
    config = composed(f"experiment={preset}")
    config.data.val_size, config.trainer.limit_batches = 50, 2
    job = check(config)
    parts = job.task.prepare(job.data.parts(dataset, job.seed))
    check_fit(job, dataset, parts)
    network = job.model.build(784, 10, job.loss, generator(job.seed, "init"))
    before = network.params.copy()
    outcome = job.trainer.fit(
        network,
        job.optimizer,
        job.schedule,
        parts,
        job.seed,
        stops=[EpochLimit(1)],
        augment=job.augment.of_rows(dataset.image_shape),
        task=job.task,
    )
    assert isfinite(outcome.history[0]["train/loss"])
    assert not np.array_equal(network.params, before)


@pytest.mark.parametrize("preset", ["tabular", "tabular_regression"])
def test_takes_an_epoch_over_a_table(preset: str, tmp_path: Path):
    """Of numbers and categories; its output layer, at first zero, answers alike for every row."""
    rng = np.random.default_rng(0)
    rows = [f"{v:.3f},{rng.choice(['a', 'b', 'c'])},{int(v > 0)}" for v in rng.normal(size=400)]
    (tmp_path / "table.csv").write_text("\n".join(["length,kind,target", *rows]))
    words = [f"data.path={tmp_path / 'table.csv'}", "data.target=target"]
    job = check(compose([f"experiment={preset}", *words]))
    dataset = job.data.load(job.task.targets)
    parts = job.task.prepare(job.data.parts(dataset, job.seed))
    check_fit(job, dataset, parts)
    n_in, n_out = parts.scaler.n_in, job.task.n_out(dataset)
    network = job.model.build(n_in, n_out, job.loss, generator(job.seed, "init"))
    z = network.forward(np.eye(n_in, dtype="float32"), network.workspace(n_in))
    np.testing.assert_array_equal(z, 0)
    outcome = job.trainer.fit(
        network,
        job.optimizer,
        job.schedule,
        parts,
        job.seed,
        stops=[EpochLimit(3)],
        task=job.task,
    )
    assert outcome.history[2]["train/loss"] < outcome.history[0]["train/loss"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_opens_with_its_command(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith(f"# mlp run experiment={path.stem}")


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_wins_over_the_defaults(path: Path):
    diff = OmegaConf.load(path)
    diff.pop("defaults", None)
    config = composed(f"{path.parent.name}={path.stem}")
    assert OmegaConf.merge(config, diff) == config


@pytest.mark.parametrize("preset", IMAGES)
def test_what_is_published_is_named_in_the_header(preset: str):
    path = conf_dir() / "experiment" / f"{preset}.yaml"
    header = path.read_text(encoding="utf-8").partition("\ndefaults:")[0]
    assert "Measured: " in header
    if published := OmegaConf.load(path).get("published"):
        assert f"{published.error:g}" in header
        assert "Source: " in header
