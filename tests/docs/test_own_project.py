"""examples/own_project, used as a newcomer would: copied into an empty folder, then typed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlp.runs import RunFolder, RunRecord, all_runs

PROJECT = Path(__file__).resolve().parents[2] / "examples" / "own_project"
README = (PROJECT / "README.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.e2e


def typed(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    command, *words = shlex.split(line)
    return subprocess.run(
        [Path(sys.executable).with_name(command), *words],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(PROJECT, tmp_path / "project")


def test_commands_of_its_readme(project: Path):
    """A run, its evaluation, a sweep of two, an optimizer on other data."""
    lines = re.findall(r"^mlp .*", README, re.M)
    assert len(lines) == 4
    for line in lines:
        quick = "" if "evaluate" in line else " trainer.max_epochs=3 tracking=none"
        done = typed(line + quick, project)
        assert (done.returncode, done.stderr) == (0, "")
    runs = [record for record in all_runs() if isinstance(record, RunRecord)]
    assert {record.status for record in all_runs()} == {"FINISHED"}
    assert (len(runs), len(all_runs())) == (4, 5)  # one is the sweep's
    for record in runs:
        files = [own.file for own in record.code.values()]
        assert str(project / "own_project" / "optimizers.py") in files
        table = RunFolder.of(record.id).path / "weight_norms.csv"
        assert table.exists() == (record.data.name == "two_spirals")
        assert not table.exists() or len(table.read_text().splitlines()) == 1 + record.epochs


def test_a_sweep_that_goes_on_with_edited_code_says_so(project: Path):
    line = "mlp run -m experiment=spirals seed=1,2 trainer.max_epochs=1 tracking=none"
    assert "changed since" not in typed(line, project).stdout
    with (project / "own_project" / "optimizers.py").open("a") as file:
        file.write("# edited\n")
    said = "own_project.optimizers.Lion changed since: finished jobs are kept"
    assert said in typed(line, project).stdout


def test_from_another_folder(project: Path, tmp_path: Path):
    line = f"mlp run --config-dir={project}/conf experiment=spirals trainer.max_epochs=1"
    done = typed(f"{line} tracking=none", tmp_path, PYTHONPATH=str(project))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_mistake_in_its_keys_is_one_sentence(project: Path):
    done = typed("mlp run experiment=spirals optimizer.beta1=2", project)
    assert done.returncode == 2
    assert done.stderr == "mlp: optimizer.beta1 must be at least 0 and below 1, got 2\n"
