"""MLflow's UI on a database, served by processes of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep

from mlp.base import RunError, atomic_write, runs_dir
from mlp.tracking.store import keep_mlflow_quiet

HOST = "127.0.0.1"
N_PORTS = 100  # that are tried
REFUSED = {5060, 5061, 6000}  # by browsers: the ports of other protocols
STARTUP = 300.0  # seconds until the server must answer
SHUTDOWN = 5.0  # seconds that it is given to end
POLL = 0.1  # seconds
SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # it serves language models only
    "PYTHONWARNINGS": "ignore",  # MLflow's own, of its packages
}


@contextmanager
def served_ui(uri: str, first_port: int) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve MLflow's UI while the context lasts.

    Parameters
    ----------
    uri : str
        The store, a database.
    first_port : int
        Where to serve it; if that port is taken, the next free one.

    Yields
    ------
    str, Popen
        The address, at which the server answers by now, and its process.

    Raises
    ------
    RunError
        When no port is free, or the server does not answer.
    """
    port = _free_port(first_port)
    keep_mlflow_quiet()
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--host", HOST]
    command += ["--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level warning"]
    # A group of its own, which can be ended as a whole: a worker outlives the first process.
    with _log().open("wb") as log:
        process = subprocess.Popen(
            command, env=SETTINGS | os.environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_for_answer(port, process)
        with atomic_write(_notice()) as unfinished:
            unfinished.write_text(f"{uri}\n{port}\n")
        yield f"http://{HOST}:{port}", process
    finally:
        _notice().unlink(missing_ok=True)
        _end(process)


def served_address(uri: str) -> str | None:
    """Return where `served_ui` serves a store at present; None if it does not."""
    try:
        store, port = _notice().read_text().splitlines()
    except (OSError, ValueError):
        return None
    # a server that was killed has left the notice behind
    return f"http://{HOST}:{port}" if store == uri and _answers(int(port)) else None


def _notice() -> Path:
    """Return the file that says what is served where."""
    return runs_dir() / "ui.txt"


def _log() -> Path:
    return runs_dir() / "ui.log"


def _free_port(first: int) -> int:
    """Return the first port from ``first`` on that is free."""
    for port in range(first, min(first + N_PORTS, 1 << 16)):
        with closing(socket.socket()) as trial, suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((HOST, port))
            if port not in REFUSED:
                return port
    raise RunError(f"no port from {first} on is free: --port names another one")


def _wait_for_answer(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = monotonic() + STARTUP
    while not _answers(port):
        if process.poll() is not None:
            raise RunError(f"MLflow's server has ended, see {_log()}")
        if monotonic() > end:
            raise RunError(f"MLflow's server has not answered for {STARTUP:g} s")
        sleep(POLL)


def _answers(port: int) -> bool:
    """Tell whether MLflow answers at a port of this machine."""
    with closing(HTTPConnection(HOST, port, timeout=1)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().read() == b"OK"
        except (OSError, HTTPException):
            return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it has started."""
    for number, seconds in ((signal.SIGTERM, SHUTDOWN), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
