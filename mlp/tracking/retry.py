"""A client that retries, for a server that fails now and then.

A delivery takes dozens of requests: if one in ten fails, hardly any would get through without.
"""

from typing import TYPE_CHECKING, Any, cast

from mlp.tracking.store import is_outage

if TYPE_CHECKING:
    from mlflow import MlflowClient

ATTEMPTS = 4
LONGEST_PAUSE = 1.0  # seconds between two attempts
GIVE_UP = 3.0  # seconds without an answer after which there is no further attempt


def retrying(client: "MlflowClient") -> "MlflowClient":
    """Return a client that repeats a request which the server did not answer.

    It creates nothing twice: who creates something looks first whether it exists.
    """
    return cast("MlflowClient", _RetryingClient(client))


class _RetryingClient:
    def __init__(self, client: "MlflowClient") -> None:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_after_delay
        from tenacity.wait import wait_exponential

        self._client = client
        self._retrying = Retrying(
            retry=retry_if_exception(lambda error: is_outage(error, client.tracking_uri)),
            wait=wait_exponential(0.1, LONGEST_PAUSE),
            stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(GIVE_UP),
            reraise=True,
        )

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name.startswith("create_"):
            return found
        return self._retrying.wraps(found)
