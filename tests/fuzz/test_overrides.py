"""Whatever is on a command line or in a stored configuration, only UserError comes out."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp.base import UserError
from mlp.config import changed, check, compose
from tests.fuzz.damage import altered, fuzz, only

STORED = changed(compose(["data=digits"]), [])
KEYS = ("model.hidden_sizes", "optimizer.lr", "optimizer", "tags.a", "data", "seed", "+x", "~model")
VALUES = ("[1,2", "{a:1}", "sgd", "null", "${x}", "${oc.env:HOME}", "1e999", "'", "a,b", "range(3)")
words = st.text(max_size=20) | st.builds(
    "{}={}".format, st.sampled_from(KEYS), st.sampled_from(VALUES) | st.text(max_size=10)
)


@pytest.mark.e2e
@settings(fuzz, max_examples=50)  # composing takes a tenth of a second
@given(word=words)
def test_word_on_the_command_line(word: str):
    only(UserError, lambda: check(compose([word])))


@fuzz
@given(words=st.lists(words, max_size=3))
def test_change_of_a_stored_configuration(words: list[str]):
    only(UserError, lambda: check(changed(STORED, words)))


@fuzz
@given(key=st.sampled_from(sorted(STORED)), data=st.data())
def test_stored_configuration(key: str, data: st.DataObject):
    config: dict[str, Any] = STORED | {key: data.draw(altered(STORED[key]))}
    only(UserError, lambda: check(config))
