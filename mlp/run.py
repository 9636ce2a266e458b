"""Train a network, or with -m a sweep of them.

Exit status: 0 when every run has succeeded, 1 when one has not, 2 for a request that cannot
be carried out (nothing is written then), 130, 143 or 129 after Ctrl-C, SIGTERM or SIGHUP.
"""

import json
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from mlp.base import ConfigError, command, exit_status, print_error
from mlp.config import accepted, conf_dir, config_places, explained, run_help
from mlp.tracking import ensure_mirror

if TYPE_CHECKING:
    from mlp.jobs import Result


@command
def main() -> int | None:
    """Run what the command line asks for."""
    arguments = sys.argv[1:]
    if any(word.startswith("resume=") for word in arguments):
        return _resume(arguments)
    if {"--help", "-h"} & set(arguments):
        print(run_help(arguments))
        return None
    if {"-m", "--multirun"} & set(arguments) and sys.stdout.isatty():
        print("planning ...", end="\r", flush=True)  # until the next line overwrites it
    # conf/hydra/launcher has files of the same names as plugins do
    warnings.filterwarnings("ignore", r"\s*'hydra/launcher/\w+' is validated against")
    sys.argv[1:] = accepted(arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra raises its errors, for us to explain
    with explained(arguments):
        hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(task)()
    return None


def task(config: DictConfig) -> Any:
    """Run what Hydra has composed: one run, or under a launcher of its own a job of a sweep.

    Raises
    ------
    SystemExit
        With the status of a run, unless it is 0; at a signal, which ends a serial sweep too.
    """
    words: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    overrides = [word for word in words if not re.match(r"\+*sweep\b", word)]
    if child := config.sweep.get("child"):
        from mlp.sweep import PlannedJob, run_child

        job = PlannedJob(**json.loads(child), overrides=overrides, config=config)
        result = run_child(job)
        serial = HydraConfig.get().runtime.choices["hydra/launcher"] == "basic"
        if result.signal and serial:  # the sweep's own process was meant
            sys.exit(128 + result.signal)
        return result
    if status := exit_status(lambda: _run(config, words, overrides)):
        sys.exit(status)  # Hydra would print an exception in its own words


def _run(config: DictConfig, words: list[str], overrides: list[str]) -> int:
    """Train a network, and return the exit status."""
    if HydraConfig.get().runtime.choices["tracking"] != "none":
        ensure_mirror(soon=True)  # before all that is imported here
    from mlp.jobs import announce_orphaned_runs, run_job
    from mlp.reports import Console

    if words != overrides:
        raise ConfigError(f"'{(set(words) - set(overrides)).pop()}' is for a sweep: add -m")
    announce_orphaned_runs()
    line = [*config_places(HydraConfig.get()), *words]
    return _status(run_job(config, line, Console()))


def _resume(words: list[str]) -> int:
    """Resume a run, and return the exit status."""
    from mlp.jobs import resume_run
    from mlp.reports import Console

    reference, *others = [word for word in words if word.startswith("resume=")]
    changes = [word for word in words if not word.startswith("resume=")]
    if others or reference == "resume=" or any(word.startswith("-") for word in changes):
        raise ConfigError("resume= takes one run, as in resume=latest, and no flag beside it")
    return _status(resume_run(reference.removeprefix("resume="), changes, Console()))


def _status(result: "Result") -> int:
    """Return the exit status of a run, and print why it failed if it did."""
    if result.signal:
        return 128 + result.signal
    if result.record.status == "FINISHED":
        return 0
    print(flush=True)
    print_error(f"the run failed: {result.record.stop_reason}")
    return 1


if __name__ == "__main__":
    main()
