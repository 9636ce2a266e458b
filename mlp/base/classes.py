"""Classes by their dotted names: only those of an expected kind are ever called."""

from importlib import import_module

from mlp.base.errors import in_one_line


def import_class(name: str, *kinds: type) -> type:
    """Return the class with a dotted name, as in ``"my_package.Lion"``.

    Parameters
    ----------
    name : str
        The module is imported; the current folder's modules are found as Python finds them.
    *kinds : type
        The class must be a subclass of one of them, and not abstract.

    Raises
    ------
    ValueError
        Unless there is such a class; the message begins with "must name a class".
    """
    found, reason = None, ""
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(import_module(module), attribute)
    except Exception as error:  # an import can fail in any way
        reason = f" ({type(error).__name__}: {in_one_line(error)[:200]})"
    if isinstance(found, type) and issubclass(found, kinds):
        missing = getattr(found, "__abstractmethods__", ())
        if not missing:
            return found
        reason = f", which lacks {', '.join(sorted(missing))}"
    wanted = " or ".join(kind.__name__ for kind in kinds)
    raise ValueError(f"must name a class of the kind {wanted}, got {name[:80]!r}{reason}")


def class_name(cls: type) -> str:
    """Return the dotted name by which `import_class` finds a class."""
    return f"{cls.__module__}.{cls.__qualname__}"
