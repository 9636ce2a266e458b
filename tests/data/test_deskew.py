"""Deskewing: images become upright, and are so wherever the network is used."""

from pathlib import Path

import numpy as np
import pytest

from mlp.base import RunError
from mlp.config import check
from mlp.data import Batches, load_preprocessing
from mlp.data.deskew import Deskewer, DeskewingScaler
from tests.cases import composed


def bar(lean: float) -> np.ndarray:
    """A soft vertical bar that leans by so many columns a row; of shape (1, 28 · 28)."""
    r, c = np.indices((28, 28)) - 13.5
    return ((np.abs(r) < 9) * np.exp(-0.5 * ((c - lean * r) / 1.5) ** 2)).reshape(1, -1)


def covariance(x: np.ndarray) -> float:
    """Of row and column, with the ink as a distribution, over the variance of the row."""
    r, c = np.indices((28, 28)).reshape(2, -1)
    ink = x[0] / x[0].sum()
    r, c = r - ink @ r, c - ink @ c
    return float(ink @ (r * c) / (ink @ (r * r)))


@pytest.mark.parametrize("lean", [-0.6, -0.2, 0.0, 0.3, 0.6])
def test_a_leaning_bar_is_put_upright(lean: float):
    x = bar(lean)
    assert covariance(x) == pytest.approx(lean, abs=0.02)
    Deskewer(28, 28)(x)
    assert covariance(x) == pytest.approx(0, abs=0.02)
    np.testing.assert_allclose(x, bar(0.0), atol=0.12)


def test_what_is_upright_stays_as_it_is():
    x = bar(0.0)
    deskewed = x.copy()
    Deskewer(28, 28)(deskewed)
    np.testing.assert_allclose(deskewed, x, atol=1e-6)


@pytest.mark.parametrize("image", [np.zeros((1, 12)), np.eye(12)[:1], -np.ones((1, 12))])
def test_without_ink_or_height_there_is_nothing_to_do(image: np.ndarray):
    deskewed = image.astype(np.float32)
    Deskewer(3, 4)(deskewed)
    np.testing.assert_array_equal(deskewed, image)


@pytest.mark.parametrize("scale", ["unit", "standardize", "none"])
def test_is_fitted_stored_and_loaded_with_the_scaling(scale: str, tmp_path: Path):
    job = check(composed("data=digits", "data.deskew=true", f"data.scale={scale}"))
    dataset = job.data.load()
    parts = job.data.parts(dataset, 0)
    x = np.concatenate([x for x, _ in Batches(parts.train, len(parts.train)).in_order()])
    if scale == "standardize":
        varies = x.std(axis=0) > 0
        np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(x.std(axis=0)[varies], 1, rtol=1e-3)
    parts.scaler.save(tmp_path)
    loaded, raw = load_preprocessing(tmp_path), dataset.x_train[parts.train.rows]
    np.testing.assert_array_equal(loaded.transform(raw, np.empty_like(x)), x)
    plain = check(composed("data=digits", f"data.scale={scale}")).data.parts(dataset, 0).scaler
    assert not np.allclose(plain.transform(raw, np.empty_like(x)), x, atol=0.01)


@pytest.mark.parametrize("text", ["{}", "[]", '{"image_shape": [2, 3]}', '{"image_shape": "ab"}'])
def test_damaged_file_is_named(tmp_path: Path, text: str):
    DeskewingScaler(np.zeros(4, "f4"), np.ones(4, "f4"), (2, 2)).save(tmp_path)
    (tmp_path / "deskew.json").write_text(text)
    with pytest.raises(RunError, match=r"deskew\.json"):
        load_preprocessing(tmp_path)


def test_an_image_is_treated_alike_whatever_is_beside_it():
    """To the last bit: a network that is served sees the rows that it was tested on."""
    x = np.random.default_rng(0).integers(0, 256, (100, 64), np.uint8)
    scaler = DeskewingScaler(np.zeros(64, "f4"), np.full(64, 1 / 255, "f4"), (8, 8))
    together = scaler.transform(x, np.empty((100, 64), np.float32))
    for n in (1, 7, 33):
        some = scaler.transform(x[:n], np.empty((n, 64), np.float64))
        np.testing.assert_array_equal(some, together[:n])
