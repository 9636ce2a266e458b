"""A search: its samplers, its pruners, its memory."""

import math
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna", reason="a search needs mlp[search]")
pytest.importorskip("cmaes", reason="a search needs mlp[search]")

from mlp.config import Search
from mlp.sweep.search.journal import open_journal
from mlp.sweep.search.pruning import TrialPruner
from mlp.sweep.search.space import Space, read_space
from mlp.sweep.search.study import OpenTrial, Study
from mlp.training import EpochEnded

SAMPLERS = ("tpe", "random", "cmaes", "grid")
MAX_EPOCHS = 20
SPACE = Space(
    read_space(
        {
            "kind": {"kind": "choice", "values": ["a", "b"]},
            "x": {"kind": "float", "low": 0.0, "high": 1.0, "step": 0.05},
            "n": {"kind": "int", "low": 1, "high": 4},
            "only_b": {
                "kind": "float",
                "low": 0.0,
                "high": 1.0,
                "step": 0.5,
                "when": {"kind": "b"},
            },
        }
    )
)


def loss(point: dict[str, Any]) -> float:
    """What the searches minimise; only ``x`` matters much."""
    return (point["x"] - 0.7) ** 2 + 0.001 * point["n"]


def study(path: Path, space: Space = SPACE, metric: str = "val/loss", **settings: Any) -> Study:
    defaults: dict[str, Any] = {"n_trials": 20, "n_startup": 5, "pruner": "median"}
    return Study(path / "study", Search(**defaults | settings), space, metric, MAX_EPOCHS)


def asked(search: Study) -> Iterator[OpenTrial]:
    """Every proposal, answered when the next is wanted."""
    while proposal := search.ask():
        yield proposal
        search.tell(proposal.number, loss(proposal.point))


def train(path: Path, number: int, losses: Callable[[int], float], epochs: int) -> int:
    """Let a pruner watch a training whose epochs have these losses; return when it ended."""
    pruner, best = TrialPruner(path / "study", number), math.inf
    for epoch in range(1, epochs + 1):
        best = min(best, losses(epoch))
        if pruner.after_epoch(EpochEnded(epoch, {}, epoch, best, 0.0)):
            assert pruner.pruned
            return epoch
    assert not pruner.pruned
    return epochs


class TestSampler:
    @pytest.mark.parametrize("sampler", SAMPLERS)
    def test_stays_in_the_space_and_says_nothing(
        self, tmp_path: Path, sampler: str, capfd: pytest.CaptureFixture[str]
    ):
        proposals = list(asked(study(tmp_path, sampler=sampler)))
        assert [proposal.number for proposal in proposals] == list(range(20))
        for point in [proposal.point for proposal in proposals]:
            assert point["kind"] in ("a", "b")
            assert 0 <= point["x"] <= 1
            assert point["n"] in (1, 2, 3, 4)
            assert ("only_b" in point) == (point["kind"] == "b")
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("sampler", SAMPLERS)
    def test_continued_study_is_the_uninterrupted_one(self, tmp_path: Path, sampler: str):
        """In the same order, whether a trial was under way or not: nothing is drawn again."""
        (tmp_path / "whole").mkdir()
        whole = [p.point for p in asked(study(tmp_path / "whole", sampler=sampler))]
        found: dict[int, dict] = {}
        for n_told in (3, 1, 0, 7, 9):
            search = study(tmp_path, sampler=sampler)
            for _ in range(n_told):
                proposal = search.ask()
                found[proposal.number] = proposal.point
                search.tell(proposal.number, loss(proposal.point))
            search.ask()  # and the process dies
        assert [found[number] for number in range(20)] == whole

    def test_seeds_differ(self, tmp_path: Path):
        points = []
        for seed in (0, 1):
            (tmp_path / str(seed)).mkdir()
            search = study(tmp_path / str(seed), sampler="random", seed=seed)
            points.append([p.point for p in asked(search)])
        assert points[0] != points[1]

    def test_more_trials_go_on_where_fewer_stopped(self, tmp_path: Path):
        assert len(list(asked(study(tmp_path, n_trials=6)))) == 6
        search = study(tmp_path, n_trials=9)
        assert [p.number for p in asked(search)] == [6, 7, 8]
        assert search.n_ended == 9
        assert study(tmp_path, n_trials=6).ask() is None

    def test_grid_visits_every_point_once(self, tmp_path: Path):
        space = Space({key: SPACE.dimensions[key] for key in ("kind", "only_b", "n")})
        search = study(tmp_path, space, sampler="grid", n_trials=1000)
        points = []
        while proposal := search.ask():
            points.append(proposal.point)
            search.tell(proposal.number, 1.0)
        assert search.n_trials == len(points) == 4 * (1 + 3)
        assert all(point in points for point in space.grid())

    def test_tpe_comes_nearer_than_chance(self, tmp_path: Path):
        """Of what it proposes later on, most is near the best; by chance, a third would be."""
        late = [p.point for p in asked(study(tmp_path, n_trials=60)) if p.number >= 20]
        assert sum(abs(point["x"] - 0.7) < 0.2 for point in late) > 0.5 * len(late)

    @pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes"])
    def test_first_trial_is_given_and_what_it_leaves_out_is_drawn(
        self, tmp_path: Path, sampler: str
    ):
        first = {"kind": "b", "x": 0.35}
        settings = Search(sampler=sampler, n_trials=20)
        search = Study(tmp_path / "study", settings, SPACE, "val/loss", MAX_EPOCHS, first)
        points = [proposal.point for proposal in asked(search)]
        assert points[0].items() >= first.items()
        assert points[0].keys() == SPACE.dimensions.keys()
        assert len({point["x"] for point in points}) > 5

    @pytest.mark.parametrize(("n_trials", "n_random"), [(1, 1), (5, 1), (10, 3), (50, 10)])
    def test_a_third_is_drawn_at_random_and_ten_at_most(self, n_trials: int, n_random: int):
        assert Search(n_trials=n_trials).n_random == n_random
        assert Search(n_trials=n_trials, n_startup=7).n_random == 7

    @pytest.mark.parametrize("value", [None, math.nan, math.inf])
    def test_failed_trial_is_no_end(self, tmp_path: Path, value: float | None):
        search = study(tmp_path, n_trials=30, n_startup=3)
        while proposal := search.ask():
            good = proposal.number % 3 == 0
            search.tell(proposal.number, loss(proposal.point) if good else value)
        states = [trial.state.name for trial in open_journal(tmp_path / "study").get_all_trials(0)]
        assert states == ["COMPLETE", "FAIL", "FAIL"] * 10

    def test_being_told_twice_changes_nothing(self, tmp_path: Path):
        search = study(tmp_path)
        search.tell(search.ask().number, 0.25)
        search.tell(0, 0.5)
        assert open_journal(tmp_path / "study").get_trial(0).value == 0.25


class TestPruner:
    def start(self, path: Path, **settings: Any) -> Study:
        """Six trials that went through, and came near to 1, 2, ..., 6."""
        search = study(path, n_startup=6, warmup=3, **settings)
        for value in range(1, 7):
            number = search.ask().number
            assert train(path, number, lambda epoch, v=value: v * (1 + 1 / epoch), 10) == 10
            search.tell(number, float(value))
        return search

    def test_median_ends_what_lies_behind_after_the_warmup(self, tmp_path: Path):
        search = self.start(tmp_path)
        assert train(tmp_path, search.ask().number, lambda epoch: 9.0, 10) == 3
        assert train(tmp_path, search.ask().number, lambda epoch: 1.5, 10) == 10

    def test_one_bad_epoch_is_forgiven(self, tmp_path: Path):
        """The best value so far is what counts."""
        search = self.start(tmp_path)
        number = search.ask().number
        assert train(tmp_path, number, lambda epoch: 99.0 if epoch == 5 else 1.5, 10) == 10

    def test_trial_that_ended_early_is_still_compared_with(self, tmp_path: Path):
        """Epochs after the 10th are no refuge, though none of the first six had any."""
        search = self.start(tmp_path)
        number = search.ask().number
        ended = train(tmp_path, number, lambda epoch: 1.0 if epoch < 10 else 0.9, MAX_EPOCHS)
        assert ended == MAX_EPOCHS
        search.tell(number, 0.9)
        stuck = train(tmp_path, search.ask().number, lambda epoch: 3.8, MAX_EPOCHS)
        assert 3 < stuck < 10

    def test_higher_accuracy_is_better(self, tmp_path: Path):
        search = study(tmp_path, metric="val/accuracy", n_startup=2, warmup=1)
        for number, accuracy in enumerate((0.3, 0.4, 0.5, 0.6, 0.7)):
            search.ask()
            pruner = TrialPruner(tmp_path / "study", number)
            assert pruner.after_epoch(EpochEnded(1, {}, 1, accuracy, 0.0)) is None
            search.tell(number, accuracy)
        pruner = TrialPruner(tmp_path / "study", search.ask().number)
        reason = pruner.after_epoch(EpochEnded(1, {}, 1, 0.1, 0.0))
        assert reason == "pruned (median): 0.1 at best in 1 epoch"

    def test_hyperband_spends_most_epochs_on_the_best(self, tmp_path: Path):
        search = study(tmp_path, sampler="random", n_trials=30, pruner="hyperband", warmup=2)
        spent = {}
        while proposal := search.ask():
            value = loss(proposal.point)
            spent[value] = train(
                tmp_path, proposal.number, lambda epoch, v=value: v + 1 / epoch, MAX_EPOCHS
            )
            search.tell(proposal.number, value, pruned=spent[value] < MAX_EPOCHS)
        best, worst = sorted(spent)[:10], sorted(spent)[-10:]
        assert sum(spent[v] for v in best) > 1.5 * sum(spent[v] for v in worst)

    def test_halving_lets_the_best_third_go_on_at_each_rung(self, tmp_path: Path):
        """Whoever comes to a rung is compared with all that have been there."""
        search, ended = study(tmp_path, pruner="halving", warmup=2), {}
        for value in (5, 6, 4, 7, 8, 4.5, 9, 3):
            number = search.ask().number
            ended[value] = train(tmp_path, number, lambda epoch, v=value: v + 1 / epoch, MAX_EPOCHS)
            search.tell(number, value, pruned=ended[value] < MAX_EPOCHS)
        assert ended == {5: 20, 6: 2, 4: 20, 7: 2, 8: 2, 4.5: 6, 9: 2, 3: 20}

    def test_halving_compares_with_a_training_that_stopped_before_the_rung(self, tmp_path: Path):
        search = study(tmp_path, pruner="halving", warmup=3)
        number = search.ask().number
        assert train(tmp_path, number, lambda epoch: 2.0 if epoch < 8 else 1.0, 8) == 8
        search.tell(number, 1.0)
        assert train(tmp_path, search.ask().number, lambda epoch: 1.5, MAX_EPOCHS) == 9

    def test_halving_waits_for_nobody(self, tmp_path: Path):
        """Trials under way count at the rungs that they have come to."""
        search = study(tmp_path, metric="val/accuracy", pruner="halving", warmup=1)
        for accuracy, goes_on in ((0.5, True), (0.4, False), (0.6, True), (0.5, False)):
            pruner = TrialPruner(tmp_path / "study", search.ask().number)
            reason = pruner.after_epoch(EpochEnded(1, {}, 1, accuracy, 0.0))
            assert (reason is None) == goes_on

    def test_repeated_attempt_is_judged_like_the_first(self, tmp_path: Path):
        search = self.start(tmp_path)
        number = search.ask().number
        assert train(tmp_path, number, lambda epoch: 9.0, 2) == 2  # and the process dies
        number = study(tmp_path, n_startup=6, warmup=3).ask().number
        assert train(tmp_path, number, lambda epoch: 9.0, 10) == 3

    def test_repeated_attempt_passes_where_the_first_has_passed(self, tmp_path: Path):
        """Although better trials have come to their end meanwhile."""
        search = self.start(tmp_path)
        number = search.ask().number
        assert train(tmp_path, number, lambda epoch: 3.4, 6) == 6  # and the process dies
        for _ in range(6):
            other = search.ask().number
            assert train(tmp_path, other, lambda epoch: 0.5, 10) == 10
            search.tell(other, 0.5)
        again = study(tmp_path, n_startup=6, warmup=3)
        assert again.ask().number == number
        assert train(tmp_path, number, lambda epoch: 3.4, 10) == 6

    def test_few_trials_have_no_median(self, tmp_path: Path):
        search = study(tmp_path, n_startup=1, warmup=1)
        for value in (1.0, 2.0, 3.0, 4.0, 9.0):
            number = search.ask().number
            assert train(tmp_path, number, lambda epoch, v=value: v, 2) == 2
            search.tell(number, value)
        assert train(tmp_path, search.ask().number, lambda epoch: 9.0, 2) == 1

    def test_pruned_trial_is_learned_from(self, tmp_path: Path):
        search = self.start(tmp_path)
        number = search.ask().number
        train(tmp_path, number, lambda epoch: 9.0, 10)
        search.tell(number, None, pruned=True)
        trial = open_journal(tmp_path / "study").get_trial(number)
        assert (trial.state.name, trial.value) == ("PRUNED", 9.0)


class TestImportances:
    def test_what_matters_comes_first(self, tmp_path: Path):
        search = study(tmp_path, sampler="random", n_trials=60)
        assert search.importances() == {}
        list(asked(search))
        shares = search.importances()
        assert next(iter(shares)) == "x"
        assert set(shares) == set(SPACE.dimensions)
        assert sum(shares.values()) == pytest.approx(1.0)


def report_many(path: Path, number: int) -> None:
    """What a worker does; it is a process of its own."""
    train(path, number, lambda epoch: 1 / epoch, MAX_EPOCHS)


def die_with_the_lock(path: Path) -> None:
    """Be killed while writing, when half a line is in the file."""
    storage = open_journal(path / "study")
    storage._backend._mutex.acquire()
    with (path / "study").open("ab") as file:
        file.write(b'{"op_code":7,"worker')
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.e2e
class TestJournal:
    def test_several_processes_write_at_once(self, tmp_path: Path):
        search = study(tmp_path, pruner="median", n_startup=9)
        context = multiprocessing.get_context("spawn")
        numbers = [search.ask().number for _ in range(3)]
        workers = [context.Process(target=report_many, args=(tmp_path, n)) for n in numbers]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=60)
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
        trials = open_journal(tmp_path / "study").get_all_trials(0)
        assert all(len(trial.intermediate_values) == MAX_EPOCHS for trial in trials)

    def test_process_killed_while_it_writes_holds_nobody_up(self, tmp_path: Path):
        """Neither its lock nor its half line stays."""
        search = study(tmp_path)
        search.tell(search.ask().number, 0.5)
        victim = multiprocessing.get_context("spawn").Process(
            target=die_with_the_lock, args=(tmp_path,)
        )
        victim.start()
        victim.join(timeout=60)
        assert victim.exitcode == -signal.SIGKILL
        search.tell(search.ask().number, 0.25)
        values = [trial.value for trial in open_journal(tmp_path / "study").get_all_trials(0)]
        assert values == [0.5, 0.25]
        assert study(tmp_path).ask().number == 2
