"""From the words on a command line to a configuration, and what is said of wrong words."""

import pytest

from mlp.base import ConfigError
from mlp.config.compose import compose

MISTAKES = {
    "optimizer.lrr=1": "unknown key 'optimizer.lrr'; did you mean 'lr'?",
    "optimizr=sgd": "unknown key 'optimizr'; did you mean 'optimizer'?",
    "sed=1": "unknown key 'sed'; did you mean 'seed'?",
    "no.such.key=1": "unknown key 'no'; there are model, loss, optimizer",
    "trainer.patience.x=1": "trainer.patience must be an int or null, got {'x': 1}",
    "optimizer=adamm": "optimizer has no choice 'adamm'; did you mean 'adam'? (choices: adagrad,",
    "experiment=mnis": "experiment has no choice 'mnis'; did you mean 'mnist'?",
    "optimizer=null": "(in: optimizer=null)",
    "optimizer.lr=1,2": "'optimizer.lr=1,2' gives several values: -m runs each of them",
    "seed=range(3)": "'seed=range(3)' gives several values: -m runs each of them",
    "+experiment=mnist": "experiment is chosen twice: say experiment=... once, without a +",
    "model.hidden_sizes=[1,2": "'model.hidden_sizes=[1,2' is not of the form key=value",
    "latest": "'latest' is not of the form key=value",
    "hydra.run.dir=/elsewhere": "'hydra.run.dir=/elsewhere' cannot be set",
    "+hydra.callbacks.x._target_=os.system": "Hydra's own settings are fixed here",
    "hydra={run:{dir:/elsewhere}}": "Hydra's own settings are fixed here",
    "hydra/output=default": "Hydra's own settings are fixed here",
    "--experimental-rerun=x.pickle": "--experimental-rerun would load a pickle",
}


@pytest.mark.parametrize(("word", "sentence"), MISTAKES.items())
def test_mistake_is_told_in_one_sentence(word: str, sentence: str):
    with pytest.raises(ConfigError) as error:
        compose([word])
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_first_of_several_unknown_keys_is_told():
    with pytest.raises(ConfigError, match=r"unknown key 'model\.hiden_sizes'"):
        compose(["optimizer.lrr=1", "model.hiden_sizes=[3]"])


def test_tags_may_be_any():
    assert compose(["tags.project=thesis", "tags.n=3"]).tags == {"project": "thesis", "n": 3}


def test_experiment_wins_over_the_defaults_and_the_command_line_over_both():
    assert compose(["experiment=mnist"]).data._target_ == "mlp.data.Mnist"
    assert compose(["experiment=mnist", "data=digits"]).data._target_ == "mlp.data.Digits"
