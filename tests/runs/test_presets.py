"""Which runs stand for a preset, and are judged by what it was to reproduce."""

from pathlib import Path

import pytest

from mlp.runs import find_preset, open_run
from mlp.runs.folder import write_yaml
from mlp.runs.presets import is_changed_preset, preset_of
from tests.cases import CONFIG, Case
from tests.records import make_child

PUBLISHED = {"error": 1.5, "source": "Someone 1999"}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ([], False),
        (["optimizer.lr=0.1"], False),
        (["experiment=small"], False),
        (["experiment=small", "seed=3", "tracking=none", "+tags.of=me", "data.dir=x"], False),
        (["experiment=small", "optimizer.lr=0.1", "published={error: 1, source: me}"], False),
        (["experiment=small", "optimizer.lr=0.1"], True),
        (["experiment=small", "data=mnist_5k"], True),
        (["trainer.max_epochs=1", "experiment=small"], True),
    ],
)
def test_a_run_is_judged_unless_its_preset_was_changed(
    words: list[str], changed: bool, case: Case, runs: Path
):
    assert is_changed_preset(words) is changed
    config = CONFIG | {"published": PUBLISHED}
    with open_run(None, config, words, case.dataset, case.parts, case.network) as run:
        assert (run.record.published is None) is changed


def test_runs_from_before_a_change_of_the_preset_are_not_its_runs(runs: Path):
    for i, (seed, lr) in enumerate([(0, 0.2), (1, 0.2), (0, 0.3), (0, 0.3), (2, 0.3)]):
        folder = make_child(runs, f"r{i}", {"seed": seed, "optimizer.lr": lr})
        write_yaml(folder.overrides, [f"seed={seed}", "experiment=small"])
    assert preset_of(folder) == "small"
    found = find_preset("small")
    assert found is not None
    assert [run.record.id for run in found.runs] == ["r3", "r4"]  # of each seed the latest
    then = find_preset("small", {"optimizer": {"lr": 0.2}})
    assert then is not None
    assert [run.record.id for run in then.runs] == ["r0", "r1"]
    assert find_preset("large") is None
