"""The sentence that says which setting is better, over what, and by which test."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console as Terminal

from mlp.reports import show_verdicts
from mlp.runs import Side
from mlp.runs.folder import write_csv
from tests.records import make_child


def setting(runs: Path, name: str, accuracies: Sequence[float], varied: str = "seed") -> Side:
    """A side whose runs differ in their seed, or in that of the split, and were tested."""
    folders = []
    for i, accuracy in enumerate(accuracies):
        split = "one" if varied == "seed" else f"split {i}"
        test = {"metrics": {"accuracy": accuracy}, "timestamp": 0, "digest": "abc"}
        run = make_child(runs, f"{name}{i}", {varied: i}, 0.5, data={"split": split}, test=test)
        folders.append(run)
    return Side.of(name, folders)


def said(sides: Sequence[Side], metric: str | None = None) -> list[str]:
    terminal = Terminal(width=1000, color_system=None)
    with terminal.capture() as capture:
        show_verdicts(sides, terminal, metric)
    return capture.get().splitlines()[:-1]


def test_the_better_one_is_named_with_its_interval(runs: Path):
    sides = [setting(runs, "A", [0.91, 0.94, 0.95]), setting(runs, "B", [0.90, 0.92, 0.935])]
    assert said(sides) == [
        "A is better than B by 1.50 points [0.26, 2.74], p = 0.035; test/accuracy of 3 training "
        "seeds on one split, these 10 test rows only, paired t"
    ]


def test_when_seeds_cannot_tell_it_says_how_many_would(runs: Path):
    sides = [setting(runs, "A", [0.91, 0.94, 0.90]), setting(runs, "B", [0.90, 0.92, 0.91])]
    assert said(sides) == [
        "the seeds cannot tell (about 44 would): A is ahead of B by 0.67 points [-3.13, 4.46], "
        "p = 0.53; test/accuracy of 3 training seeds on one split, these 10 test rows only, "
        "paired t"
    ]


def test_equal_results_are_the_same_and_no_verdict(runs: Path):
    sides = [setting(runs, name, [0.9, 0.8]) for name in "AB"]
    assert said(sides) == [
        "the seeds cannot tell: A and B are the same; test/accuracy of 2 training seeds on one "
        "split, these 10 test rows only, paired t"
    ]
    sides[1] = setting(runs, "C", [0.91, 0.81])
    assert "1.00 points apart in every pair; test/accuracy of" in said(sides)[0]


@pytest.mark.parametrize(
    ("varied", "over"),
    [
        ("data.split_seed", "3 splits and one training seed"),
        ("seed", "3 training seeds on one split"),
        ("data.fold", "3 folds"),
    ],
)
def test_it_says_over_what_the_interval_is(runs: Path, varied: str, over: str):
    sides = [
        setting(runs, name, accuracies, varied)
        for name, accuracies in (("A", [0.91, 0.94, 0.95]), ("B", [0.90, 0.92, 0.935]))
    ]
    assert f"; test/accuracy of {over}, " in said(sides)[0]


def test_seeds_that_split_for_themselves_share_training_rows(runs: Path):
    """As they do unless data.split_seed is given."""
    sides = []
    for name, drift in (("A", 0.0), ("B", 0.1)):
        folders = [
            make_child(runs, f"{name}{i}", {"seed": i}, 0.5 + drift * i, data={"split": f"{i}"})
            for i in range(3)
        ]
        sides.append(Side.of(name, folders))
    [sentence] = said(sides)
    assert "3 seeds, each with a split of its own" in sentence
    assert "paired t corrected for shared training rows" in sentence


def test_two_networks_are_compared_on_their_test_rows(runs: Path):
    sides = [setting(runs, "A", [0.1]), setting(runs, "B", [0.9])]
    for side, wrong in zip(sides, (9, 1), strict=True):
        rows = [[i, "0", "1" if i < wrong else "0", 1.0] for i in range(10)]
        header = ["index", "label", "prediction", "score"]
        write_csv(side.runs[0].folder.test_predictions, header, rows)
    assert said(sides) == [
        "B is better than A by 80.00 points [35.39, 97.94], p = 0.0078; test/accuracy of one "
        "training each on 10 test rows, McNemar's test"
    ]


def test_stored_predictions_speak_of_other_rows_and_of_each_two_networks(runs: Path):
    sides = [setting(runs, "A", [0.9, 0.8]), setting(runs, "B", [0.2, 0.3])]
    for side, n_right in zip(sides, ((20, 18), (3, 4)), strict=True):
        for run, n in zip(side.runs, n_right, strict=True):
            rows = [[i, "0", "0" if i < n else "1", 1.0] for i in range(20)]
            header = ["index", "label", "prediction", "score"]
            write_csv(run.folder.test_predictions, header, rows)
    [sentence] = said(sides)
    assert (
        "; test/accuracy of 2 training seeds on one split, 10 test rows, t over seeds and"
        in sentence
    )
    assert sentence.endswith("by McNemar's test better in 2 of 2 pairs, worse in 0")


def test_what_several_verdicts_have_in_common_is_said_once(runs: Path):
    accuracies = {"A": [0.9, 0.8, 0.7], "B": [0.8, 0.75, 0.7], "C": [0.5, 0.5, 0.6]}
    *verdicts, basis = said([setting(runs, name, own) for name, own in accuracies.items()])
    assert len(verdicts) == 3
    assert basis == (
        "each: test/accuracy of 3 training seeds on one split, these 10 test rows only, paired t, "
        "p (not the interval) after Holm's correction for 3 comparisons"
    )


def test_runs_without_a_partner_are_counted(runs: Path):
    sides = [setting(runs, "A", [0.9, 0.8, 0.7]), setting(runs, "B", [0.2, 0.3])]
    assert said(sides)[0].endswith("; left out without a partner: 1 run")


def test_why_there_is_no_verdict_is_a_sentence(runs: Path):
    sides = [setting(runs, "A", [0.9, 0.8]), setting(runs, "B", [0.9])]
    sides[1] = Side("B", sides[0].runs[:0])
    assert said(sides) == [
        "no verdict: A and B have no seed in common, and settings are compared by two or more "
        "equal seeds"
    ]
