"""Where a result comes from."""

import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mlp.runs import Git, RunFolder, collect_provenance, git_state, origin_changes, read_diff
from mlp.runs.provenance import blas, git_diff


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout in which our code seems to lie."""
    monkeypatch.setattr("mlp.runs.provenance.CHECKOUT", tmp_path)
    git(tmp_path, "init", "--quiet", "--initial-branch=work")
    (tmp_path / "code.py").write_text("a = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_versions_host_and_threads_are_known():
    origin = collect_provenance()
    assert origin.versions["python"] == platform.python_version()
    assert origin.versions["numpy"] == np.__version__
    assert origin.host == platform.node()


def test_thread_count_is_the_one_in_force():
    with threadpool_limits(1, user_api="blas"):
        assert blas().threads == 1


def test_a_clean_checkout_is_its_commit(checkout: Path):
    commit = git(checkout, "rev-parse", "HEAD").strip()
    assert git_state() == Git(commit=commit, branch="work", dirty=False)
    assert git_diff() == ""


def test_a_dirty_checkout_is_its_commit_and_the_difference(checkout: Path):
    (checkout / "code.py").write_text("a = 2\n")
    (checkout / "new.py").touch()
    assert git_state().dirty
    assert "-a = 1\n+a = 2\n" in git_diff()
    assert "# untracked: new.py\n" in git_diff()


def test_the_difference_can_be_applied(checkout: Path, tmp_path_factory: pytest.TempPathFactory):
    """A file that was added and a binary one are in it; an untracked one is named."""
    (checkout / "code.py").write_text("a = 2\n")
    (checkout / "added.bin").write_bytes(bytes(range(256)))
    git(checkout, "add", "added.bin")
    (checkout / "new file.py").touch()
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    folder.diff.write_text(git_diff())
    patch, untracked = read_diff(folder)
    assert untracked == ["new file.py"]
    git(checkout, "reset", "--hard", "--quiet")
    subprocess.run(["git", "apply"], cwd=checkout, input=patch, text=True, check=True)
    assert (checkout / "code.py").read_text() == "a = 2\n"
    assert (checkout / "added.bin").read_bytes() == bytes(range(256))


def test_what_has_changed_between_two_origins():
    then = collect_provenance().model_copy(update={"simd": ("X86_V3",), "git": None})
    blas = then.blas.model_copy(update={"architecture": None, "threads": 7})
    now = then.model_copy(update={"blas": blas, "simd": ("X86_V3", "X86_V4")})
    assert origin_changes(then, then) == []
    assert origin_changes(then, now) == [  # of the architecture nothing is known now
        f"the number of BLAS threads was {then.blas.threads} and is 7",
        "the set of CPU instructions that NumPy uses was X86_V3 and is X86_V3, X86_V4",
    ]


def test_without_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installed from a wheel, in a folder that may lie inside somebody else's checkout."""
    monkeypatch.setattr("mlp.runs.provenance.CHECKOUT", tmp_path)
    assert git_state() is None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert git_state() is None
