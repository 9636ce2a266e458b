"""The few params of a run that MLflow's lists show; all of them are the artifact config.yaml."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlp.runs import USUAL, flat

GROUPS = ("data", "augment", "loss", "optimizer", "schedule")


def chosen_params(config: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, str]:
    """Return what was asked for, the class of each group, and what is usually compared.

    Parameters
    ----------
    config : mapping
        The composed configuration.
    overrides : sequence of str
        Of the command line or of a sweep's job, as in ``["experiment=x", "optimizer.lr=0.1"]``.

    Returns
    -------
    dict
        Values as text by dotted key, as in ``{"optimizer": "Adam", "optimizer.lr": "0.1"}``.
    """
    values = flat(config)
    asked = dict(map(_parsed, overrides))
    presets = {key: asked[key] for key in ("experiment", "debug") if asked.get(key)}
    classes = {
        key: values[f"{key}._target_"].rpartition(".")[2]
        for key in GROUPS
        if isinstance(values.get(f"{key}._target_"), str)
    }
    keys = [key for key in (*USUAL, *asked) if key in values]
    return presets | classes | {key: as_text(values[key]) for key in keys}


def as_text(value: Any) -> str:
    """Return a value as it is written on the command line."""
    return value if isinstance(value, str) else json.dumps(value)


def _parsed(override: str) -> tuple[str, str]:
    """Return the key and the value of ``+key=value``, the value '' of ``~key``."""
    key, _, value = re.sub(r"^[+~]+", "", override).partition("=")
    return key, value
