"""A client that asks again, for a server that fails now and then.

Bringing a run over takes dozens of requests: if one in ten fails, hardly any run would get through
without.
"""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, cast

from mlp.tracking.store import is_outage

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAUSES = (0.1, 0.5, 1.0)  # seconds before the second attempt, the third, the fourth
SILENCE = 3.0  # seconds without an answer after which there is no other attempt


def patient(client: "MlflowClient") -> "MlflowClient":
    """Return a client that makes another attempt where the server did not answer.

    Only at what may be done twice: who creates something looks first whether it is there.
    """
    return cast("MlflowClient", _Patient(client))


class _Patient:
    """Stands before a client, and passes on what it is asked for."""

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name.startswith("create_"):
            return found
        return lambda *args, **kwargs: self._insist(lambda: found(*args, **kwargs))

    def _insist(self, ask: Callable[[], Any]) -> Any:
        begin = monotonic()
        for pause in PAUSES:
            try:
                return ask()
            except Exception as error:
                if not is_outage(error, self._client.tracking_uri) or monotonic() > begin + SILENCE:
                    raise
            sleep(pause)
        return ask()
