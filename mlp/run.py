"""``mlp-run``, or ``python -m mlp.run``: compose a configuration, run it, and say how it went.

Exit status: 0 when every run FINISHED, 1 when one FAILED, 2 when something was asked that cannot
be done (then nothing has been written), 130 or 143 after Ctrl-C or SIGTERM.
"""

import os
import signal
import sys
import tempfile
import traceback
from importlib.metadata import version
from typing import cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from mlp.compose import COMPOSITION_ERRORS, accepted, conf_dir, explain
from mlp.errors import UserError

FAILED, MISTAKEN, INTERRUPTED = 1, 2, 130


def main() -> None:
    """Run what the command line asks for, and exit."""
    arguments = sys.argv[1:]
    if "--version" in arguments:
        print(f"mlp {version('mlp')}")
        sys.exit()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # unwinds, as Ctrl-C
    statuses: list[int] = []
    try:
        with tempfile.TemporaryDirectory(prefix="mlp-") as scratch:
            _compose_and_run(arguments, statuses, scratch)
    except KeyboardInterrupt:
        print("mlp: interrupted", file=sys.stderr)
        statuses.append(INTERRUPTED)
    except UserError as error:
        statuses.append(_complain(error))
    sys.exit(max(statuses, default=0))


def _compose_and_run(arguments: list[str], statuses: list[int], scratch: str) -> None:
    """Let Hydra compose, and run each job; ``scratch`` takes what it wants to write."""
    sys.argv[1:] = accepted(arguments)
    os.environ |= {"HYDRA_FULL_ERROR": "1", "MLP_SCRATCH": scratch}  # 1: raise, for us to explain

    def run(config: DictConfig) -> None:
        try:
            statuses.append(_run(config))
        except Exception:  # a mistake of ours, not the user's
            traceback.print_exc()
            statuses.append(FAILED)

    try:
        hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(run)()
    except COMPOSITION_ERRORS as error:
        overrides = [a for a in arguments if not a.startswith("-")]
        raise explain(error, overrides) from None


def _run(config: DictConfig) -> int:
    """Run a job that Hydra has composed, and return its exit status."""
    from mlp.job import run_job
    from mlp.tracking.console import Console

    composed = HydraConfig.get()
    overrides = cast(list[str], OmegaConf.to_container(composed.overrides.task))
    asked = any(override.lstrip("+").startswith("test=") for override in overrides)
    if composed.mode == RunMode.MULTIRUN and not asked:
        config.test = False  # a sweep chooses by validation
    try:
        result = run_job(config, overrides, Console())
    except UserError as error:
        return _complain(error)
    if result.signal:
        sys.exit(128 + result.signal)  # ends a sweep, too
    if result.status == "FINISHED":
        return 0
    print(f"mlp: the run failed: {result.reason}", file=sys.stderr)
    return FAILED


def _complain(error: UserError) -> int:
    print(f"mlp: {error}", file=sys.stderr)
    return MISTAKEN


if __name__ == "__main__":
    main()
