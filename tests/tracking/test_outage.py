"""A tracking server that is gone, slow or broken: no training waits, nothing is lost or doubled."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlp.base import runs_dir
from mlp.runs import (
    RunFolder,
    RunLock,
    delivery_failure,
    open_run,
    read_history,
    read_run,
    undelivered_runs,
    update_run,
)
from mlp.sync import main, sync
from mlp.tracking import (
    MLflowTracking,
    NoTracking,
    deliver,
    ensure_mirror,
    mlflow_client,
    read_counterpart,
    wait_for_delivery,
)
from mlp.tracking.mirror import Mirror
from mlp.tracking.store import find_experiment
from tests.cases import CONFIG, Case, make_case, record_whole_run
from tests.records import make_sweep
from tests.tracking.flaky import FlakyServer, Wsgi, mlflow_application

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wsgi]:
    with mlflow_application(tmp_path_factory.mktemp("server")) as application:
        yield application


@pytest.fixture
def server(
    application: Wsgi, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlakyServer]:
    """A tracking server that is not up yet, and clients of little patience."""
    server = FlakyServer(application)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # as mlp sets it; taken back here
    monkeypatch.setattr("mlp.tracking.mirror.INTERVAL", 0.0)
    yield server
    server.stop()


def tracking(request: pytest.FixtureRequest) -> MLflowTracking:
    """Return an experiment of the test's own."""
    return MLflowTracking(experiment_name=request.node.name)


def stored(server: FlakyServer, experiment: str) -> list[Any]:
    """Return the runs of an experiment, as the server has them when it is well."""
    server.misbehave("")
    client = mlflow_client(server.uri)
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def check_delivered(folder: RunFolder, run: Any, server: FlakyServer) -> None:
    """Every metric has arrived once and at its time, and so have the files and the model."""
    client, record, history = mlflow_client(server.uri), read_run(folder), read_history(folder)
    assert delivery_failure(folder) is None
    assert run.info.status == record.status
    assert run.data.tags["mlp.id"] == record.id
    assert run.data.params["optimizer.lr"] == "0.01"
    for name in history[0].keys() - {"epoch", "timestamp"}:
        sent = client.get_metric_history(run.info.run_id, name)
        assert sorted((m.step, m.timestamp, m.value) for m in sent) == [
            (row["epoch"], row["timestamp"], row[name]) for row in history
        ]
    for name in ("best_val_loss", "test_accuracy"):
        assert len(client.get_metric_history(run.info.run_id, name)) == 1
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"run.json", "history.csv", "config.yaml", "weights", "figures"} <= files
    models = client.search_logged_models([run.info.experiment_id])
    assert [(m.source_run_id, m.status) for m in models] == [(run.info.run_id, "READY")]
    assert [output.model_id for output in run.outputs.model_outputs] == [models[0].model_id]


class TestGone:
    def test_from_the_start_and_brought_over_later(
        self,
        case: Case,
        server: FlakyServer,
        request: pytest.FixtureRequest,
        capsys: pytest.CaptureFixture[str],
    ):
        folder = record_whole_run(case, tracking(request)).folder
        record = read_run(folder)
        assert record.status == "FINISHED"
        assert not Mirror().step()
        assert delivery_failure(folder).replace("[Errno 111] ", "") == "Connection refused"
        assert sync(undelivered_runs()) == 1
        assert f"not yet  {record.id[:8]}" in capsys.readouterr().out
        server.start()
        assert sync(undelivered_runs()) == 0
        assert undelivered_runs() == []
        (run,) = stored(server, request.node.name)
        check_delivered(folder, run, server)

    def test_for_a_while_and_the_mirror_brings_all_over(
        self,
        case: Case,
        server: FlakyServer,
        request: pytest.FixtureRequest,
    ):
        server.start()
        mirror = Mirror()

        def come_and_go(event: Any) -> None:
            mirror.step()
            epoch = getattr(event, "epoch", None)
            if epoch == 1:
                server.misbehave("refuse", forever=True)
            if epoch == 3:
                server.misbehave("")

        folder = record_whole_run(case, tracking(request), come_and_go).folder
        assert mirror.step()
        (run,) = stored(server, request.node.name)
        check_delivered(folder, run, server)

    def test_for_good_and_the_end_does_not_wait_for_long(
        self,
        case: Case,
        server: FlakyServer,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ):
        """A server that accepts connections and is silent is the worst: only time tells."""
        monkeypatch.setattr("mlp.tracking.mirror_wait.SERVER_TIMEOUT", 0.5)
        server.start()
        server.misbehave("late 3", forever=True)
        begin = time.monotonic()
        folder = record_whole_run(case, tracking(request)).folder
        ensure_mirror()
        trained = time.monotonic()
        wait_for_delivery([folder])
        assert trained - begin < 3
        assert time.monotonic() - trained < 1
        assert "mlp sync" in caplog.text
        assert undelivered_runs() == [folder]

    def test_what_a_server_refuses_is_told(
        self, case: Case, server: FlakyServer, request: pytest.FixtureRequest
    ):
        server.start()
        client = mlflow_client(server.uri)
        client.delete_experiment(client.create_experiment(request.node.name))
        folder = record_whole_run(case, tracking(request)).folder
        assert not Mirror().step()
        assert "is deleted; restore it" in delivery_failure(folder)


class TestFlaky:
    @pytest.mark.parametrize(
        "faults",
        [
            ("", "lose", "error", "refuse", "late 0.05"),
            ("lose", ""),
            ("refuse", "error", "", "", ""),
        ],
        ids=" ".join,
    )
    def test_all_arrives_once_whatever_becomes_of_each_request(
        self,
        case: Case,
        server: FlakyServer,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
        faults: tuple[str, ...],
    ):
        monkeypatch.setattr("mlp.tracking.retry.LONGEST_PAUSE", 0.01)
        server.start()
        server.misbehave(*(faults * 100))
        folder = record_whole_run(case, tracking(request)).folder
        for _ in range(5):
            sync(undelivered_runs())
        (run,) = stored(server, request.node.name)
        check_delivered(folder, run, server)

    def test_what_a_slow_server_created_unnoticed_is_deleted(
        self,
        case: Case,
        server: FlakyServer,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """The client gave up, looked, found nothing, and created the run again: too early."""
        server.start()
        find_experiment(mlflow_client(server.uri), request.node.name)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        run = open_run(
            tracking(request).destination(), CONFIG, [], case.dataset, case.parts, case.network
        )
        with run:
            pass
        server.misbehave("", "", "late 1.2")  # two searches, the creation
        with pytest.raises(Exception, match=r"timed out|Max retries"):
            deliver(run.folder)
        deliver(run.folder)
        time.sleep(0.5)
        deliver(run.folder)
        (left,) = stored(server, request.node.name)
        assert left.info.run_id == read_counterpart(run.folder).run_id

    def test_the_runs_of_a_sweep_bring_their_parent_along(
        self, case: Case, server: FlakyServer, request: pytest.FixtureRequest
    ):
        """A run may be delivered before its sweep is."""
        destination = tracking(request).destination()
        parent = make_sweep(runs_dir(), name="the sweep", tracking=destination)
        sweep = {"parent": parent.path.name, "key": "k", "name": "its run", "params": {}}
        server.start()
        with open_run(
            destination, CONFIG, [], case.dataset, case.parts, case.network, sweep
        ) as run:
            pass
        deliver(run.folder)
        child, created = sorted(stored(server, request.node.name), key=lambda r: r.info.run_name)
        assert child.info.run_name == "its run"
        assert child.data.tags["mlflow.parentRunId"] == created.info.run_id
        assert created.info.run_name == "the sweep"
        assert read_counterpart(parent).run_id == created.info.run_id


class TestCommand:
    """``mlp sync``."""

    @pytest.fixture
    def said(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> Callable[..., tuple[int, str, str]]:
        def call(*arguments: str) -> tuple[int, str, str]:
            monkeypatch.setattr("sys.argv", ["mlp.sync", *arguments])
            with pytest.raises(SystemExit) as end:
                main()
            out, err = capsys.readouterr()
            return end.value.code, out, err

        return call

    def test_exit_status_tells_whether_mlflow_has_everything(
        self, case: Case, server: FlakyServer, request: pytest.FixtureRequest, said: Any
    ):
        assert said() == (0, "MLflow has all runs.\n", "")
        record_whole_run(case, tracking(request), name="first")
        record_whole_run(make_case(), tracking(request), name="second")
        status, out, _ = said()
        assert status == 1
        assert {line.split(":")[0].split()[-1] for line in out.splitlines()} == {"first", "second"}
        server.start()
        status, out, _ = said("second")
        assert (status, out.split()[0], out.split()[-1]) == (0, "there", "second")
        assert said()[1].splitlines()[0].split()[-1] == "first"
        assert said()[1] == "MLflow has all runs.\n"

    def test_a_run_that_its_own_process_brings_over_is_left_to_it(
        self, case: Case, server: FlakyServer, request: pytest.FixtureRequest, said: Any
    ):
        folder = record_whole_run(case, tracking(request), name="busy").folder
        lock = RunLock(folder)
        status, out, _ = said("busy")
        assert (status, out.rstrip().endswith("busy: it is still running")) == (1, True)
        lock.end()

    def test_a_run_that_is_not_to_be_in_mlflow_does_not_hinder_the_next(
        self, case: Case, server: FlakyServer, request: pytest.FixtureRequest, said: Any
    ):
        server.start()
        record_whole_run(case, NoTracking(), name="private")
        record_whole_run(make_case(), tracking(request), name="public")
        status, out, _ = said("private", "public")
        first, second = out.splitlines()
        assert first.endswith("private was run with tracking=none: MLflow is not to have it")
        assert (status, second.split()[0], second.split()[-1]) == (1, "there", "public")

    def test_a_later_change_is_brought_over_too(
        self, case: Case, server: FlakyServer, request: pytest.FixtureRequest, said: Any
    ):
        server.start()
        folder = record_whole_run(case, tracking(request), name="once").folder
        assert said()[0] == 0
        assert undelivered_runs() == []
        update_run(folder, stop_reason="another one")
        assert undelivered_runs() == [folder]
        assert said()[0] == 0
        (run,) = stored(server, request.node.name)
        assert run.data.tags["mlp.stop_reason"] == "another one"
