"""In what configurations differ, and how such a difference is put in few words."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlp.runs.record import RunRecord

# to what a training finds
IRRELEVANT = ("name", "tags", "test", "tracking", "callbacks", "sweep", "published")
# Always shown, so that any two runs can be set side by side
USUAL = (
    "model.hidden_sizes",
    "model.activation",
    "model.dropout",
    "optimizer.lr",
    "trainer.batch_size",
    "trainer.max_epochs",
    "seed",
)


def differing_params(configs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what distinguishes each configuration from the others.

    Parameters
    ----------
    configs : sequence of mapping
        Composed configurations, or other nested mappings of plain values.

    Returns
    -------
    list of dict
        For each one, its values under the dotted keys that have different values in some; a key
        that it lacks is left out. Of a group whose classes differ, the class's name stands under
        the group's own name: ``{"optimizer": "Adam", "optimizer.lr": 0.001}``.
    """
    known = [dict(_leaves(config)) for config in configs]
    keys = dict.fromkeys(key for values in known for key in values)
    differing = [
        key
        for key in keys
        if len({json.dumps(values[key]) for values in known if key in values}) > 1
    ]
    return [{key: values[key] for key in differing if key in values} for values in known]


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in config.items():
        if not prefix and key in IRRELEVANT:
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        elif key == "_target_":
            yield prefix.removesuffix("."), str(value).rpartition(".")[2]
        else:
            yield f"{prefix}{key}", value


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return ``{"model.hidden_sizes": [128, 64], ...}``: the values under dotted keys."""
    values: dict[str, Any] = {}
    for key, value in config.items():
        nested = isinstance(value, Mapping) and value
        values |= flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return values


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """Return each dotted key's last word, or all of the key where two would be called the same."""
    keys = list(keys)
    words = [key.rpartition(".")[2] for key in keys]
    return {
        key: word if words.count(word) == 1 else key for key, word in zip(keys, words, strict=True)
    }


def in_words(value: Any) -> str:
    """Return a value in few characters: ``0.003``, ``128x64``, ``tanh,relu``, ``null``."""
    if isinstance(value, list | tuple):
        mark = "," if any(isinstance(item, str) for item in value) else "x"
        return mark.join(map(in_words, value)) or "[]"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def metric_in_words(metric: str, value: float) -> str:
    """Return an accuracy in per cent, a small metric with four decimals, a large one rounded."""
    if metric.endswith("accuracy"):
        return f"{value:.2%}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.5g}"


def results_in_words(record: RunRecord) -> list[list[str]]:
    """Return a table of a run's results: a header, and a row for each part of the data."""
    metrics = list(dict.fromkeys(key for values in record.results.values() for key in values))
    header = [f"epoch {record.best.epoch}" if record.best else "", *metrics]
    return [header] + [
        [part, *(metric_in_words(key, values[key]) if key in values else "" for key in metrics)]
        for part, values in record.results.items()
    ]


def verdict_in_words(record: RunRecord) -> str:
    """Return the verdict on a run that was to reproduce a published result; '' without one."""
    verdict, published = record.verdict, record.published
    if verdict is None or published is None:
        return ""
    measured = f"{verdict.measured:.2f} ± {verdict.margin:.2f} %"
    shortened = ", by a shortened training" if published.shortened else ""
    return (
        f"test error {measured}, published {verdict.published:g} % ({published.source}): "
        f"{verdict.word}{shortened}"
    )


def findings_in_words(record: RunRecord) -> Sequence[str]:
    """Return what the looks inside a network have found, in sentences; none without looks."""
    if record.findings is None:
        return []
    return record.findings or ["The looks inside the network found no fault."]


def name_of(params: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return ``lr=0.003 hidden_sizes=128x64``.

    Parameters
    ----------
    params : mapping
        Values by dotted key.
    names : mapping of str to str
        What the keys are called, see `short_keys`; of others nothing is said.
    """
    return " ".join(
        f"{names[key]}={in_words(value)}" for key, value in params.items() if key in names
    )
