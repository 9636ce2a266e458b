import pytest


@pytest.fixture
def checkpoint_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write one however much that costs in so short a training."""
    monkeypatch.setattr("mlp.training.checkpoint.MAX_SHARE", 1e9)
