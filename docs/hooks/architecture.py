"""The drawing of the rooms, from the layers that import-linter enforces in pyproject.toml."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def drawing() -> str:
    """Return the floors of the house as boxes: each room, and what it is for."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    [floors] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    rows = []
    for floor in floors[1:]:  # the first one, `mlp`, starts the commands
        rooms = floor.split(" | ")
        boxes = [_commands(rooms)] if "run" in rooms else [_room(room) for room in rooms]
        rows.append(f'<div class="floor">{"".join(boxes)}</div>')
    return f'<div class="house">{"".join(rows)}</div>'


def _commands(names: list[str]) -> str:
    return f"<div><b>commands</b>mlp {', '.join(names)}</div>"


def _room(name: str) -> str:
    """Return a box with the first sentence of a room's docstring."""
    source = (ROOT / "mlp" / name / "__init__.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    return f"<div><b>{name}</b>{docstring.splitlines()[0].rstrip('.')}</div>"
