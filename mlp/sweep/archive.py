"""A run's folder as bytes, to bring it from one machine's disk to another's."""

import io
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from mlp.runs import RunFolder, update_run


def pack(folder: Path) -> bytes:
    """Return a folder as an archive."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for path in (folder, *folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return buffer.getvalue()


def unpack(archive: bytes, into: Path) -> None:
    """Make the folder in another one, as it was; from there it is brought to MLflow."""
    with ZipFile(io.BytesIO(archive)) as packed:
        packed.extractall(into)
        update_run(RunFolder(into / packed.namelist()[0]))
