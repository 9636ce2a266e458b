"""The user's own classes in a stored run: named, copied, and missed when they are gone."""

import sys
from pathlib import Path

import pytest

from mlp.base import RunError
from mlp.jobs import evaluate_run, reproduce_run, resume_run, run_job
from mlp.runs import RunFolder, read_training
from tests.cases import composed

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("without_figures")]

SQUARE = """
import numpy as np
from mlp.nn import ActivationFunction
from own_constants import SCALE

class Square(ActivationFunction):
    reads = "z"

    def forward(self, z, out, scratch):
        np.square(z, out=out)
        out *= SCALE

    def backward(self, z, a, delta, scratch):
        delta *= z
        delta *= 2 * SCALE
"""
LISTENER = """
from mlp.training import Callback

class Silent(Callback):
    def __call__(self, event):
        pass
"""
SOURCE = """
from dataclasses import dataclass
import numpy as np
from mlp.data import Dataset, Digits

@dataclass(frozen=True, kw_only=True)
class Ramp(Digits):
    name = "ramp"

    def files(self):
        return []

    def decode(self, files):
        arrays = {"x_train": np.arange(120, dtype=np.float32).reshape(60, 2), "x_test": None}
        labels = {"y_train": np.arange(60) % 3, "y_test": None, "classes": ("a", "b", "c")}
        return Dataset(name="ramp", **arrays, **labels, x_max=None, image_shape=None)
"""
WORDS = [
    "data=digits",
    "tracking=none",
    "trainer.max_epochs=1",
    "trainer.keep_checkpoint=true",
    "model.activation=own_package.activations.Square",
    "callbacks.silent._target_=own_listener.Silent",
]


def forget_own_modules() -> None:
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on Python's path with a package and two modules of the user's."""
    folder = tmp_path / "project"
    (folder / "own_package").mkdir(parents=True)
    (folder / "own_package" / "activations.py").write_text(SQUARE)
    (folder / "own_constants.py").write_text("SCALE = 0.1\n")
    (folder / "own_listener.py").write_text(LISTENER)
    (folder / "not_imported.py").write_text("")
    monkeypatch.syspath_prepend(folder)
    yield folder
    forget_own_modules()


@pytest.fixture
def run(project: Path) -> RunFolder:
    return run_job(composed(*WORDS)).folder


@pytest.fixture
def gone(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """The run, when nothing of the project can be imported any more."""
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not p.endswith("/project")])
    forget_own_modules()
    return run


def test_record_names_the_classes_and_where_they_were(run: RunFolder, project: Path):
    code = read_training(run).code
    assert {name: own.file for name, own in code.items()} == {
        "own_package.activations.Square": str(project / "own_package" / "activations.py"),
        "own_listener.Silent": str(project / "own_listener.py"),
    }


def test_what_was_imported_from_their_folder_is_copied(run: RunFolder, project: Path):
    copied = {str(path.relative_to(run.code)) for path in run.code.rglob("*.py")}
    assert copied == {"own_package/activations.py", "own_constants.py", "own_listener.py"}
    assert (run.code / "own_package" / "activations.py").read_text() == SQUARE


def test_a_run_of_mlps_own_classes_has_none(project: Path):
    folder = run_job(composed(*WORDS[:3])).folder
    assert read_training(folder).code == {}
    assert not folder.code.exists()


def test_a_failure_in_the_users_code_is_placed(project: Path):
    file = project / "own_package" / "activations.py"
    file.write_text(SQUARE.replace("out *= SCALE", "out *= SCALE if len(z) < 50 else 1 / 0"))
    record = run_job(composed(*WORDS)).record
    assert record.status == "FAILED"
    place = f"in Square.forward, {file}, line 11; traceback.txt has the rest"
    assert record.stop_reason == f"division by zero ({place})"


def test_a_class_that_is_gone_is_named_with_its_place(gone: RunFolder, project: Path):
    gone = RunFolder(gone.path.rename(project / "a run"))
    sentence = (
        f"needs own_package.activations.Square, which cannot be imported \\(No module named "
        f"'own_package'\\): it was in {project}/own_package/activations.py; "
        f"PYTHONPATH='{gone.code}' takes the run's copy"
    )
    with pytest.raises(RunError, match=sentence):
        evaluate_run(gone)
    with pytest.raises(RunError, match=sentence):
        resume_run(str(gone.path), ["trainer.max_epochs=2"])


def test_the_copy_takes_its_place(gone: RunFolder, monkeypatch: pytest.MonkeyPatch):
    before = read_training(gone).test.metrics["loss"]
    monkeypatch.syspath_prepend(gone.code)
    assert evaluate_run(gone).loss == before
    resume_run(str(gone.path), ["trainer.max_epochs=2"])
    assert read_training(gone).epochs == 2


def test_an_edited_module_that_a_class_imports_is_named(run: RunFolder, project: Path):
    """By a reproduction, and on resuming, from which on the results are of two codes."""
    edited = "code that lies beside your own classes has been edited: own_constants.py"
    (project / "own_constants.py").write_text("SCALE = 0.25\n")  # another size, for Python's cache
    forget_own_modules()
    reproduction = reproduce_run(run)
    assert reproduction.difference.startswith("epoch 1: ")
    assert reproduction.changes == [edited]
    resume_run(str(run.path), ["trainer.max_epochs=2"])
    assert edited in run.log.read_text()
    (project / "own_constants.py").write_text("SCALE = 0.1\n")
    forget_own_modules()
    reproduction = reproduce_run(run)
    assert reproduction.difference.startswith("epoch 2: ")
    assert reproduction.changes == [f"when it was resumed, {edited}"]


def test_an_edited_data_source_is_named_as_the_cause_of_other_data(project: Path):
    source = project / "own_source.py"
    source.write_text(SOURCE)
    folder = run_job(composed(*WORDS[1:3], "data._target_=own_source.Ramp")).folder
    source.write_text(SOURCE.replace("120, ", "1, 121, "))
    forget_own_modules()
    reproduction = reproduce_run(folder)
    assert reproduction.difference.startswith("the data have changed")
    assert reproduction.changes == [f"own_source.Ramp has been edited ({source})"]


def test_an_evaluation_needs_no_callback(gone: RunFolder, monkeypatch: pytest.MonkeyPatch):
    (gone.code / "own_listener.py").unlink()
    monkeypatch.syspath_prepend(gone.code)
    evaluate_run(gone)
