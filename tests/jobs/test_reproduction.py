"""A stored run is repeated to the same bits, or it is said in what it differs and why."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest

from mlp.base import RunError
from mlp.jobs import evaluate_run, make_ensemble, reproduce_run, resume_run, run_job
from mlp.reports import Console
from mlp.reproduce import main
from mlp.runs import RunFolder, read_config, read_history, read_training, update_run, write_csv
from mlp.runs.find import list_runs
from mlp.runs.folder import write_yaml
from mlp.training import EpochEnded, Pruner
from tests.cases import composed
from tests.conftest import Said

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("without_figures")]

QUICK = ("data=digits", "tracking=none", "trainer.max_epochs=2", "model.hidden_sizes=[16]")
CONF = Path(__file__).parents[2] / "conf"


class Interruption(Pruner):
    """Ends the process of a training in an epoch, as far as a test can bear it."""

    def __init__(self, epoch: int, error: type[BaseException] | None = None) -> None:
        self.epoch, self.error = epoch, error

    def after_epoch(self, event: EpochEnded) -> str | None:
        if event.epoch < self.epoch:
            return None
        if self.error:
            raise self.error
        self.pruned = True
        return "it does not promise much"


class Signal(Pruner):
    """Sends this process a signal after an epoch, as a scheduler does."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def after_epoch(self, event: EpochEnded) -> None:
        if event.epoch == self.epoch:
            os.kill(os.getpid(), signal.SIGTERM)


def trained(*words: str, pruner: Pruner | None = None) -> RunFolder:
    words = tuple({word.partition("=")[0]: word for word in (*QUICK, *words)}.values())
    return run_job(composed(*words), words, pruner=pruner).folder


def choices(group: str) -> list[str]:
    return [f"{group}={path.stem}" for path in sorted((CONF / group).glob("*.yaml"))]


def reproduced(folder: RunFolder) -> str:
    """Return what was compared in a run that is identical, in circumstances that are, too."""
    reproduction = reproduce_run(folder)
    assert (reproduction.difference, reproduction.changes) == (None, [])
    return ", ".join(reproduction.same)


class TestIdentical:
    @pytest.mark.parametrize(
        "chosen",
        [*zip_longest(*map(choices, ("optimizer", "schedule", "augment")), fillvalue="")],
    )
    def test_every_optimizer_schedule_and_augmentation(self, chosen: Sequence[str]):
        short = {"schedule=step": "schedule.every=1", "schedule=warmup_cosine": "schedule.warmup=1"}
        words = [*chosen, *(short.get(word, "") for word in chosen), "model.dropout=0.2"]
        said = reproduced(trained(*filter(None, words)))
        assert said == (
            "the data, their split, the history of 2 epochs, the weights, the test metrics, "
            "the test predictions"
        )

    def test_the_run_stays_as_it_is(self, runs: Path):
        folder = trained()
        files = {path: path.stat().st_mtime_ns for path in runs.rglob("*")}
        reproduced(folder)
        assert {path: path.stat().st_mtime_ns for path in runs.rglob("*")} == files

    def test_jobs_of_a_sweep(self, mlp_run: Callable[..., Said]):
        assert mlp_run("-m", "hydra/launcher=basic", "seed=1,2", *QUICK).status == 0
        said = [reproduced(folder) for folder in list_runs()]
        assert len(said) == 2
        assert all("the weights" in words for words in said)
        assert any("the test predictions" in words for words in said)  # of the winner

    def test_refit(self):
        assert "the weights" in reproduced(trained("refit=true"))

    def test_a_run_that_others_weights_began(self):
        first = trained()
        assert "the weights" in reproduced(trained(f"init_from={first.path.name}", "seed=3"))

    def test_a_run_that_time_has_ended(self):
        folder = trained("trainer.max_seconds=1e-9")
        assert "the history of 1 epoch, the weights" in reproduced(folder)

    def test_a_pruned_run(self):
        folder = trained("trainer.max_epochs=4", "refit=true", pruner=Interruption(2))
        assert read_training(folder).pruned
        assert "the history of 2 epochs of a pruned run, the weights" in reproduced(folder)

    @pytest.mark.parametrize(
        ("error", "state"), [(KeyboardInterrupt, "killed"), (MemoryError, "failed")]
    )
    def test_a_run_that_was_cut_has_its_history_only(self, error: type[BaseException], state: str):
        with suppress(KeyboardInterrupt):
            trained("trainer.max_epochs=4", pruner=Interruption(2, error))
        assert reproduced(list_runs()[-1]).endswith(f"the history of 2 epochs of a {state} run")

    def test_a_run_that_a_signal_has_ended(self):
        folder = trained("trainer.max_epochs=4", "refit=true", pruner=Signal(2))
        assert "the history of 2 epochs of a killed run, the weights" in reproduced(folder)

    def test_a_run_whose_folder_was_moved(self, tmp_path: Path):
        place = trained().path.rename(tmp_path / "elsewhere")
        assert "the weights" in reproduced(RunFolder(place))

    def test_a_run_that_was_made_longer(self):
        folder = trained("trainer.keep_checkpoint=true")
        resume_run("latest", ["trainer.max_epochs=3"])
        assert "the history of 3 epochs, the weights" in reproduced(folder)


def test_the_recorded_commit_with_its_uncommitted_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In a checkout whose commit draws other random numbers, but for an uncommitted change."""
    checkout = tmp_path / "checkout"
    for name in ("mlp", "conf"):
        shutil.copytree(
            CONF.parent / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(CONF.parent / "pyproject.toml", checkout)
    code = checkout / "mlp" / "base" / "randomness.py"
    ours = code.read_text()
    code.write_text(ours.replace("SeedSequence(seed,", "SeedSequence(seed + 1,"))
    git(checkout, "init", "--quiet")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "other random numbers")
    code.write_text(ours)
    (checkout / "new.bin").write_bytes(bytes(range(256)))
    git(checkout, "add", "new.bin")
    monkeypatch.setattr("mlp.runs.checkout.CHECKOUT", checkout)
    monkeypatch.setattr("mlp.jobs.worktree.project_root", lambda: checkout)
    folder = trained()
    reproduction = reproduce_run(folder, at_commit=True)
    assert (reproduction.difference, reproduction.changes) == (None, [])
    folder.diff.unlink()
    reproduction = reproduce_run(folder, at_commit=True)
    assert reproduction.difference == "other rows validate"
    assert git(checkout, "worktree", "list").count("\n") == 1
    origin = read_training(folder).provenance
    unknown = origin.git.model_copy(update={"commit": "0" * 40})
    update_run(folder, provenance=origin.model_copy(update={"git": unknown}))
    with pytest.raises(RunError, match="cannot be checked out"):
        reproduce_run(folder, at_commit=True)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_ensembles_and_runs_without_an_epoch_are_refused():
    with suppress(KeyboardInterrupt):
        trained(pruner=Interruption(1, KeyboardInterrupt))
    cut = list_runs()[-1]
    cut.history.unlink()
    with pytest.raises(RunError, match="has not completed an epoch"):
        reproduce_run(cut)
    ensemble = make_ensemble([trained(), trained("seed=1")], None, Console(quiet=True))
    with pytest.raises(RunError, match="is an ensemble"):
        reproduce_run(ensemble)


class TestDifferent:
    def test_an_edited_configuration_is_named(self):
        folder = trained("seed=7")
        stored = read_config(folder)
        edited = stored | {"seed": 8, "trainer": stored["trainer"] | {"patience": 3}}
        write_yaml(folder.config, edited)
        reproduction = reproduce_run(folder)
        assert reproduction.difference == "other rows validate"
        edits = "trainer.patience was 10 and is 3, seed was 7 and is 8"
        assert reproduction.changes == [f"{folder.config} has been edited: {edits}"]

    def test_another_version_is_named(self):
        folder = trained()
        origin = read_training(folder).provenance
        versions = origin.versions | {"numpy": "1.2.3"}
        blas = origin.blas.model_copy(update={"architecture": "Abacus"})
        changed = origin.model_copy(update={"versions": versions, "blas": blas})
        update_run(folder, provenance=changed)
        reproduction = reproduce_run(folder)
        assert reproduction.difference is None
        assert reproduction.changes == [
            f"NumPy was 1.2.3 and is {np.__version__}",
            f"the CPU whose kernels the BLAS library takes was Abacus and is "
            f"{origin.blas.architecture}",
        ]

    def test_a_changed_row_of_the_data_is_named(self, tmp_path: Path):
        rng, file = np.random.default_rng(0), tmp_path / "mine.npz"
        x, y = rng.random((60, 4)), np.arange(60) % 3
        np.savez(file, x_train=x, y_train=y, x_test=x, y_test=y)
        folder = trained("data=npz", f"data.path={file}")
        x[7, 2] += 1
        np.savez(file, x_train=x, y_train=y, x_test=x, y_test=y)
        difference = reproduce_run(folder).difference
        assert difference.startswith("the data have changed: the digest of ")

    def test_the_first_difference_is_told(self):
        folder = trained()
        weights = np.load(folder.weights / "W1.npy")
        weights[0, 1] = 0.5
        np.save(folder.weights / "W1.npy", weights)
        difference = reproduce_run(folder).difference
        assert difference.startswith("W1[0, 1] was 0.5 and is ")
        assert "; 1 of 1,024 values differ" in difference
        rows = read_history(folder)
        rows[1]["val/loss"] *= 1 + 1e-15
        rows[1]["timestamp"] += 1
        write_csv(folder.history, list(rows[0]), (row.values() for row in rows))
        reproduction = reproduce_run(folder)
        assert reproduction.difference.startswith("epoch 2: val/loss was ")
        assert reproduction.same == ["the data", "their split"]

    def test_a_later_evaluation_with_another_result_is_told(self):
        folder = trained()
        evaluate_run(folder)
        assert reproduce_run(folder).difference is None
        test = read_training(folder).test
        metrics = test.metrics | {"loss": 1.5}
        update_run(folder, test=test.model_copy(update={"metrics": metrics}))
        difference = reproduce_run(folder).difference
        assert difference.startswith("test/loss was 1.5 and is ")
        assert difference.endswith("; mlp evaluate has tested it again after its end")


class TestCommand:
    def test_exit_status_and_words(self, capsys, monkeypatch):
        folder = trained()
        assert status(monkeypatch, folder) == 0
        assert "identical: the data" in capsys.readouterr().out
        folder.test_predictions.write_text("")
        assert status(monkeypatch, folder) == 1
        assert "different: line 0 of the test predictions" in capsys.readouterr().out
        folder.history.write_text("")
        assert status(monkeypatch, folder) == 2
        assert "nothing to compare" in capsys.readouterr().err


def status(monkeypatch: pytest.MonkeyPatch, folder: RunFolder) -> int:
    monkeypatch.setattr(sys, "argv", ["mlp reproduce", str(folder.path)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)
