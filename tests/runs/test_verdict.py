"""A measured test error beside a published one."""

from typing import Any

import numpy as np
import pytest

from mlp.base import ConfigError
from mlp.config import check
from mlp.runs import RunRecord, verdict_in_words
from mlp.runs.verdict import judge
from tests.cases import composed
from tests.records import RUN

TESTED = {"metrics": {"loss": 0.1, "accuracy": 0.984}, "timestamp": 0, "digest": "abc"}


def record(**changes: Any) -> RunRecord:
    data = RUN["data"] | {"n_test": 10_000}
    published = {"error": 1.5, "source": "Someone 1999"}
    return RunRecord.model_validate(RUN | {"data": data, "published": published} | changes)


@pytest.mark.parametrize(
    ("published", "word"),
    [
        (1.6, "reproduced"),
        (1.84, "reproduced"),
        (1.85, "better"),
        (1.36, "reproduced"),
        (1.35, "not reproduced"),
    ],
)
def test_an_error_is_reproduced_within_its_own_interval(published: float, word: str):
    """Of 160 mistakes in 10,000, that is 1.96·√(0.016·0.984/10,000) = 0.246 %."""
    verdict = judge(published, [1.6], 10_000)
    assert verdict.word == word
    assert verdict.margin == pytest.approx(0.2459, abs=1e-4)


def test_several_seeds_are_taken_as_their_mean_with_its_own_error():
    verdict = judge(1.0, [1.5, 1.6, 1.7], 10_000)
    assert verdict.measured == pytest.approx(1.6)
    of_examples, of_seeds = 1.6 * 98.4 / 10_000, 0.1**2 / 3
    assert verdict.margin == pytest.approx(1.96 * (of_examples + of_seeds) ** 0.5)


def test_an_interval_of_a_normal_share_covers_it_as_often_as_it_says():
    counts = np.random.default_rng(0).binomial(10_000, 0.016, 2000)
    words = [judge(1.6, [100 * count / 10_000], 10_000).word for count in counts]
    assert words.count("reproduced") / 2000 == pytest.approx(0.95, abs=0.015)


def test_it_is_said_in_one_sentence():
    said = verdict_in_words(record(test=TESTED))
    assert said == "test error 1.60 ± 0.25 %, published 1.5 % (Someone 1999): reproduced"
    shortened = {"error": 1.0, "source": "S", "shortened": True}
    said = verdict_in_words(record(test=TESTED, published=shortened))
    assert said.endswith(": not reproduced, by a shortened training")


@pytest.mark.parametrize(
    "changes",
    [{}, {"test": TESTED, "published": None}, {"test": TESTED, "limited": True}],
    ids=["untested", "nothing published", "cut for debugging"],
)
def test_without_a_whole_test_there_is_none(changes: dict[str, Any]):
    assert record(**changes).verdict is None
    assert verdict_in_words(record(**changes)) == ""


@pytest.mark.parametrize(
    ("published", "sentence"),
    [
        ("{error: 1.6}", "'source': field required"),
        ("{error: 160, source: x}", "'error': input should be less than or equal to 100"),
        ("{error: 1.6, source: x, year: 3}", "'year': extra inputs are not permitted"),
    ],
)
def test_a_configuration_that_publishes_something_else_is_refused(published: str, sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        check(composed(f"published={published}"))
