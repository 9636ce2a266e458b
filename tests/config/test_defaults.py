"""What of a configuration is called unusual."""

import pytest
from omegaconf import OmegaConf

from mlp.config import changed, check, compose, conf_dir, unusual_keys
from tests.cases import composed

NEEDS = {"csv": ["path=x.csv", "target=y"], "npz": ["path=x.npz"], "keel": ["name=iris"]} | {
    "sklearn": ["name=iris"]
}
DATA = sorted(path.stem for path in (conf_dir() / "data").glob("*.yaml"))


@pytest.mark.parametrize("name", DATA)
def test_data_differ_by_their_kind_and_what_they_must_be_told(name: str):
    config, needed = composed(), [f"data.{word}" for word in NEEDS.get(name, [])]
    config.data = OmegaConf.load(conf_dir() / "data" / f"{name}.yaml")
    keys = unusual_keys(check(changed(config, needed)).config)
    told = {word.partition("=")[0] for word in needed}
    assert keys == told | ({"data"} if name != "mnist_5k" else set())


def test_presets_and_words_differ():
    words = ["model.hidden_sizes=[8]", "seed=1", "optimizer=sgd"]
    keys = unusual_keys(check(compose([*words, "tags.project=thesis", "debug=limit"])).config)
    assert keys >= {"model.hidden_sizes", "seed", "optimizer", "tags"}
    assert "trainer.limit_batches" in keys
    assert "optimizer.lr" not in keys


def test_of_a_class_that_is_gone_all_keys_are_told():
    config = check(compose([])).config
    config["optimizer"] = {"_target_": "gone.Lion", "lr": 0.1}
    assert unusual_keys(config) == {"optimizer", "optimizer._target_", "optimizer.lr"}
