"""MLflow's own server, in this process and on a loopback port, that can be told to misbehave."""

import os
import random
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class FlakyServer:
    """A tracking server whose store is real, and whose answers may be lost.

    Attributes
    ----------
    uri : str
    requests : list of str
        The paths that were asked for, while it was up.
    """

    def __init__(self, application: Wsgi) -> None:
        self._application = application
        self._port = _free_port()
        self.uri = f"http://127.0.0.1:{self._port}"
        self.requests: list[str] = []
        self._faults: Iterator[str] = repeat("")
        self._choosing = threading.Lock()
        self._server: Any = None

    def start(self) -> None:
        """Begin to listen; until then, and after `stop`, connections are refused."""
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Silent(WSGIRequestHandler):
            def log(self, *_: object) -> None:
                pass

        self._server = make_server(
            "127.0.0.1", self._port, self._answer, threaded=True, request_handler=Silent
        )
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be gone."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def misbehave(self, *faults: str, forever: bool = False) -> None:
        """Treat the next requests so, one after the other.

        ``"refuse"`` closes the connection, ``"error"`` answers 500, ``"lose"`` does what is asked
        and closes the connection, ``"late 0.5"`` does it after so many seconds, ``""`` nothing of
        the kind.
        """
        self._faults = chain(faults, repeat(faults[-1] if forever else ""))

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        with self._choosing:
            fault, _, seconds = next(self._faults).partition(" ")
            self.requests.append(environ["PATH_INFO"])
        time.sleep(float(seconds or 0))
        if fault in ("error", "refuse"):
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            answer = [b"out of order"]
        else:
            answer = list(self._application(environ, start_response))
        if fault in ("refuse", "lose"):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return answer


def _free_port() -> int:
    """Return a port that no connection is given by chance while the server is away."""
    while True:
        port = random.randrange(15000, 30000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def mlflow_application(folder: Path) -> Iterator[Wsgi]:
    """Give MLflow's server as a function, with its store in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_MLFLOW_SERVER_FILE_STORE", f"sqlite:///{folder / 'server.db'}")
        patch.setenv("_MLFLOW_SERVER_ARTIFACT_ROOT", "mlflow-artifacts:/")
        patch.setenv("_MLFLOW_SERVER_ARTIFACT_DESTINATION", str(folder / "artifacts"))
        patch.setenv("_MLFLOW_SERVER_SERVE_ARTIFACTS", "true")
        os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
        # Parts of it warn when they are imported; this one is tried at each search.
        with warnings.catch_warnings(action="ignore"), suppress(ImportError):
            import mlflow.server.auth  # noqa: F401
        from mlflow.server import app, handlers

        handlers._tracking_store = None
        handlers._get_tracking_store()  # makes the database, which takes seconds
        yield app
