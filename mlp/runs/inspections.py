"""What was seen inside a run's network in its training: ``inspections.jsonl``."""

import json

from mlp.base import RunError
from mlp.runs.folder import RunFolder
from mlp.training import Inspection


def append_inspection(folder: RunFolder, inspection: Inspection) -> None:
    """Add a line."""
    with folder.inspections.open("a", encoding="utf-8") as file:
        file.write(json.dumps(inspection.as_dict()) + "\n")


def read_inspections(folder: RunFolder) -> list[Inspection]:
    """Return them in the order of their epochs; [] for a run that was not looked into.

    A last line that was cut off by a dying process is left out.

    Raises
    ------
    RunError
        When the file is damaged.
    """
    if not folder.inspections.exists():
        return []
    try:
        text = folder.inspections.read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [Inspection.of(json.loads(line)) for line in lines]
    except (OSError, TypeError, KeyError, ValueError) as error:
        raise RunError(f"{folder.inspections} is damaged: {error}") from None
