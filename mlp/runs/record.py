"""The record of a run: what ``run.json`` holds."""

from typing import Any, TypedDict

Record = dict[str, Any]


class Tracking(TypedDict):
    """Where a run is mirrored; ``uri`` is None for the database among the runs."""

    uri: str | None
    experiment: str
