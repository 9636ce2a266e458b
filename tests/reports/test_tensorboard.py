"""A training's curves as TensorBoard reads them."""

from pathlib import Path

import pytest

from mlp.base import ConfigError
from mlp.reports import TensorBoard
from tests.cases import make_case


def test_each_metric_of_each_epoch_is_written(tmp_path: Path):
    pytest.importorskip("tensorboardX")
    callback = TensorBoard("curves")
    callback.begin(tmp_path)
    make_case().train(callback, max_epochs=3)
    [events] = (tmp_path / "curves").iterdir()
    content = events.read_bytes()
    for name in (b"train/loss", b"val/loss", b"val/accuracy", b"lr"):
        assert content.count(name) >= 3


def test_without_the_package_a_run_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mlp.base.packages.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs tensorboardX: pip install 'mlp\[tensorboard\]'"):
        TensorBoard()
