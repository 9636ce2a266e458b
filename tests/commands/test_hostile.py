"""What is meant to write outside runs/, or to call what is not ours, is refused before anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlp.base import ConfigError, UserError
from mlp.config import changed, check, read_settings
from mlp.jobs import run_job
from mlp.runs import read_run
from mlp.runs.find import list_runs
from tests.cases import composed
from tests.conftest import Said

Command = Callable[..., Said]
QUICK = ("data=digits", "tracking=none", "debug=one_epoch", "test=false", "threads=1")

IMPOSSIBLE_NAMES = ["", " ", "a\nb", "a\x00b", "\x1b[2J", "\x7f", "x" * 10_000, "latest", "\u202e"]

HYDRA = {
    "run: {dir: ELSEWHERE}": "hydra.run.dir cannot be set",
    "sweep: {dir: ELSEWHERE}": "hydra.sweep.dir cannot be set",
    "sweep: {subdir: ../../ELSEWHERE}": "hydra.sweep.subdir cannot be set",
    "output_subdir: ELSEWHERE": "hydra.output_subdir cannot be set",
    "job: {chdir: true}": "hydra.job.chdir cannot be set",
    "sweeper: {_target_: os.system, command: touch ELSEWHERE}": "hydra/sweeper cannot be chosen",
    "callbacks: {x: {_target_: os.system, command: touch ELSEWHERE}}": "of the kind Callback, got",
    "job_logging: {handlers: {x: {(): os.system, command: touch ELSEWHERE}}}": "got 'os.system'",
    "hydra_logging: {handlers: {x: {class: os.system}}}": "of the kind Filter or",
}


@pytest.fixture
def preset(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a preset file of the user's, and return the words that choose it."""

    def write(text: str) -> list[str]:
        file = tmp_path / "conf" / "experiment" / "evil.yaml"
        file.parent.mkdir(parents=True)
        file.write_text("# @package _global_\n" + text.replace("ELSEWHERE", str(tmp_path / "out")))
        return [f"--config-dir={tmp_path / 'conf'}", "experiment=evil"]

    return write


@pytest.fixture
def untouched(tmp_path: Path, runs: Path) -> Callable[[], bool]:
    """Tell whether nothing has been made, in runs/, in the current folder or elsewhere."""

    def look() -> bool:
        here = list(Path.cwd().iterdir())
        return not runs.exists() and here == [] and not (tmp_path / "out").exists()

    return look


class TestHydra:
    @pytest.mark.parametrize(("text", "sentence"), HYDRA.items())
    def test_a_preset_neither_moves_folders_nor_calls_anything(
        self, mlp_run: Command, preset: Callable, untouched: Callable, text: str, sentence: str
    ):
        words = preset(f"hydra:\n  {text}\n")
        for mode in ([], ["-m"]):
            said = mlp_run(words[0], *mode, *QUICK, *words[1:])
            assert said.status == 2
            assert sentence in said.err
            assert untouched()

    def test_nor_does_a_file_placed_into_a_package_of_it(
        self, mlp_run: Command, preset: Callable, untouched: Callable
    ):
        words = preset("defaults:\n  - /optimizer@hydra.callbacks.x: adam\n")
        assert "must name a class of the kind Callback" in mlp_run(*words, *QUICK).err
        assert untouched()

    def test_nor_does_an_interpolation_in_one(
        self, mlp_run: Command, preset: Callable, untouched: Callable
    ):
        callback = "hydra.experimental.callbacks.LogJobReturnCallback"
        words = preset(
            f"hydra: {{callbacks: {{x: {{_target_: {callback}, y: '${{evil}}'}}}}}}\n"
            "evil: {_target_: os.mkdir, path: ELSEWHERE}\n"
        )
        assert "of the kind Callback, got 'os.mkdir'" in mlp_run(*words, *QUICK).err
        assert untouched()

    def test_nor_one_choice_of_a_sweep(
        self, mlp_run: Command, preset: Callable, untouched: Callable, tmp_path: Path
    ):
        words = preset("hydra: {callbacks: {x: {_target_: os.abort}}}\n")
        (tmp_path / "conf" / "experiment" / "good.yaml").write_text(
            "# @package _global_\nseed: 1\n"
        )
        said = mlp_run(words[0], "-m", *QUICK, "experiment=good,evil")
        assert "must name a class of the kind Callback" in said.err
        assert untouched()

    @pytest.mark.parametrize("word", ["hydra.launcher._target_=os.system", "hydra.run.dir=../out"])
    def test_nor_does_the_command_line(self, mlp_run: Command, untouched: Callable, word: str):
        said = mlp_run("-m", *QUICK, "seed=0,1", word)
        assert said.status == 2
        assert untouched()

    def test_a_preset_brings_no_launcher_of_its_own(
        self, mlp_run: Command, preset: Callable, untouched: Callable
    ):
        words = preset("hydra: {launcher: {_target_: subprocess.run}}\n")
        said = mlp_run(words[0], "-m", *QUICK, *words[1:], "seed=0,1")
        assert (said.status, "hydra.launcher._target_" in said.err) == (2, True)
        assert untouched()


class TestTargets:
    @pytest.mark.parametrize(
        "target",
        [
            "os.system",
            "builtins.eval",
            "mlp.run.main",
            "mlp.jobs.train.run_job",
            "mlp.run.os.system",
            "mlp.tracking.MLflowTracking",
            "mlp",
            "mlp.",
            ".mlp.nn.Adam",
            "mlp..nn.Adam",
            "mlp.\x00.x",
            "mlp." + "x" * 10_000,
            "mlp/../os.system",
            "",
            None,
            7,
            ["mlp.nn.Adam"],
        ],
        ids=lambda target: repr(target)[:30],
    )
    def test_only_an_optimizer_is_an_optimizer(self, target: object):
        """From a stored configuration, which anybody may have written."""
        stored = changed(composed(*QUICK), [])
        stored["optimizer"]["_target_"] = target
        with pytest.raises(ConfigError, match=r"optimizer\._target_ must name a class of the"):
            check(stored)

    def test_a_target_deeper_down_is_a_key_like_any_other(self):
        stored = changed(composed(*QUICK), [])
        stored["model"]["hidden_sizes"] = [{"_target_": "os.system", "command": "true"}]
        with pytest.raises(ConfigError, match=r"model\.hidden_sizes\[0\] must be a valid integer"):
            check(stored)

    def test_a_target_that_an_interpolation_would_make_is_refused(self, tmp_path: Path):
        """Escaped, it is a string to the check, and would be resolved by what makes the objects."""
        called = tmp_path / "called"
        stored = changed(composed(*QUICK), [])
        stored["model"]["weight_init"] = f"\\${{oc.create:{{_target_:os.mkdir,path:'{called}'}}}}"
        with pytest.raises(ConfigError, match="is left in a value"):
            check(stored)
        assert not called.exists()

    def test_from_a_preset(self, mlp_run: Command, preset: Callable, untouched: Callable):
        words = preset("optimizer: {_target_: os.system, command: touch ELSEWHERE}\n")
        said = mlp_run(*words, *QUICK)
        assert (said.status, "optimizer._target_ must name" in said.err) == (2, True)
        assert untouched()


class TestNames:
    @pytest.mark.parametrize("name", IMPOSSIBLE_NAMES, ids=lambda name: repr(name)[:20])
    def test_impossible_ones_are_refused(self, name: str):
        config = composed("data=digits")
        for kind in ("experiment_", ""):
            config.tracking.experiment_name = name if kind else "mlp"
            config.name = name
            with pytest.raises(ConfigError, match=f"{kind}name must"):
                check(config)
        config.sweep.name = name
        with pytest.raises(ConfigError, match=r"sweep\.name must"):
            read_settings(config)

    @pytest.mark.e2e
    def test_odd_one_is_data_and_never_a_path(self, tmp_path: Path, runs: Path):
        name = "../../$(id); rm -rf ~/*\\"
        run_job(changed(composed(*QUICK), []) | {"name": name, "tags": {"odd": name}})
        [folder] = list_runs()
        assert (read_run(folder).name, folder.path.parent) == (name, runs)
        assert list(tmp_path.iterdir()) == [runs]


class TestPaths:
    @pytest.mark.parametrize("path", ["a\x00b", "x" * 10_000, "a\nb", "../" * 3000, "", "."])
    @pytest.mark.parametrize(("data", "key"), [("npz", "path"), ("mnist", "dir")])
    def test_data_that_cannot_be_there(
        self, tmp_path: Path, path: str, data: str, key: str, monkeypatch: pytest.MonkeyPatch
    ):
        """Nothing is made there, and nothing is fetched."""

        def no_network(*_: object, **__: object) -> None:
            raise OSError("no network in a test")

        monkeypatch.setattr("mlp.data.download._download", no_network)
        monkeypatch.chdir(tmp_path)
        stored = changed(composed(*QUICK[1:], f"data={data}", f"data.{key}=here"), [])
        stored["data"][key] = path
        with pytest.raises(UserError):
            run_job(stored)
        assert list(tmp_path.iterdir()) == []
