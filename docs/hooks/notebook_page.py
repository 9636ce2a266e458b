"""A notebook as a page: its text, its code, and the outputs that are stored in it."""

import base64
import json
from pathlib import Path


def markdown(notebook: Path) -> tuple[str, dict[str, bytes]]:
    """Return the page and its figures, by the names that it shows them under."""
    figures: dict[str, bytes] = {}
    parts = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(f"```python\n{source}\n```" if cell["cell_type"] == "code" else source)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                name = f"img/{notebook.stem}{len(figures) + 1}.png"
                figures[name] = base64.b64decode(data["image/png"])
                parts.append(f"![What the cell above draws]({name})")
            else:
                text = "".join(output.get("text") or data.get("text/plain", ""))
                parts.append(f"```{{ .text .output }}\n{text.rstrip()}\n```")
    parts.insert(1, f'<a href="{notebook.name}" download>Download it</a>')
    return "\n\n".join(parts), figures
