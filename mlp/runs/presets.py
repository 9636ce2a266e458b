"""Which runs are a preset (``experiment=NAME``) as it is, whatever the seed."""

from collections.abc import Iterable, Mapping
from typing import Any

from mlp.runs.differences import IRRELEVANT, flat
from mlp.runs.folder import RunFolder, read_overrides

# What may be said besides a preset: it changes nothing that is measured, but for seed and split
FREE = {
    *IRRELEVANT,
    "seed",
    "data.split_seed",
    "data.dir",
    "threads",
    "trainer.checkpoint_every",
    "trainer.keep_checkpoint",
    "trainer.inspect",
}


def is_changed_preset(overrides: Iterable[str]) -> bool:
    """Tell whether a run of these words is a preset in which more than the seed was changed.

    Words that say themselves what was published are not: they are a recipe of their own.
    """
    keys = _keys(overrides)
    return "experiment" in keys and "published" not in keys and not all(map(_is_free, keys))


def preset_of(folder: RunFolder) -> str | None:
    """Return the preset that a run was, None unless it was one as it is."""
    words = read_overrides(folder)
    names = [word.partition("=")[2] for word in words if word.startswith("experiment=")]
    return names[0] if names and all(map(_is_free, _keys(words))) else None


def is_same_preset(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether a preset's configuration is what it was; keys that were added since may differ.

    Parameters
    ----------
    then, now : mapping
        The configurations of two runs of it.
    """
    values = flat(now)
    return all(_is_free(k) or values.get(k, value) == value for k, value in flat(then).items())


def _keys(overrides: Iterable[str]) -> set[str]:
    return {word.lstrip("+~").partition("=")[0] for word in overrides}


def _is_free(key: str) -> bool:
    """Tell whether a preset remains what it is when this key is said besides."""
    return key == "experiment" or bool({key, key.partition(".")[0]} & FREE)
