"""What the check of a configuration accepts, refuses, and says."""

from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from mlp import nn
from mlp.base import ConfigError
from mlp.config import changed, check, compose, conf_dir
from mlp.config.job import GROUPS
from mlp.training import Callback, Event
from tests.cases import composed
from tests.records import START, make_child, make_sweep

CHOICES = sorted(str(p.relative_to(conf_dir())) for g in GROUPS for p in conf_dir().glob(f"{g}/*"))


class TestConf:
    """The YAML files in conf/ and the constructors they name."""

    @pytest.mark.parametrize("choice", CHOICES)
    def test_choice_states_each_argument_with_its_default(self, choice: str):
        """Whoever reads the file knows the constructor, and the other way round."""
        stated = OmegaConf.to_container(OmegaConf.load(conf_dir() / choice))
        if "_target_" not in stated:  # it builds on another choice, and states what differs
            assert stated["defaults"]
            return
        stated.pop("defaults", None)
        if choice == "loss/squared_error.yaml":  # a second choice of one class, for numbers
            assert stated == {
                "_target_": "mlp.nn.MeanSquaredError",
                "output_activation": "identity",
            }
            return
        group = choice.split("/")[0]
        room, name = stated.pop("_target_").rsplit(".", 1)
        constructor = getattr(__import__(room, fromlist=[name]), name)
        defaults = {
            key: "???" if parameter.default is parameter.empty else parameter.default
            for key, parameter in signature(constructor).parameters.items()
        }
        defaults |= {k: list(v) for k, v in defaults.items() if isinstance(v, tuple)}
        if group == "data" and "test_fraction" not in stated:  # it comes with a test set
            del defaults["test_fraction"], defaults["test_seed"]
        differing = {"scale", "noise"} if group == "data" else set()  # as suits the data
        assert stated.keys() == defaults.keys()
        other = {k for k, v in stated.items() if v not in (defaults[k], "???")}
        assert other <= differing

    @pytest.mark.parametrize("choice", CHOICES)
    def test_choice_is_accepted(self, choice: str):
        group, name = choice.removesuffix(".yaml").split("/")
        config, stated = composed(), OmegaConf.load(conf_dir() / choice)
        config[group] = stated
        if "defaults" in stated or group in ("task", "loss"):  # what chooses others, or needs them
            needed = ["task=regression"] if name == "squared_error" else []
            config = composed(f"{group}={name}", *needed)
        for key in OmegaConf.missing_keys(config):  # such as data.path
            OmegaConf.update(config, key, "iris")
        job = check(config)
        assert job.config[group]["_target_"].endswith(type(getattr(job, group)).__name__)


class Silent(Callback):
    """A callback of one's own."""

    def __call__(self, event: Event) -> None:
        pass


class TestCallbacks:
    def test_there_are_none_by_default(self):
        assert check(composed()).callbacks == {}

    def test_each_is_made_under_its_name(self):
        words = [f"callbacks.mine._target_={__name__}.Silent"]
        assert type(check(compose(words)).callbacks["mine"]) is Silent
        assert check(compose([*words, "callbacks.mine=null"])).callbacks == {}

    @pytest.mark.parametrize(
        ("word", "sentence"),
        [
            ("callbacks.a._target_=mlp.nn.Adam", "callbacks.a._target_ must name a class of the k"),
            ("callbacks.a=3", "callbacks.a must be one of its choices"),
            (f"callbacks.a={{_target_: {__name__}.Silent, x: 1}}", "unknown key 'callbacks.a.x'"),
        ],
    )
    def test_mistake_is_told_in_one_sentence(self, word: str, sentence: str):
        with pytest.raises(ConfigError, match=sentence):
            check(compose([word]))

    def test_a_run_stored_before_there_were_any_is_understood(self):
        old = check(composed()).config
        del old["callbacks"]
        assert check(old).callbacks == {}


class TestJob:
    """What comes out of a configuration that is right."""

    def test_values_reach_the_constructors_as_plain_lists_and_numbers(self):
        job = check(compose(["model.hidden_sizes=[30,20]", "optimizer=sgd", "optimizer.lr=1"]))
        assert job.model == nn.MLP(hidden_sizes=[30, 20])
        assert type(job.model.hidden_sizes) is list
        assert job.optimizer.lr == 1

    def test_stored_configuration_makes_the_same_job(self):
        job = check(compose(["seed=3", "tags.why=test", "data.scale=standardize"]))
        again = check(job.config)
        assert (again.model, again.data, again.trainer) == (job.model, job.data, job.trainer)
        assert again.config == job.config

    def test_interpolations_are_resolved(self):
        job = check(compose(["trainer.patience=${trainer.max_epochs}", "trainer.max_epochs=7"]))
        assert job.trainer.patience == job.config["trainer"]["patience"] == 7

    def test_paths_become_absolute_and_the_given_configuration_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        """A stored run finds its data from any folder."""
        monkeypatch.chdir(tmp_path)
        config = compose(["data=npz", "data.path=../mine.npz"])
        job = check(config)
        assert job.config["data"]["path"] == job.data.path == str(tmp_path.parent / "mine.npz")
        assert config.data.path == "../mine.npz"

    def test_each_job_has_parts_of_its_own(self):
        """An optimizer has a state, which a second run must not inherit."""
        config = composed()
        assert check(config).optimizer is not check(config).optimizer

    def test_init_from_latest_is_the_best_run_of_a_sweep_and_stays_it(self, runs: Path):
        """In all jobs of another sweep, which is the latest itself by then."""
        make_sweep(runs, "5eed")
        make_child(runs, "a" * 32, {"seed": 1}, 0.3)
        make_child(runs, "b" * 32, {"seed": 2}, 0.4)
        known: dict[str, Any] = {}
        assert check(compose(["init_from=latest"]), known).init_from == "a" * 32
        make_sweep(runs, "5ee2", started=START + timedelta(days=1))
        assert check(compose(["init_from=latest"]), known).init_from == "a" * 32


MISTAKES = {
    "optimizer.lr=0": "optimizer.lr must be greater than 0, got 0",
    "optimizer.lr=-1": "optimizer.lr must be greater than 0, got -1",
    "optimizer.lr=nan": "optimizer.lr must be a finite number, got nan",
    "optimizer.lr=fast": "optimizer.lr must be a valid number, got 'fast'",
    "optimizer.lr=true": "optimizer.lr must be a valid number, got true",
    "optimizer.lr=1e400": "optimizer.lr must be a finite number, got inf",
    "tags.x=1e400": "tags must be a valid string or a valid integer or a finite number or",
    "+optimizer.momentun=0.9": "unknown key 'optimizer.momentun'; there are lr, beta1",
    "+model.hiden_sizes=[3]": "unknown key 'model.hiden_sizes'; did you mean 'hidden_sizes'?",
    "model.hidden_sizes=[0]": "model.hidden_sizes[0] must be at least 1, got 0",
    "model.hidden_sizes=64": "model.hidden_sizes must be a list, as in [64], got 64",
    "model.dropout=1": "model.dropout must be at least 0 and below 1, got 1",
    "model.activation=rely": "did you mean 'relu'?",
    "model._target_=os.system": "model._target_ must name a class of the kind MLP, got 'os.system'",
    "model._target_=mlp.nn.Network": "model._target_ must name a class of the kind MLP",
    "data._target_=mlp.data.Source": "data._target_ must name a class of the kind Source",
    "data=npz": "data.path must be given, as in data.path=...",
    "data.val_fraction=0": "data.val_fraction must be between 0 and 1, got 0",
    "data.val_fraction=1": "data.val_fraction must be between 0 and 1, got 1",
    "data.scale=${nowhere}": "data.scale: Interpolation key 'nowhere' not found",
    "loss.output_activation=tanh": "loss.output_activation must be 'softmax', got 'tanh'",
    "trainer.batch_size=0": "trainer.batch_size must be at least 1, got 0",
    "trainer.batch_size=64.0": "trainer.batch_size must be a valid integer, got 64.0",
    "trainer.batch_size=null": "trainer.batch_size must be a valid integer, got null",
    "trainer.patience=0": "trainer.patience must be at least 1, got 0",
    "trainer.clip_norm=big": "trainer.clip_norm must be a valid number, got 'big'",
    "trainer.monitor=val/acc": "trainer.monitor must be one of val/loss, val/accuracy, train/",
    "trainer.monitor=val/rmse": "trainer.monitor must be one of val/loss, val/accuracy, train/",
    "task=regression loss=cross_entropy": "loss must have linear outputs for task=regression",
    "task=binary loss=cross_entropy": "loss must be one for a single output",
    "task.metrics=[f1_makro]": "task.metrics must be names of scikit-learn's scorers, got 'f1_mak",
    "seed=-1": "seed must be greater than or equal to 0, got -1",
    "threads=0": "threads must be greater than or equal to 1, got 0",
    "threads=100000000000000000000": "threads must be less than or equal to 1024, got 1000",
    "test=maybe": "test must be a valid boolean, got 'maybe'",
    "name=latest": "name must not be 'latest'",
    "+sed=1": "unknown key 'sed'; did you mean 'seed'?",
    "+config={}": "unknown key 'config'",
    "tags.x={a:1}": "tags must be a valid string or",
}


class TestMistakes:
    """One sentence that names the key, what is wrong and what would be right."""

    @pytest.mark.parametrize(("override", "sentence"), MISTAKES.items())
    def test_sentence(self, override: str, sentence: str):
        with pytest.raises(ConfigError) as error:
            check(changed(composed(), override.split(" ")))
        assert sentence in str(error.value)
        assert "\n" not in str(error.value)

    def test_long_value_is_cut(self):
        with pytest.raises(ConfigError) as error:
            check(changed(composed(), [f"trainer.patience={'x' * 10_000}"]))
        assert len(str(error.value)) < 200

    def test_a_class_of_ones_own_has_other_keys_than_the_choice(self):
        """With ``_target_`` alone the choice's keys are left; what to do is said."""
        with pytest.raises(ConfigError, match=r"beta1'; .* conf/optimizer/sign\.yaml of your own"):
            check(changed(composed(), [f"optimizer._target_={__name__}.Sign"]))


class Sign(nn.SGD):
    """An optimizer of one's own."""
