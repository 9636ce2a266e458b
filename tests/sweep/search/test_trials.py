"""Searches from the command line: what is refused, what is run, what is continued."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna", reason="a search needs mlp[search]")
pytest.importorskip("cmaes", reason="a search needs mlp[search]")

from mlp.config import compose
from mlp.runs import Children, RunFolder, list_sweeps, read_history
from mlp.sweep.search.journal import open_journal
from mlp.sweep.search.trials import overrides
from tests.conftest import Said

pytestmark = pytest.mark.e2e

Command = Callable[..., Said]
QUICK = ("-m", "data=digits", "tracking=none", "trainer.max_epochs=2", "trainer.patience=2")
SMALL = ("sweep=tpe", "model.hidden_sizes=[8],[16]", "trainer.batch_size=64", "model.dropout=0")


def children(parent: dict[str, Any]) -> list[dict[str, Any]]:
    return Children(parent.id).read()


class TestMistake:
    """Exit status 2, one sentence on stderr, and nothing written."""

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (
                ["sweep.sampler=tpx"],
                "sweep.sampler must be 'tpe', 'random', 'cmaes' or 'grid', got 'tpx'",
            ),
            (["sweep=tpe"], "sweep is chosen twice"),
            (
                ["sweep.pruner=mean"],
                "sweep.pruner must be 'none', 'median', 'halving' or 'hyperband', got 'mean'",
            ),
            (["sweep.n_trials=0"], "sweep.n_trials must be greater than 0, got 0"),
            (["sweep.n_trials=3,4"], "'sweep.n_trials=3,4': a sweep's own settings have one value"),
            (
                ["optimizer.lr=interval(0.1,0.01)"],
                "sweep.space.optimizer.lr.low must be at most high, 0.01, got 0.1",
            ),
            (["optimizer.lrr=interval(0,1)"], "unknown key 'optimizer.lrr'; did you mean"),
            (["model.dropout=interval(0,1.5)"], "model.dropout must be at least 0 and below 1"),
            (["model.activation=relu,gelo"], "model.activation"),
            (
                ["sweep.sampler=grid"],
                "sweep.space.optimizer.lr.step must be given for a grid",
            ),
            (
                ["seed=range(3)", "sweep.seeds_per_trial=2"],
                "sweep.seeds_per_trial must be 1 when the seed itself is searched for",
            ),
            (
                ["trainer.monitor=val/loss,val/accuracy"],
                "jobs are compared by one metric, trainer.monitor must not be",
            ),
            (
                ["loss=cross_entropy,mean_squared_error"],
                "val/loss cannot be compared between jobs that differ in loss: set trainer.monitor",
            ),
            (["data.validation=none"], "data.validation must not be none: a search compares"),
        ],
    )
    def test_is_told_before_anything_runs(
        self, mlp_run: Command, runs: Path, words: list[str], sentence: str
    ):
        said = mlp_run(*QUICK, "sweep=tpe", *words)
        assert said.status == 2
        assert said.err.startswith(f"mlp: {sentence}")
        assert said.err.count("\n") == 1
        assert not runs.exists()

    @pytest.mark.parametrize("package", ["optuna", "cmaes"])
    def test_missing_extra_is_named_with_its_command(
        self, mlp_run: Command, runs: Path, package: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setitem(sys.modules, package, None)
        said = mlp_run(*QUICK, "sweep=tpe")
        assert said.status == 2
        assert said.err == f"mlp: a search needs {package}: pip install 'mlp[search]'\n"
        assert not runs.exists()


class TestSearch:
    @pytest.mark.parametrize("preset", ["tpe", "random", "cmaes"])
    def test_preset_is_a_plan(self, mlp_run: Command, runs: Path, preset: str):
        said = mlp_run("-m", f"sweep={preset}", "sweep.dry_run=true")
        assert (said.status, said.err) == (0, "")
        assert f"50 trials by {preset}, halving pruning" in said.out
        assert "0.0001 to 0.03, log" in said.out
        assert not runs.exists()

    def test_of_random_trials_alone_it_says_that_they_are_no_search(
        self, mlp_run: Command, caplog: pytest.LogCaptureFixture
    ):
        words = ["-m", "sweep=tpe", "sweep.dry_run=true", "sweep.n_trials=10"]
        assert mlp_run(*words).status == 0
        assert caplog.messages == []
        assert mlp_run(*words, "sweep.n_startup=10").status == 0
        [sentence] = caplog.messages
        assert sentence == "sweep.n_trials=10 leaves no search: the first 10 trials are random"

    def test_begins_with_the_configuration_as_far_as_the_space_has_it(
        self, mlp_run: Command, runs: Path
    ):
        words = ["optimizer=adam,sgd", "optimizer.lr=interval(0.0005,0.01)", "seed=3"]
        space = ["model.hidden_sizes=[8],[16]", "trainer.batch_size=64", "model.dropout=0.2,0"]
        said = mlp_run(*QUICK, "sweep=tpe", "sweep.n_trials=1", *words, *space)
        assert said.status == 0
        [child] = children(list_sweeps()[0])
        params = child.sweep.params
        assert (params["optimizer"], params["optimizer.lr"], params["model.dropout"]) == (
            "adam",
            0.001,
            0,
        )
        assert params["model.hidden_sizes"] in ([8], [16])  # the default is neither

    def test_one_value_fixes_a_key_and_several_replace_it(self, mlp_run: Command):
        said = mlp_run(*QUICK, *SMALL, "sweep.dry_run=true")
        assert "model.hidden_sizes    8  16" in said.out
        assert "dropout" not in said.out
        assert "batch_size" not in said.out

    def test_a_key_that_others_depend_on_can_be_fixed(self, mlp_run: Command):
        space = (
            "{optimizer: {kind: choice, values: [adam, momentum]}, optimizer.momentum: "
            "{kind: float, low: 0.5, high: 0.9, when: {optimizer: momentum}}}"
        )
        words = [*QUICK, "sweep=random", "sweep.n_trials=2", f"++sweep.space={space}"]
        said = mlp_run(*words, "optimizer=momentum", "sweep.dry_run=true")
        assert (said.status, said.err) == (0, "")

    def test_the_same_point_twice_at_once_is_told_twice(self, mlp_run: Command, runs: Path):
        words = [*QUICK, "sweep=random", "sweep.n_trials=5", "sweep.batch=5"]
        words += [
            "trainer.batch_size=64",
            "model.hidden_sizes=[8]",
            "optimizer.lr=0.01,0.1",
            "model.dropout=0",
        ]
        said = mlp_run(*words, "hydra/launcher=basic")
        assert (said.status, said.err) == (0, "")
        journal = open_journal(runs / list_sweeps()[0].id / "study.journal")
        assert {trial.state.name for trial in journal.get_all_trials(0)} <= {"COMPLETE", "PRUNED"}

    @pytest.mark.parametrize("value", ["é", "C:\\new", "it's", "a\tb", "a b", "1.5", "null", "[x"])
    def test_a_choice_may_be_any_text(self, value: str):
        [word] = overrides({"name": value})
        assert compose([word]).name == value

    def test_is_one_study_however_often_it_is_started(self, mlp_run: Command):
        """With n_trials raised; trials that are there are not run again."""
        said = mlp_run(*QUICK, *SMALL, "sweep.n_trials=3", "sweep.pruner=none")
        assert (said.status, said.err) == (0, "")
        said = mlp_run(*QUICK, *SMALL, "sweep.n_trials=5", "sweep.pruner=none")
        assert (said.status, said.err) == (0, "")
        [parent] = list_sweeps()
        assert parent.status == "FINISHED"
        assert parent.counts["finished"] == 5
        numbers = sorted(child.name.split(":")[0] for child in children(parent))
        assert numbers == [f"trial {number}" for number in range(5)]

    def test_interrupted_trial_is_run_again_under_its_number(self, mlp_run: Command, runs: Path):
        mlp_run(*QUICK, *SMALL, "sweep.n_trials=2")
        [parent] = list_sweeps()
        journal = runs / parent.id / "study.journal"
        lines = journal.read_text().splitlines(keepends=True)
        told = next(i for i, line in enumerate(lines) if '"trial_id":1,"state"' in line)
        journal.write_text("".join(lines[:told]))  # it was killed before it could say more
        mlp_run(*QUICK, *SMALL, "sweep.n_trials=2")
        trials = open_journal(journal).get_all_trials(0)
        assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE"]
        assert len(children(parent)) == 2  # its training was through

    def test_value_is_the_mean_over_seeds(self, mlp_run: Command, runs: Path):
        words = ["sweep.n_trials=2", "sweep.seeds_per_trial=3", "seed=5"]
        said = mlp_run(*QUICK, *SMALL, *words)
        assert (said.status, said.err) == (0, "")
        [parent] = list_sweeps()
        runs_of = children(parent)
        assert sorted(child.sweep.params["seed"] for child in runs_of) == [5, 5, 6, 6, 7, 7]
        journal = open_journal(runs / parent.id / "study.journal")
        for trial in journal.get_all_trials(0):
            values = [
                child.metrics["val/loss"]
                for child in runs_of
                if child.name.startswith(f"trial {trial.number}:")
            ]
            assert trial.value == pytest.approx(sum(values) / 3)
            [scout] = [
                child
                for child in runs_of
                if child.name.startswith(f"trial {trial.number}:")
                and child.sweep.params["seed"] == 5
            ]
            first = read_history(RunFolder(runs / scout.id))[0]
            # Of the seed that may be pruned; its last epoch decides nothing any more.
            assert trial.intermediate_values == {1: first["val/loss"]}

    def test_pruned_and_failed_trials_are_marked_and_no_end(self, mlp_run: Command, runs: Path):
        """An lr of 1e30 diverges, 1e-9 learns nothing."""
        said = mlp_run(
            *("-m", "data=digits", "tracking=none", "trainer.max_epochs=4", "sweep=random"),
            *("sweep.n_trials=15", "sweep.n_startup=2", "sweep.warmup=1", "sweep.sampler=grid"),
            *(
                "sweep.pruner=median",
                "model.dropout=0",
                "trainer.batch_size=64",
                "model.hidden_sizes=[8]",
            ),
            *("optimizer=sgd", "optimizer.lr=0.1,1e30,1e-9", "seed=range(5)"),
        )
        assert said.status == 1
        [parent] = list_sweeps()
        counts = parent.counts
        assert (parent.status, counts["failed"]) == ("FAILED", 5)
        assert counts["pruned"] >= 1
        assert counts["finished"] + counts["pruned"] == 10
        pruned = next(child for child in children(parent) if child.pruned)
        assert pruned.status == "FINISHED"
        assert pruned.stop_reason.startswith("pruned (median): ")
        trials = open_journal(runs / parent.id / "study.journal").get_all_trials(0)
        assert sorted(trial.state.name for trial in trials).count("FAIL") == 5
