"""A run's folder as bytes, to bring it from one machine's disk to another's."""

import io
import tarfile
from pathlib import Path

from mlp.runs import RunFolder, update_run


def pack(folder: Path) -> bytes:
    """Return a folder as an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(folder, arcname=folder.name)
    return buffer.getvalue()


def unpack(archive: bytes, into: Path) -> None:
    """Make the folder in another one, as it was; from there it is brought to MLflow."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(into, filter="data")
        update_run(RunFolder(into / tar.getnames()[0]))
