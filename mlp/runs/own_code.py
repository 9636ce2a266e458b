"""The user's own classes in a run: which they are, where they lie, and a copy of their code."""

import shlex
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from mlp.base import RunError, atomic_write, in_one_line
from mlp.runs.folder import RunFolder
from mlp.runs.origin import OwnClass
from mlp.runs.record import RunRecord

PACKAGE = Path(__file__).resolve().parent.parent


def own_classes(config: Mapping[str, Any]) -> dict[str, OwnClass]:
    """Return the classes outside mlp that a checked configuration names, by their dotted names."""
    found = {}
    for text in _texts(config):
        module_name, _, name = text.rpartition(".")
        module = sys.modules.get(module_name)
        if module_name.partition(".")[0] == "mlp" or not isinstance(getattr(module, name, 0), type):
            continue
        if file := getattr(module, "__file__", None):
            found[text] = OwnClass(file=file, digest=digest_of(file))
    return found


def digest_of(file: str) -> str:
    """Return a hash of a file's content; of nothing where it cannot be read."""
    try:
        return sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return sha256().hexdigest()


def own_files(classes: Iterable[str]) -> dict[str, Path]:
    """Return the modules to be copied, by where they lie on Python's path."""
    own = {name.rpartition(".")[0] for name in classes}
    return {str(file.relative_to(root)): file for file, root in _sources(own)} if own else {}


def copy_code(classes: Mapping[str, OwnClass], folder: RunFolder) -> None:
    """Copy the modules that lie beside the user's own classes, those that were imported.

    Packages that are installed are not copied. With the copy on its path, Python finds the classes
    again.
    """
    for name, file in own_files(classes).items():
        path = folder.code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as unfinished:
            unfinished.write_bytes(file.read_bytes())


def check_own_classes(config: Mapping[str, Any], record: RunRecord, folder: RunFolder) -> None:
    """Raise RunError for a class of the user's own that a stored run needs and Python cannot find.

    Parameters
    ----------
    config : mapping
        What is needed of the run's configuration.
    record : RunRecord
    folder : RunFolder
    """
    for name in dict.fromkeys(_texts(config)):
        if name in record.code:
            module, _, attribute = name.rpartition(".")
            try:
                getattr(import_module(module), attribute)
            except Exception as error:  # an import can fail in any way
                copy = shlex.quote(str(folder.code))
                raise RunError(
                    f"{record.name} needs {name}, which cannot be imported ({in_one_line(error)}): "
                    f"it was in {record.code[name].file}; PYTHONPATH={copy} takes the run's copy"
                ) from None


def where_in_own_code(error: BaseException) -> str:
    """Return the innermost place of an error's traceback in code of the user's, in brackets."""
    outside = {Path(path) for path in sysconfig.get_paths().values()} | {PACKAGE}
    for frame, line in reversed([*traceback.walk_tb(error.__traceback__)]):
        code = frame.f_code
        file = Path(code.co_filename)
        if file.is_file() and not outside & set(file.parents):
            return f" (in {code.co_qualname}, {file}, line {line}; traceback.txt has the rest)"
    return ""


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in nested containers."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _sources(own: set[str]) -> Iterator[tuple[Path, Path]]:
    """Yield the files of modules imported from where the own ones were, and those folders."""
    installed = {Path(path) for path in sysconfig.get_paths().values()}
    modules = {
        name: Path(file)
        for name, module in list(sys.modules.items())
        if (file := getattr(module, "__file__", None)) and file.endswith(".py")
        if not installed & set(Path(file).parents) and name.partition(".")[0] != "mlp"
    }
    roots = {_root(name, file) for name, file in modules.items() if name in own}
    for name, file in modules.items():
        if (root := _root(name, file)) in roots:
            yield file, root


def _root(module: str, file: Path) -> Path:
    """Return the folder on Python's path from which a module was imported."""
    depth = module.count(".") + (file.stem == "__init__")
    return file.parents[min(depth, len(file.parents) - 1)]
