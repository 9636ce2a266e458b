"""The checkout that the code runs from, and what it holds beyond its commit."""

import subprocess
from pathlib import Path

import pytest

from mlp.runs import Git, git_state
from mlp.runs.checkout import git_diff, parse_diff


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout in which our code seems to lie."""
    monkeypatch.setattr("mlp.runs.checkout.CHECKOUT", tmp_path)
    git(tmp_path, "init", "--quiet", "--initial-branch=work")
    (tmp_path / "code.py").write_text("a = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_a_clean_checkout_is_its_commit(checkout: Path):
    commit = git(checkout, "rev-parse", "HEAD").strip()
    assert git_state() == Git(commit=commit, branch="work", dirty=False)
    assert git_diff() == ""


def test_a_dirty_checkout_is_its_commit_and_the_difference(checkout: Path):
    (checkout / "code.py").write_text("a = 2\n")
    (checkout / "new.py").touch()
    assert git_state().dirty
    assert "-a = 1\n+a = 2\n" in git_diff()
    assert list(parse_diff(git_diff()).untracked) == ["new.py"]


def test_python_files_that_are_untracked_have_a_hash_of_their_content(checkout: Path):
    """Others, and one that is too large for anybody to have written it, are named."""
    for name, text in {"a.py": "a", "b.py": "b", "c.py": "a", "d.csv": "a", "ä.py": "a"}.items():
        (checkout / name).write_text(text)
    (checkout / "large.py").write_bytes(bytes(1 << 21))
    _, files = parse_diff(git_diff())
    assert files.keys() == {"a.py", "b.py", "c.py", "d.csv", "large.py", "ä.py"}
    assert files["a.py"] == files["c.py"] == files["ä.py"] != files["b.py"] != ""
    assert files["d.csv"] == files["large.py"] == ""


def test_a_difference_of_before_had_no_hashes():
    assert parse_diff("# untracked: a.py\n# untracked: b c.csv\ndiff --git\n") == (
        "diff --git\n",
        {"a.py": "", "b c.csv": ""},
    )


def test_the_difference_can_be_applied(checkout: Path):
    """A file that was added and a binary one are in it; an untracked one is named."""
    (checkout / "code.py").write_text("a = 2\n")
    (checkout / "added.bin").write_bytes(bytes(range(256)))
    git(checkout, "add", "added.bin")
    (checkout / "new file.py").touch()
    patch, untracked = parse_diff(git_diff())
    assert list(untracked) == ["new file.py"]
    git(checkout, "reset", "--hard", "--quiet")
    subprocess.run(["git", "apply"], cwd=checkout, input=patch, text=True, check=True)
    assert (checkout / "code.py").read_text() == "a = 2\n"
    assert (checkout / "added.bin").read_bytes() == bytes(range(256))


def test_without_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installed from a wheel, in a folder that may lie inside somebody else's checkout."""
    monkeypatch.setattr("mlp.runs.checkout.CHECKOUT", tmp_path)
    assert git_state() is None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert git_state() is None
