"""From the words on a command line to a configuration, and what is said of wrong words."""

import time
from pathlib import Path

import pytest

from mlp.base import ConfigError
from mlp.config import changed, compose

MISTAKES = {
    "optimizer.lrr=1": "unknown key 'optimizer.lrr'; did you mean 'lr'?",
    "optimizr=sgd": "unknown key 'optimizr'; did you mean 'optimizer'?",
    "sed=1": "unknown key 'sed'; did you mean 'seed'?",
    "no.such.key=1": "unknown key 'no'; there are model, loss, optimizer",
    "trainer.patience.x=1": "unknown key 'trainer.patience.x'",
    "optimizer=adamm": "optimizer has no choice 'adamm'; did you mean 'adam'? (choices: adagrad,",
    "experiment=mnis": "experiment has no choice 'mnis'; did you mean 'mnist'?",
    "optimizer=null": "'optimizer=null': optimizer takes one choice; with -m, optimizer=a,b",
    "optimizer.lr=1,2": "'optimizer.lr=1,2' gives several values: add -m to run each of them",
    "seed=range(3)": "'seed=range(3)' gives several values: add -m to run each of them",
    "+experiment=mnist": "experiment is chosen twice: say experiment=... once, without a +",
    "model.hidden_sizes=[1,2": "'model.hidden_sizes=[1,2' is not of the form key=value",
    "latest": "'latest' is not of the form key=value",
    "optimizer=[sgd,adam]": "'optimizer=[sgd,adam]': optimizer takes one choice",
    "max_epochs=5,6": "'max_epochs=5,6' gives several values: add -m to run each of them",
    "data.path=größe (1).csv": """needs quotes of its own: 'data.path="größe (1).csv"'""",
    "data.path=~/a=b.csv": """needs quotes of its own: 'data.path="~/a=b.csv"'""",
    "data.path=a,b.csv": """add -m to run each of them, or quotes for one: 'data.path="a,b.csv"'""",
    "lr=0.1": "unknown key 'lr'; did you mean 'optimizer.lr'?",
    "~seed": "'~seed': a run needs every key; say what it is to be, seed=...",
    "~optimizer.lr": "'~optimizer.lr': a run needs every key",
    "hydra.run.dir=/elsewhere": "hydra.run.dir cannot be set: a run's folder lies in runs/",
    "hydra.sweep.subdir=x": "hydra.sweep.subdir cannot be set: a run's folder lies in runs/",
    "hydra.output_subdir=x": "hydra.output_subdir cannot be set",
    "hydra.job.chdir=true": "hydra.job.chdir cannot be set",
    "hydra={run:{dir:/elsewhere}}": "hydra.run.dir cannot be set",
    "hydra/sweeper=basic": "hydra/sweeper cannot be chosen: with -m, mlp sweeps by itself",
    "+hydra.callbacks.x._target_=os.system": "must name a class of the kind Callback, got 'os.sy",
    "hydra.verbos=true": "unknown key 'hydra.verbos'; did you mean 'verbose'?",
    f"tags.{'x' * 300}=1": "File name too long (in: tags.xxx",
    f"model.hidden_sizes={'[' * 900}{']' * 900}": "is nested too deeply",
}


@pytest.mark.parametrize(("word", "sentence"), MISTAKES.items())
def test_mistake_is_told_in_one_sentence(word: str, sentence: str):
    with pytest.raises(ConfigError) as error:
        compose([word])
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_two_choices_of_a_group_are_refused():
    """Hydra would take the last of them in silence."""
    with pytest.raises(ConfigError, match="optimizer is chosen twice"):
        compose(["optimizer=sgd", "optimizer=adam"])


SETTINGS = [
    "hydra.verbose=true",
    "hydra/job_logging=stdout",
    "hydra/hydra_logging=default",
    "+hydra.job.env_set.A=b",
    "hydra.job.name=mine",
    "hydra.searchpath=[pkg://hydra.conf]",
    "hydra/launcher=basic",
    "hydra.launcher.workers=3",
]


@pytest.mark.parametrize("word", SETTINGS)
def test_other_settings_of_hydra_are_its_own(word: str):
    assert "hydra" not in compose([word])


def test_tags_may_be_any():
    assert compose(["tags.project=thesis", "tags.n=3"]).tags == {"project": "thesis", "n": 3}
    assert compose(["tags={project:thesis}"]).tags == {"project": "thesis"}


def test_experiment_wins_over_the_defaults_and_the_command_line_over_both():
    assert compose(["experiment=mnist"]).data._target_ == "mlp.data.Mnist"
    assert compose(["experiment=mnist", "data=digits"]).data._target_ == "mlp.data.Digits"


class TestFile:
    """A file of the user's that nobody would have written by hand."""

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            (f"seed: {'[' * 5000}{']' * 5000}", "is nested too deeply"),
            (
                "a0: &a0 [1]\n"
                + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
                "has more than 8 aliases",
            ),
            ("seed: [", "while parsing a flow node"),
            ("- 1\n", "In 'experiment/mine'"),
        ],
        ids=["nested", "aliases", "broken", "list"],
    )
    def test_is_refused_at_once(self, tmp_path: Path, text: str, sentence: str):
        (tmp_path / "experiment").mkdir()
        (tmp_path / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}\n")
        began = time.process_time()
        with pytest.raises(ConfigError, match=sentence):
            compose(["experiment=mine"], added=str(tmp_path))
        assert time.process_time() - began < 10

    def test_may_use_an_alias(self, tmp_path: Path):
        (tmp_path / "experiment").mkdir()
        (tmp_path / "experiment" / "mine.yaml").write_text(
            "# @package _global_\ntrainer: {max_epochs: &n 7, patience: *n}\n"
        )
        assert compose(["experiment=mine"], added=str(tmp_path)).trainer.patience == 7

    def test_is_found_in_a_search_path_besides(self, tmp_path: Path):
        for name, seed in (("one", 1), ("two", 2)):
            (tmp_path / name / "experiment").mkdir(parents=True)
            (tmp_path / name / "experiment" / f"{name}.yaml").write_text(
                f"# @package _global_\nseed: {seed}\n"
            )
        words = [f"hydra.searchpath=[file://{tmp_path / 'two'}]"]
        assert compose(["experiment=one", *words], added=str(tmp_path / "one")).seed == 1
        assert compose(["experiment=two", *words], added=str(tmp_path / "one")).seed == 2

    def test_may_be_the_main_one(self, tmp_path: Path):
        """As ``--config-dir=... --config-name=mine``."""
        (tmp_path / "mine.yaml").write_text("defaults: [config, _self_]\nseed: 5\n")
        assert compose(["optimizer=sgd"], added=str(tmp_path), name="mine").seed == 5

    def test_is_found_in_the_current_folder_by_itself(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        """It adds choices; the file of a name that mlp has too is mlp's, as in Hydra."""
        (tmp_path / "conf" / "optimizer").mkdir(parents=True)
        (tmp_path / "conf" / "optimizer" / "gentle.yaml").write_text(
            "_target_: mlp.nn.SGD\nlr: 0.001\n"
        )
        (tmp_path / "conf" / "config.yaml").write_text("of: another program\n")
        (tmp_path / "conf" / "optimizer" / "sgd.yaml").write_text("lr: 7\n")
        monkeypatch.chdir(tmp_path)
        assert compose(["optimizer=gentle"]).optimizer.lr == 0.001
        assert compose(["optimizer=sgd"]).optimizer.lr == 0.1
        stored = changed({"optimizer": {}}, ["optimizer=gentle"])
        assert stored["optimizer"] == {"_target_": "mlp.nn.SGD", "lr": 0.001}
        (tmp_path / "other").mkdir()
        with pytest.raises(ConfigError, match="optimizer has no choice 'gentle'"):
            compose(["optimizer=gentle"], added="other")  # --config-dir takes its place
