"""In what the code of two trainings differs, besides its commit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlp.base import in_brief
from mlp.runs.checkout import Checkout, Diff, parse_diff
from mlp.runs.folder import RunFolder, read_training
from mlp.runs.origin import OwnClass
from mlp.runs.own_code import digest_of, own_classes, own_files

MOST_NAMED = 3  # of several files


@dataclass(frozen=True)
class Code:
    """The code of a training, besides its commit.

    Attributes
    ----------
    classes : dict of str to OwnClass
        The user's own.
    files : dict of str to str
        Hashes of the modules beside them, by where they lie on Python's path.
    diff : Diff
    """

    classes: dict[str, OwnClass]
    files: dict[str, str]
    diff: Diff


def code_of_run(folder: RunFolder) -> Code:
    """Return the code with which a run began."""
    files = (path for path in folder.code.rglob("*") if path.is_file())
    digests = {str(path.relative_to(folder.code)): digest_of(str(path)) for path in files}
    text = ""
    if folder.diff.exists():
        text = folder.diff.read_bytes().decode("utf-8", errors="replace")
    return Code(read_training(folder).code, digests, parse_diff(text))


def code_of_today(config: Mapping[str, Any], checkout: Checkout) -> Code:
    """Return the code of this process, in which a configuration has been checked."""
    classes = own_classes(config)
    files = {name: digest_of(str(file)) for name, file in own_files(classes).items()}
    return Code(classes, files, parse_diff(checkout.diff))


def code_changes(then: Code, now: Code) -> list[str]:
    """Return in what two codes differ that may decide about a result, as sentences.

    A module that only one of them has imported is not compared.
    """
    classes = _edited(*({n: c.digest for n, c in code.classes.items()} for code in (then, now)))
    changes = [f"{name} has been edited ({now.classes[name].file})" for name in classes]
    told = {now.classes[name].digest for name in classes}
    files = [name for name in _edited(then.files, now.files) if now.files[name] not in told]
    if files:
        changes.append(f"code that lies beside your own classes has been edited: {_named(files)}")
    told |= {now.files[name] for name in files}
    if then.diff.patch != now.diff.patch:
        changes.append("the code's uncommitted changes were others (uncommitted.diff)")
    before, after = (_python(code.diff.untracked) for code in (then, now))
    untracked = {
        "have been edited": [n for n in _edited(before, after) if after[n] not in told],
        "are gone, and are not stored": before.keys() - after,
        "are new": after.keys() - before,
    }
    changes += [
        f"untracked files {what}: {_named(names)}" for what, names in untracked.items() if names
    ]
    return changes


def _edited(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names that have another hash, of those of which both are known."""
    return [name for name in then if then[name] and now.get(name, "") not in ("", then[name])]


def _python(files: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in files.items() if name.endswith(".py")}


def _named(files: Iterable[str]) -> str:
    return in_brief(sorted(files), MOST_NAMED)
