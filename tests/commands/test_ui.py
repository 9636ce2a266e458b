"""``mlp ui``: MLflow's UI is served, found when it is, and ends with everything it has started."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest

from mlp.base import RunError
from mlp.tracking import server
from tests.records import make_run

pytestmark = pytest.mark.e2e
STARTUP = 240.0  # seconds, on a busy machine


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLP_RUNS", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def ui(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "mlp.ui", *words]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of which another program has the first, so that the next is to be used."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_it_is_served_at_a_free_port_until_ctrl_c(runs: Path, taken: int):
    process = ui("--port", str(taken))
    try:
        said = [process.stdout.readline() for _ in range(4)]
        assert said[0] == "starting MLflow's UI ...\n"
        assert said[1] == f"port {taken} is taken, another one is used:\n"
        address = said[2].split()[-1].rstrip("/")
        port = urlsplit(address).port
        assert taken < port < taken + 100
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        assert b"<title>MLflow</title>" in connection.getresponse().read()
        connection.close()
        second = ui()  # it knows of the first, and that is enough
        lines = second.communicate(timeout=STARTUP)[0].splitlines()
        assert lines[0] == "MLflow's UI is being served already:"
        assert address in lines[1]
        assert second.returncode == 0
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0
    finally:
        process.kill()
    end = monotonic() + 30
    with socket.socket() as trial:
        while trial.connect_ex(("127.0.0.1", port)) == 0 and monotonic() < end:
            sleep(0.1)
        assert trial.connect_ex(("127.0.0.1", port)) != 0
    assert not (runs / "ui.txt").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nosuch"], "there is no run"),
        (["--port", "0"], "--port must be from 1 to 65535, got 0"),
        (["--port", "x"], "argument --port: invalid int value"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(runs: Path, words: list[str], sentence: str):
    process = ui(*words)
    out, err = process.communicate(timeout=STARTUP)
    assert (process.returncode, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_run_that_mlflow_lacks_is_not_shown(runs: Path):
    make_run(runs, "a" * 32)
    process = ui("a")
    _, err = process.communicate(timeout=STARTUP)
    assert "these runs are not in one MLflow store" in err
    assert process.returncode == 2


class TestServer:
    def test_that_ends_at_once_is_an_error(self, runs: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(server.sys, "executable", "/bin/false")
        with (
            pytest.raises(RunError, match=r"MLflow's server has ended, see .*ui\.log"),
            server.served_ui("sqlite:///nowhere", 5000),
        ):
            pass
        assert not (runs / "ui.txt").exists()

    def test_a_port_that_browsers_refuse_is_passed_over(self):
        assert server._free_port(5060) not in (5060, 5061)

    def test_a_notice_that_was_left_behind_counts_for_nothing(self, runs: Path, taken: int):
        (runs / "ui.txt").write_text(f"sqlite:///x\n{taken + 1}\n")
        assert server.served_address("sqlite:///x") is None
        (runs / "ui.txt").write_text("what is this")
        assert server.served_address("sqlite:///x") is None
