"""``mlp``: the list of commands, how one is started, and what the shell completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlp
from mlp.__main__ import main

pytestmark = pytest.mark.e2e

COMMANDS = [
    "clean",
    "compare",
    "ensemble",
    "evaluate",
    "explain",
    "export",
    "predict",
    "report",
    "reproduce",
    "run",
    "sync",
    "ui",
]


def said(*words: str, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess:
    """Call ``python -m mlp`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mlp", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | variables,
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_lists_the_commands(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["mlp", *words])
    with pytest.raises(SystemExit) as end:
        main()
    out = capsys.readouterr().out
    assert end.value.code == 0
    for name in COMMANDS:
        assert f"  mlp {name} " in out


def test_list_imports_nothing_that_takes_time():
    code = (
        "import sys; sys.argv = ['mlp']\n"
        "from mlp.__main__ import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n"
        "    print([m for m in ('hydra', 'omegaconf', 'numpy') if m in sys.modules],"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"


def test_unknown_command_is_one_sentence():
    done = said("evalate")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mlp: there is no command 'evalate'; did you mean 'evaluate'?\n"


def test_version():
    assert said("--version").stdout.startswith("mlp ")


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_a_module_as_well(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["mlp", name, "--help"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)
    module = [sys.executable, "-m", f"mlp.{name}", "--help"]
    done = subprocess.run(module, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, capsys.readouterr().out)


def test_only_commands_lie_at_the_top():
    top = {path.stem for path in Path(mlp.__file__).parent.glob("*.py")}
    assert top == {*COMMANDS, "__init__", "__main__"}


class TestCompletion:
    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("mlp ", " ".join(COMMANDS)),
            ("mlp run optimizer=ad", "optimizer=adagrad optimizer=adam optimizer=adamw"),
            ("mlp run optimizer=sgd optimizer.", "optimizer._target_= optimizer.lr="),
            ("mlp evaluate ", ""),
        ],
    )
    def test_query(self, line: str, words: str):
        done = said("-sc", "query=bash", COMP_LINE=line)
        assert (done.returncode, done.stdout.strip()) == (0, words)

    def test_choices_of_the_users_own(self, tmp_path: Path):
        for place, name in (("conf", "here"), ("elsewhere", "there")):
            (tmp_path / place / "experiment").mkdir(parents=True)
            (tmp_path / place / "experiment" / f"{name}.yaml").write_text("seed: 1\n")
        for line, words in {
            "mlp run experiment=": "experiment=here experiment=mnist",
            "mlp run --config-dir=elsewhere experiment=": "experiment=mnist experiment=there",
        }.items():
            done = said("-sc", "query=bash", folder=tmp_path, COMP_LINE=line)
            assert done.returncode == 0
            assert set(words.split()) <= set(done.stdout.split())
        assert "here" in said("run", "--help", folder=tmp_path).stdout.split()

    def test_install(self):
        """What a shell is to evaluate."""
        assert "hydra_bash_completion" in said("-sc", "install=bash").stdout
