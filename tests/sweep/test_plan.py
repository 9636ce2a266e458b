"""The plan of a grid: which jobs there are, what they are called, and what makes two the same."""

from typing import Any

import hydra
import numpy as np
import pytest
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.types import HydraContext, RunMode

from mlp.base import ConfigError, DataError
from mlp.config import accepted, build, check, compose, conf_dir, read_settings
from mlp.sweep import CommandLine
from mlp.sweep.plan import Plan, plan_grid

pytestmark = pytest.mark.e2e


def plan(*words: str) -> Plan:
    chosen = any(word.startswith("data=") for word in words)
    overrides = accepted(["-m", *([] if chosen else ["data=digits"]), *words])[1:]
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", overrides, RunMode.MULTIRUN)
        context = HydraContext(loader, Callbacks())
        words = master.hydra.overrides.task
        line = CommandLine(words, master, context, lambda _: None)
        return plan_grid(read_settings(master), line)


def keys(*words: str) -> list[str]:
    return [job.key for job in plan(*words).jobs]


@pytest.mark.e2e
class TestJobs:
    def test_are_all_combinations_in_order(self):
        found = plan("optimizer.lr=0.1,0.2", "seed=range(2)")
        assert [job.params for job in found.jobs] == [
            {"optimizer.lr": lr, "seed": seed} for lr in (0.1, 0.2) for seed in (0, 1)
        ]
        assert found.axes == {"optimizer.lr": [0.1, 0.2], "seed": [0, 1]}

    def test_are_what_hydra_makes_of_their_overrides(self):
        """Of choices and values, of an axis that a choice brings in, of a preset below them."""
        words = ["debug=limit", "optimizer=momentum,nesterov", "optimizer.momentum=0.5,0.8"]
        for job in plan(*words, "model.activation=[relu,tanh],gelu").jobs:
            assert job.config == check(compose(job.overrides)).config

    def test_of_one_value_each_are_one_job(self):
        [job] = plan("optimizer.lr=0.1").jobs
        assert job.params == {}
        assert job.config["optimizer"]["lr"] == 0.1

    def test_are_checked_together_in_what_they_share(self, monkeypatch: pytest.MonkeyPatch):
        """Else a plan of 1000 jobs takes 10 s."""
        built: list[str] = []

        def counted(key: str, node: Any, kind: Any) -> Any:
            built.append(key)
            return build(key, node, kind)

        monkeypatch.setattr("mlp.config.job.build", counted)
        assert len(plan("optimizer.lr=0.1,0.2", "seed=range(50)").jobs) == 100
        assert (built.count("model"), built.count("optimizer")) == (1, 2)

    def test_take_one_thread_unless_told_otherwise(self):
        def threads(*words: str) -> list[int]:
            return [job.config["threads"] for job in plan(*words).jobs]

        assert threads("seed=1,2") == [1, 1]
        assert threads("seed=1,2", "threads=2") == [2, 2]
        assert threads("threads=1,2") == [1, 2]

    def test_leave_the_test_set_alone_unless_told_otherwise(self):
        def tested(*words: str) -> list[bool]:
            return [job.config["test"] for job in plan("seed=1,2", *words).jobs]

        assert tested() == [False, False]
        assert tested("sweep.test=all") == [True, True]
        assert tested("test=true") == [True, True]

    def test_of_a_preset_give_way_to_the_command_line(self):
        preset = plan("sweep=lr_width")
        assert list(preset.axes) == ["optimizer.lr", "model.hidden_sizes", "seed"]
        changed = plan("sweep=lr_width", "seed=7", "optimizer.lr=1,2", "model.dropout=0,0.5")
        assert changed.axes == {
            "optimizer.lr": [1, 2],
            "model.hidden_sizes": [[64], [128, 64]],
            "model.dropout": [0, 0.5],
        }
        assert {job.config["seed"] for job in changed.jobs} == {7}


class TestDuplicates:
    def test_are_left_out_and_counted(self):
        found = plan("optimizer.lr=0.1,1e-1,0.10", "seed=1,2,1")
        assert [job.params["seed"] for job in found.jobs] == [1, 2]
        assert found.n_duplicates == 7

    def test_are_jobs_that_differ_in_nothing_that_matters(self):
        found = plan("tracking=none,mlflow", "tags.who=me,you")
        assert (len(found.jobs), found.n_duplicates) == (1, 3)


class TestComparable:
    @pytest.mark.parametrize(
        "axis", ["loss=cross_entropy,mean_squared_error", "data=digits,mnist_5k"]
    )
    def test_accuracy_compares_losses_and_data(self, axis: str):
        assert len(plan(axis, "trainer.monitor=val/accuracy").jobs) == 2

    def test_loss_compares_seeds_and_scales(self):
        assert len(plan("seed=1,2", "data.scale=unit,standardize").jobs) == 4


class TestName:
    def test_tells_what_differs_in_few_words(self):
        words = ["optimizer.lr=0.003,0.01", "model.hidden_sizes=[128,64],[]", "seed=choice(1)"]
        names = [job.name for job in plan(*words).jobs]
        assert names[:2] == ["lr=0.003 hidden_sizes=128x64", "lr=0.003 hidden_sizes=[]"]

    def test_is_no_other_jobs(self):
        names = [job.name for job in plan("optimizer.lr=0.12345678,0.12345679").jobs]
        assert len(set(names)) == 2

    def test_says_more_where_two_keys_end_alike(self):
        words = ["optimizer.eps=1e-8,1e-7", "trainer.patience=3,4", "schedule=reduce_on_plateau"]
        [name, *_] = [job.name for job in plan(*words, "schedule.patience=1,2").jobs]
        assert name == "eps=1e-08 trainer.patience=3 schedule.patience=1"


class TestKey:
    def test_is_the_same_for_the_same_result(self):
        [key] = keys("seed=1")
        assert keys("seed=1", "tracking=none", "tags.why=because", "sweep.test=all") == [key]
        assert keys("seed=1", "optimizer.lr=1e-3", "optimizer.beta1=0.90") == [key]
        assert keys("seed=1", "hydra.launcher.workers=7", "sweep.name=other") == [key]

    @pytest.mark.parametrize("word", ["seed=2", "threads=2", "data=mnist_5k", "optimizer=adamw"])
    def test_is_another_for_another_result(self, word: str):
        assert keys("seed=1", word) != keys("seed=1")

    def test_follows_the_data_and_not_their_place(self, tmp_path):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(200, 5)), rng.integers(3, size=200)
        for name, values in {"one": x, "copy": x, "other": x + 1}.items():
            np.savez(tmp_path / f"{name}.npz", x_train=values, y_train=y)
        one, copy, other = (
            keys("data=npz", f"data.path={tmp_path / name}.npz")
            for name in ("one", "copy", "other")
        )
        assert one == copy != other


@pytest.mark.e2e
class TestIdentity:
    def test_is_the_set_of_jobs_and_the_name(self):
        def identity(*words: str) -> str:
            return plan("optimizer.lr=0.1,0.2", *words).identity

        same = identity("seed=1,2")
        assert identity("seed=2,1", "sweep.dry_run=true", "hydra.launcher.workers=1") == same
        assert identity("seed=1,2", "tracking=none", "sweep.fresh=true") == same
        assert identity("seed=1,2,3") != same
        assert identity("seed=1,2", "sweep.name=again") != same


class TestMistake:
    @pytest.mark.parametrize(
        ("word", "sentence"),
        [
            ("optimizer.lr=range(3,1)", "the axis 'optimizer.lr=range(3,1)' has no values"),
            ("optimizer.lrr=1,2", "unknown key 'optimizer.lrr'; did you mean 'lr'?"),
            ("optimiser=sgd,adam", "unknown key 'optimiser'; did you mean 'optimizer'?"),
            ("optimizer.lr=0.1,-1", "optimizer.lr must be greater than 0, got -1"),
            ("optimizer.lr=interval(1,2)", "a grid needs single values, as in optimizer.lr="),
            ("sweep.name=a,b", "'sweep.name=a,b': a sweep's own settings have one value"),
            ("name=a,b", "name is a single run's"),
            (
                "loss=cross_entropy,mean_squared_error",
                "val/loss cannot be compared between jobs that differ in loss: "
                "set trainer.monitor=val/accuracy",
            ),
            (
                "data=digits,mnist_5k",
                "val/loss cannot be compared between jobs that differ in data",
            ),
            ("data.val_fraction=0.1,0.2", "jobs that differ in data: set trainer.monitor"),
            (
                "trainer.monitor=val/loss,val/accuracy",
                "trainer.monitor must not be val/loss and val/accuracy",
            ),
            (
                "data.validation=none,ordered",
                "must not be train/loss and val/loss",
            ),
        ],
    )
    def test_is_told_before_anything_runs(self, word: str, sentence: str):
        with pytest.raises(ConfigError) as error:
            plan(word, "seed=1,2")
        assert sentence in str(error.value)

    def test_the_job_is_named_where_others_are_acceptable(self):
        with pytest.raises(ConfigError, match=r"\(in optimizer=sgd optimizer\.momentum=0\.5\)$"):
            plan("optimizer=momentum,sgd", "optimizer.momentum=0.5,0.9")

    def test_in_the_data_too(self):
        with pytest.raises(DataError, match=r"no\.npz"):
            plan("data=npz", "data.path=no.npz", "seed=1,2")
