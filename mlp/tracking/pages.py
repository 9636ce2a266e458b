"""Addresses in MLflow's UI."""

import json
from collections.abc import Sequence
from urllib.parse import quote

from mlp.runs import Record, RunFolder, SweepRecord
from mlp.tracking.address import is_remote, uri_of
from mlp.tracking.counterpart import Counterpart, read_counterpart
from mlp.tracking.server import served_address
from mlp.tracking.store import mlflow_client
from mlp.tracking.views import KIND, RESULTS, view_key

# Without it the UI opens with its side for language models, whatever the experiment's kind is.
SIDE = "workflowType=machine_learning"


def page_of(record: Record, folder: RunFolder) -> str | None:
    """Return the page of a run, or of a sweep that of its runs; None if MLflow has not got it.

    It is what follows the address of the server.
    """
    place = read_counterpart(folder)
    if place is None:
        return None
    if isinstance(record, SweepRecord):
        return f"/#{list_page(place.experiment_id, view_key(record))}"
    return f"/#{run_page(place)}"


def comparison_page(folders: Sequence[RunFolder]) -> str | None:
    """Return the page that compares some runs; None if MLflow has not got all of them."""
    places = [place for folder in folders if (place := read_counterpart(folder))]
    if len(places) < len(folders):
        return None
    runs = _quoted([place.run_id for place in places])
    experiments = _quoted(sorted({place.experiment_id for place in places}))
    return f"/#/compare-runs?runs={runs}&experiments={experiments}&{SIDE}"


def run_page(place: Counterpart) -> str:
    """Return the route to a run's page: what follows the # of an address."""
    return f"/experiments/{place.experiment_id}/runs/{place.run_id}?{SIDE}"


def list_page(experiment: str, view: str) -> str:
    """Return the route to the runs of an experiment, as a saved view shows them."""
    return f"/experiments/{experiment}/runs?viewStateShareKey={view}&{SIDE}"


def lists_of_runs(uri: str) -> dict[str, str]:
    """Return the pages with the runs of each experiment of ours in a store, by its name."""
    return {
        experiment.name: f"/#{list_page(experiment.experiment_id, RESULTS)}"
        for experiment in mlflow_client(uri).search_experiments()
        if KIND.items() <= experiment.tags.items()
    }


def address_of(record: Record, folder: RunFolder) -> str | None:
    """Return the address of a run's or a sweep's page, if its store is served at present."""
    page = page_of(record, folder)
    if record.tracking is None or page is None:
        return None
    uri = uri_of(record.tracking)
    server = uri if is_remote(uri) else served_address(uri)
    return server and f"{server.rstrip('/')}{page}"


def _quoted(ids: list[str]) -> str:
    """Return a list as JSON in an address; in a terminal, quotes and brackets would cut it off."""
    return quote(json.dumps(ids, separators=(",", ":")), safe=",")
