"""Values and names in few words."""

from typing import Any

import pytest

from mlp.runs import in_words, name_of, short_keys


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0030000001, "0.003"),
        (1e-5, "1e-05"),
        (7, "7"),
        (True, "true"),
        (None, "null"),
        ("tanh", "tanh"),
        ([128, 64], "128x64"),
        ([0.5, 0.25], "0.5x0.25"),
        (["tanh", "relu"], "tanh,relu"),
        ([], "[]"),
    ],
)
def test_a_value_is_put_in_few_characters(value: Any, words: str):
    assert in_words(value) == words


def test_a_name_lists_what_it_is_asked_for():
    params = {"optimizer.lr": 0.1, "model.activation": ["tanh", "relu"], "seed": 3}
    names = short_keys(["optimizer.lr", "model.activation"])
    assert name_of(params, names) == "lr=0.1 activation=tanh,relu"


def test_keys_that_would_be_called_the_same_keep_their_groups():
    keys = ["model.name", "data.name", "optimizer.lr"]
    assert list(short_keys(keys).values()) == ["model.name", "data.name", "lr"]
