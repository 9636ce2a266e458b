"""The command line from its words to the exit status and what is left behind."""

import logging
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mlp.runs import RunFolder, SweepRecord, all_runs, find_run, read_config, read_run
from mlp.runs.find import list_runs
from tests.conftest import Said

pytestmark = pytest.mark.e2e

Command = Callable[..., Said]
QUICK = ("data=digits", "tracking=none", "trainer.max_epochs=1")


def arrays(folder: RunFolder) -> dict[str, np.ndarray]:
    return {path.name: np.load(path) for path in folder.weights.glob("*.npy")}


def assert_same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert {k: a.tobytes() for k, a in one.items()} == {k: a.tobytes() for k, a in other.items()}


class TestRun:
    def test_leaves_a_finished_run_and_says_where(self, mlp_run: Command):
        said = mlp_run(*QUICK, "name='a [b]'", "seed=3", "tags.why=because")
        assert (said.status, said.err) == (0, "")
        [folder] = list_runs()
        record = read_run(folder)
        assert (record.status, record.name) == ("FINISHED", "a [b]")
        assert record.test.metrics["accuracy"] > 0.2
        assert record.tags == {"why": "because"}
        assert read_config(folder)["seed"] == 3
        assert {path.name for path in folder.weights.glob("?[123].npy")} == {
            f"{kind}{n}.npy" for kind in "Wb" for n in (1, 2, 3)
        }
        for fact in ("a [b]", str(folder.path), "epoch 1/1", "FINISHED after 1 epoch,"):
            assert fact in said.out
        assert "\x1b" not in said.out
        assert not any(Path.cwd().iterdir())

    @pytest.mark.parametrize("preset", ["debug=limit", "debug=overfit", "experiment=best"])
    def test_preset_takes_an_epoch(self, mlp_run: Command, preset: str):
        """One of each kind; tests/config/ trains with all that are published."""
        words = [*QUICK, "trainer.batch_size=64", "data.val_size=null"]  # of a smaller set
        assert mlp_run(preset, *words).status == 0

    def test_test_set_can_be_left_alone(self, mlp_run: Command):
        mlp_run(*QUICK, "test=false")
        [folder] = list_runs()
        assert read_run(folder).test is None

    def test_same_words_give_the_same_bits(self, mlp_run: Command, runs: Path):
        """In fresh processes, and inside a sweep in a used one."""
        words = [*QUICK, "trainer.max_epochs=2", "model.dropout=0.2", "threads=1"]
        for _ in range(2):
            subprocess.run([sys.executable, "-m", "mlp.run", *words], check=True, cwd=runs.parent)
        mlp_run("-m", *words, "seed=1,0,2", "hydra.launcher.workers=2")
        one, other, swept = [f for f in list_runs() if read_config(f)["seed"] == 0]
        assert_same_bits(arrays(one), arrays(other))
        assert_same_bits(arrays(one), arrays(swept))


class TestMistake:
    """Exit status 2, one sentence on stderr, and nothing written."""

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["optimizer.lrr=1"], "mlp: unknown key 'optimizer.lrr'; did you mean 'lr'?\n"),
            (["optimizer=adamm"], "mlp: optimizer has no choice 'adamm'; did you mean 'adam'?"),
            (["optimizer.lr=0"], "mlp: optimizer.lr must be greater than 0, got 0\n"),
            (["model.hidden_sizes=[1,2"], "mlp: 'model.hidden_sizes=[1,2' is not of the form"),
            (["hydra.run.dir=x"], "mlp: hydra.run.dir cannot be set: a run's folder lies in runs/"),
            (["--foo"], "mlp: unrecognized arguments: --foo; see mlp run --help"),
            (["--experimental-rerun=x"], "mlp: --experimental-rerun would load a pickle"),
            (["--config-dir=nowhere"], "mlp: --config-dir must be a folder, got 'nowhere'"),
            (["-m", "optimizer.lrr=1,2"], "mlp: unknown key 'optimizer.lrr'"),
            (["-m", "hydra.sweep.dir=x"], "mlp: hydra.sweep.dir cannot be set"),
            (["data=npz", "data.path=no.npz"], "no.npz"),
            (["optimizer.lr=${oc.env:NOT_SET}"], "mlp: optimizer.lr: KeyError raised while"),
            (["optimizer=sgd", "optimizer=adam"], "mlp: optimizer is chosen twice"),
            (["max_epochs=5,6"], "mlp: 'max_epochs=5,6' gives several values: add -m"),
            (["-m", "max_epochs=5,6"], "mlp: unknown key 'max_epochs'; did you mean 'trainer.max_"),
        ],
    )
    def test_sentence(self, mlp_run: Command, runs: Path, words: list[str], sentence: str):
        said = mlp_run(*words)
        assert said.status == 2
        assert sentence in said.err
        assert said.err.count("\n") == 1
        assert not runs.exists()
        assert list(Path.cwd().iterdir()) == []

    def test_misspelt_key_in_a_preset(self, mlp_run: Command, runs: Path, tmp_path: Path):
        preset = tmp_path / "conf" / "experiment" / "mine.yaml"
        preset.parent.mkdir(parents=True)
        preset.write_text("# @package _global_\ntrainer:\n  patiense: 3\n")
        said = mlp_run(f"--config-dir={tmp_path / 'conf'}", "experiment=mine")
        assert said.status == 2
        assert said.err == "mlp: unknown key 'trainer.patiense'; did you mean 'patience'?\n"
        assert not runs.exists()

    def test_command_that_is_stored_names_the_folder_of_its_presets(
        self, mlp_run: Command, tmp_path: Path
    ):
        """So that it can be typed again; ``conf/`` of the current folder is found anyway."""
        for folder in (tmp_path / "presets", Path.cwd() / "conf"):
            (folder / "experiment").mkdir(parents=True)
            (folder / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 3\n")
        option = f"--config-dir={tmp_path / 'presets'}"
        path = f"hydra.searchpath=[file://{tmp_path}/presets]"
        for words in ([option], [path], []):
            assert mlp_run(*words, "experiment=mine", *QUICK).status == 0
            line = shlex.join([*words, "experiment=mine", *QUICK])
            assert read_run(find_run("latest")).command == f"mlp run {line}"
        assert mlp_run("-m", option, "experiment=mine", *QUICK, "seed=1,2").status == 0
        [sweep] = [record for record in all_runs() if isinstance(record, SweepRecord)]
        assert sweep.command.startswith(f"mlp run -m {option} experiment=mine")

    def test_a_scorer_that_is_not_for_such_targets_is_refused(self, mlp_run: Command, runs: Path):
        """Before the run's folder is made."""
        said = mlp_run("data=digits", "task.metrics=[f1]")
        assert said.status == 2
        assert "task.metrics: f1 cannot be measured here: Target is multiclass" in said.err
        assert not [*runs.glob("*/run.json")]

    def test_data_error_stands_alone(self, mlp_run: Command):
        """No configuration is shown above it."""
        assert mlp_run("data=npz", "data.path=no.npz").out == ""


OWN = """
import numpy as np
from mlp.nn import SGD, Schedule

class Twice(Schedule):
    def __init__(self, inner: Schedule):
        self.inner = inner

class Slow(SGD):
    def __init__(self, lr: float = 0.01):
        super().__init__(lr=lr / 10)

def not_a_class(lr=0):
    open("called", "w")
"""


class TestOwnClass:
    """A _target_ names any importable class of its group's kind."""

    @pytest.fixture
    def here(self, tmp_path: Path) -> Path:
        (tmp_path / "own.py").write_text(OWN)
        return tmp_path

    def run(self, here: Path, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [Path(sys.executable).with_name("mlp"), "run", *QUICK, *words],
            cwd=here,
            capture_output=True,
            text=True,
        )

    def test_of_the_current_folder_is_found(self, here: Path):
        done = self.run(here, "optimizer=sgd", "optimizer._target_=own.Slow", "optimizer.lr=1")
        assert (done.returncode, done.stderr) == (0, "")
        [folder] = list_runs()
        assert read_config(folder)["optimizer"] == {"_target_": "own.Slow", "lr": 1}

    @pytest.mark.parametrize("target", ["own.not_a_class", "own.Twice", "own.Nothing"])
    def test_of_another_kind_is_refused_and_not_called(self, here: Path, target: str):
        done = self.run(here, "optimizer=sgd", f"optimizer._target_={target}")
        assert done.returncode == 2
        sentence = (
            f"mlp: optimizer._target_ must name a class of the kind Optimizer, got '{target}'"
        )
        assert done.stderr.startswith(sentence)
        assert not (here / "called").exists()


class TestHydra:
    """Hydra's own settings work as it documents them."""

    @pytest.fixture
    def look(self, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
        """Return what the environment of each run has been."""
        seen: list[str | None] = []

        def run_job(*_: object, **__: object) -> Any:
            seen.append(os.environ.get("MINE"))
            logging.getLogger("mine").debug("a detail")
            return SimpleNamespace(signal=None, record=SimpleNamespace(status="FINISHED"))

        monkeypatch.setattr("mlp.jobs.run_job", run_job)
        return seen

    def test_env_set_is_in_force_during_the_run(self, mlp_run: Command, look: list[str | None]):
        assert mlp_run("+hydra.job.env_set.MINE=yes").status == 0
        assert look == ["yes"]
        assert "MINE" not in os.environ

    @pytest.mark.parametrize(("word", "shown"), [("seed=0", False), ("hydra.verbose=mine", True)])
    def test_verbose_shows_details(self, mlp_run: Command, look: list, word: str, shown: bool):
        assert ("a detail" in mlp_run(word).err) is shown

    def test_callbacks_are_called(self, mlp_run: Command, look: list, capsys: Any):
        target = "hydra.experimental.callbacks.LogJobReturnCallback"
        assert mlp_run(f"+hydra.callbacks.log._target_={target}").status == 0


class TestFailure:
    def test_failed_run_is_kept_with_its_traceback(self, mlp_run: Command):
        words = ["loss=mean_squared_error", "loss.output_activation=identity", "optimizer=sgd"]
        said = mlp_run(*QUICK, *words, "optimizer.lr=1e9")
        [folder] = list_runs()
        record = read_run(folder)
        assert (said.status, record.status) == (1, "FAILED")
        assert said.err == f"mlp: the run failed: {record.stop_reason}\n"
        assert "DivergedError" in folder.traceback.read_text()

    def test_sweep_goes_on_after_a_failed_job(self, mlp_run: Command):
        words = ["loss=mean_squared_error", "loss.output_activation=identity", "optimizer=sgd"]
        said = mlp_run("-m", *QUICK, *words, "optimizer.lr=1e9,0.01")
        assert said.status == 1
        statuses = {read_run(folder).status for folder in list_runs()}
        assert statuses == {"FAILED", "FINISHED"}


class TestSweep:
    def test_test_set_is_left_alone_unless_asked_for(self, mlp_run: Command):
        """A sweep chooses by validation."""
        quick = [*QUICK, "optimizer=sgd,adam"]
        for name in ("none", "all"):
            words = [f"sweep.test={name}", f"sweep.name={name}"]
            assert mlp_run("-m", *quick, *words).status == 0
        tested = [bool(read_run(folder).test) for folder in list_runs()]
        assert tested == [False, False, True, True]
        assert not any(Path.cwd().iterdir())


class TestSignal:
    @pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_keeps_the_best_weights(self, runs: Path, number: int, status: int):
        words = [*QUICK, "trainer.max_epochs=100000", "trainer.patience=100000"]
        process = subprocess.Popen(
            [sys.executable, "-m", "mlp.run", *words], stdout=subprocess.DEVNULL
        )
        while not list(runs.glob("*/history.csv")):
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, number)
        assert process.wait(20) == status
        [folder] = list_runs()
        record = read_run(folder)
        assert record.status == "KILLED"
        assert record.stop_reason == f"stopped by {signal.Signals(number).name}"
        assert "W1.npy" in arrays(folder)
        assert record.test is None


class TestHelp:
    def test_shows_the_groups_and_the_keys(self, mlp_run: Command):
        said = mlp_run("--help")
        assert said.status == 0
        for words in ("mlp run resume=latest", "choices: adagrad adam", "model.hidden_sizes"):
            assert words in said.out

    def test_shows_the_composed_configuration(self, mlp_run: Command):
        said = mlp_run("--cfg", "job", "optimizer=sgd")
        assert said.status == 0
        assert "_target_: mlp.nn.SGD" in said.out
        assert "hydra" not in said.out

    def test_imports_nothing_heavy(self):
        """So that it is as quick as Hydra allows."""
        code = (
            "import sys; sys.argv = ['mlp', 'run', '--help']\n"
            "from mlp.__main__ import main\n"
            "try:\n    main()\n"
            "except SystemExit:\n"
            "    print([m for m in ('mlflow', 'matplotlib', 'numpy', 'pydantic', 'rich')"
            " if m in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stderr == "[]\n"
