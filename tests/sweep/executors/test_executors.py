"""Sweeps by Hydra's launchers: the same numbers, wherever the jobs run."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlp.runs import Children, Record, RunFolder, list_sweeps, read_config, read_history, read_run
from mlp.sweep import PlannedJob, run_child
from mlp.sweep.archive import unpack
from mlp.sweep.executors.local import LocalPool
from tests.conftest import Said

pytestmark = pytest.mark.e2e

Command = Callable[..., Said]
GRID = (
    "-m",
    "data=digits",
    "tracking=none",
    "trainer.max_epochs=2",
    "model.dropout=0.2",
    "optimizer.lr=0.001,0.003",
)
LONG = ("trainer.max_epochs=1000000", "trainer.patience=null")
Numbers = dict[tuple[str, str], bytes]


def numbers(runs: Path, sweep: Record) -> Numbers:
    """Every array and the history's metrics, by the job's key and the file's name."""
    found: Numbers = {}
    for record in Children(sweep.id).read():
        key, folder = record.sweep.key, RunFolder(runs / record.id)
        assert record.status == "FINISHED"
        found |= {(key, name): array for name, array in weights(folder).items()}
        losses = [(row["train/loss"], row["val/loss"]) for row in read_history(folder)]
        found[key, "losses"] = repr(losses).encode()
    return found


def weights(folder: RunFolder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.weights.glob("*.npy")}


@pytest.fixture
def swept(mlp_run: Command, runs: Path) -> Callable[..., Numbers]:
    """Run the grid by a launcher, and return its numbers."""

    def sweep(launcher: str, *words: str) -> Numbers:
        said = mlp_run(*GRID, f"hydra/launcher={launcher}", f"sweep.name={launcher}", *words)
        assert said.status == 0, said
        assert "2/2  finished" in said.out
        assert list_sweeps()[-1].counts["finished"] == 2
        return numbers(runs, list_sweeps()[-1])

    return sweep


def test_serial_local_and_submitit_agree_bit_for_bit(swept: Callable[..., Numbers]):
    serial = swept("basic")
    assert len(serial) == 2 * (1 + 8)  # W and b of three layers, shift and factor
    assert swept("local") == serial
    assert swept("submitit_local") == serial


@pytest.mark.slow
def test_any_launcher_of_hydra_works_with_its_own_settings(swept: Callable[..., Numbers]):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="a plugin like any other")
    assert swept("joblib", "hydra.launcher.n_jobs=2") == swept("basic")


class TestMistake:
    """Exit status 2, one sentence on stderr, and nothing written."""

    @pytest.mark.parametrize(
        ("launcher", "package", "extra"),
        [
            ("slurm", "submitit", "slurm"),
            ("submitit_local", "submitit", "slurm"),
            ("ray", "ray", "ray"),
            ("ray_cluster", "ray", "ray"),
        ],
    )
    def test_extra_that_is_not_installed(
        self,
        mlp_run: Command,
        runs: Path,
        monkeypatch: pytest.MonkeyPatch,
        launcher: str,
        package: str,
        extra: str,
    ):
        monkeypatch.setattr("mlp.base.packages.find_spec", lambda _: None)
        said = mlp_run(*GRID, f"hydra/launcher={launcher}")
        sentence = f"this hydra/launcher needs {package}: pip install 'mlp[{extra}]'"
        assert said == (2, "", f"mlp: {sentence}\n")
        assert not runs.exists()

    def test_slurm_where_there_is_none(
        self, mlp_run: Command, runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        monkeypatch.setenv("PATH", str(tmp_path))
        said = mlp_run(*GRID, "hydra/launcher=slurm")
        assert (said.status, said.out) == (2, "")
        assert said.err == "mlp: hydra/launcher=slurm needs srun: start it where Slurm is\n"
        assert not runs.exists()

    @pytest.mark.parametrize(
        "words",
        [
            ["hydra/launcher=rai"],
            ["hydra.launcher._target_=os.system"],
            ["hydra/launcher=submitit_local", "hydra.launcher.timeout=1"],
            ["hydra/launcher=submitit_local", "+hydra.launcher.timeout=1"],
            ["hydra/launcher=submitit_local", "hydra.launcher.timeout_min=soon"],
            ["hydra.launcher.workers=0"],
        ],
    )
    def test_no_such_launcher(self, mlp_run: Command, runs: Path, words: list[str]):
        said = mlp_run(*GRID, *words)
        assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
        assert not runs.exists()


def test_run_comes_home_from_another_disk(
    mlp_run: Command, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A worker that does not see the sweep's folder hands over that of its run."""
    mlp_run(*GRID, "sweep.test=none")
    child = Children(list_sweeps()[-1].id).read()[0]
    config = read_config(RunFolder(runs / child.id))
    monkeypatch.setenv("MLP_RUNS", str(tmp_path / "far"))
    job = PlannedJob(**child.sweep.model_dump(), name=child.name, overrides=[], config=config)
    result = run_child(job)
    unpack(result.archive, runs)
    home, far = RunFolder(runs / result.record.id), RunFolder(tmp_path / "far" / result.record.id)
    assert read_run(home) == read_run(far)
    assert read_history(home) == read_history(far)
    assert weights(home) == weights(far) == weights(RunFolder(runs / child.id))


def start(*words: str) -> subprocess.Popen[str]:
    """A sweep in a session of its own; what it says can be read."""
    return subprocess.Popen(
        [sys.executable, "-m", "mlp.run", *words],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def children() -> list[Record]:
    return Children(list_sweeps()[-1].id).read() if list_sweeps() else []


def statuses() -> Counter[str]:
    return Counter(record.status for record in children())


def under_way(runs: Path) -> list[Record]:
    """The jobs that have trained an epoch and go on."""
    running = [record for record in children() if record.status == "RUNNING"]
    return [record for record in running if read_history(RunFolder(runs / record.id))]


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def processes(session: int) -> list[str]:
    """The living processes of a session."""
    listing = ["ps", "-eo", "sid=,stat=,args="]
    rows = subprocess.run(listing, text=True, capture_output=True, check=True).stdout.splitlines()
    fields = [row.split(maxsplit=2) for row in rows]
    return [args for sid, stat, args in fields if int(sid) == session and stat[0] != "Z"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_no_worker_is_started_where_another_process_has_run_all_jobs(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(LocalPool, "open", lambda *_: pytest.fail("a worker was started"))
    assert list(LocalPool().run(lambda: None, 0, 1)) == []


class TestEnd:
    def test_of_a_job_costs_that_job_only(self, runs: Path):
        words = ["trainer.max_epochs=2,1000000", "trainer.patience=null"]
        sweep = start(*GRID, *words, "optimizer.lr=0.001", "hydra/launcher=submitit_local")
        wait_for(lambda: len(statuses()) == 2 and under_way(runs))
        [victim] = under_way(runs)
        os.kill(victim.process.pid, signal.SIGKILL)
        said, _ = sweep.communicate(timeout=120)
        assert sweep.returncode == 1
        assert f"killed  {victim.name}: job" in said
        assert statuses() == {"FINISHED": 1, "KILLED": 1}
        assert list_sweeps()[-1].status == "FAILED"

    def test_by_a_signal_ends_the_jobs(self, runs: Path):
        sweep = start(*GRID, *LONG, "hydra/launcher=submitit_local")
        wait_for(lambda: len(under_way(runs)) == 2)
        sweep.terminate()
        sweep.communicate(timeout=60)
        assert sweep.returncode == 143
        assert list_sweeps()[-1].status == "KILLED"
        assert list_sweeps()[-1].counts["killed"] == 2
        wait_for(lambda: not processes(sweep.pid))


@pytest.fixture
def ray_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster on this machine; only who has the token may use it."""
    pytest.importorskip("ray", reason="needs mlp[ray]")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as folder:  # it makes long paths
        command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block"]
        command += [f"--port={port}", f"--temp-dir={folder}", "--num-cpus=2"]
        command += ["--object-store-memory=100000000", "--include-dashboard=false"]
        elsewhere = {k: v for k, v in os.environ.items() if k != "MLP_RUNS"}
        head = subprocess.Popen(
            [*command, "--disable-usage-stats"],
            cwd=folder,
            env=elsewhere,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_for(lambda: _answers(port))
            yield f"127.0.0.1:{port}"
        finally:
            head.terminate()
            head.wait(60)
            wait_for(lambda: not processes(head.pid))


def _answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
class TestRay:
    def test_cluster_agrees_with_serial_bit_for_bit(
        self, swept: Callable[..., Numbers], runs: Path, ray_cluster: str
    ):
        serial = swept("basic")
        address = f"hydra.launcher.ray.init.address={ray_cluster}"
        sweep = start(*GRID, "hydra/launcher=ray_cluster", address, "sweep.name=ray")
        said, _ = sweep.communicate(timeout=200)
        assert sweep.returncode == 0, said
        assert numbers(runs, list_sweeps()[-1]) == serial

    def test_local_agrees_with_serial_bit_for_bit(self, swept: Callable[..., Numbers], runs: Path):
        pytest.importorskip("ray", reason="needs mlp[ray]")
        serial = swept("basic")
        sweep = start(*GRID, "hydra/launcher=ray", "sweep.name=ray")
        said, _ = sweep.communicate(timeout=200)
        assert sweep.returncode == 0, said
        assert numbers(runs, list_sweeps()[-1]) == serial
        assert [line[:3] for line in said.splitlines() if "finished  lr" in line] == ["1/2", "2/2"]
        wait_for(lambda: not processes(sweep.pid))

    def test_prunes_a_search(self, runs: Path):
        """Jobs are handed out one by one, and the pruner sees what others have come to."""
        pytest.importorskip("ray", reason="needs mlp[ray]")
        words = ["sweep=random", "sweep.sampler=grid", "sweep.n_startup=2", "sweep.warmup=1"]
        words += ["model.hidden_sizes=[8]", "model.dropout=0", "trainer.batch_size=64"]
        words += ["optimizer.lr=0.01,1e-9", "seed=range(8)", "hydra/launcher=ray"]
        sweep = start("-m", "data=digits", "tracking=none", "trainer.max_epochs=4", *words)
        said, _ = sweep.communicate(timeout=200)
        assert sweep.returncode == 0, said
        assert list_sweeps()[-1].counts.pruned >= 1

    def test_a_signal_ends_the_jobs(self, runs: Path):
        pytest.importorskip("ray", reason="needs mlp[ray]")
        sweep = start(*GRID, *LONG, "hydra/launcher=ray")
        wait_for(lambda: len(under_way(runs)) == 2)
        sweep.terminate()
        sweep.communicate(timeout=60)
        assert sweep.returncode == 143
        assert list_sweeps()[-1].counts["killed"] == 2
        assert {record.stop_reason for record in children()} == {"stopped by SIGINT"}
        wait_for(lambda: not processes(sweep.pid))

    def test_death_of_a_job_costs_that_job_only(self, runs: Path):
        pytest.importorskip("ray", reason="needs mlp[ray]")
        words = ["trainer.max_epochs=2,1000000", "trainer.patience=null", "optimizer.lr=0.001"]
        sweep = start(*GRID, *words, "hydra/launcher=ray")
        wait_for(lambda: len(statuses()) == 2 and under_way(runs))
        [victim] = under_way(runs)
        os.kill(victim.process.pid, signal.SIGKILL)
        said, _ = sweep.communicate(timeout=120)
        assert sweep.returncode == 1
        assert f"killed  {victim.name}: " in said
        assert statuses() == {"FINISHED": 1, "KILLED": 1}
