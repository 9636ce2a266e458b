"""In what runs differ, in few words."""

from typing import Any

import pytest

from mlp.runs import in_words, name_of, short_keys


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.003, "0.003"),
        (1e-8, "1e-08"),
        (0.123456, "0.1235"),
        (64, "64"),
        (None, "null"),
        (True, "true"),
        ("adam", "adam"),
        ([128, 64], "128x64"),
        ([64], "64"),
        ([], "[]"),
        ([0.5, 0.25], "0.5x0.25"),
        (["tanh", "relu"], "tanh,relu"),
        (["relu"], "relu"),
        ([["relu", 2], [3]], "relu,2x3"),
    ],
)
def test_a_value_in_few_characters(value: Any, words: str):
    assert in_words(value) == words


def test_a_name_of_list_valued_settings():
    params = {"model.hidden_sizes": [300, 100], "model.activation": ["tanh", "relu"], "seed": 1}
    names = short_keys(["model.hidden_sizes", "model.activation"])
    assert name_of(params, names) == "hidden_sizes=300x100 activation=tanh,relu"
