"""What MkDocs calls while it builds the site: formulas, generated pages, links out of docs/."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import architecture
import command_reference
import config_reference
import formulas
import notebook_page
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
GENERATED: dict[str, Callable[[], str]] = {
    "every key": config_reference.groups,
    "every preset": config_reference.presets,
    "every command": command_reference.commands,
    "the rooms": architecture.drawing,
}
ROLE = re.compile(r":(?:class|func|meth|mod):<code>~?(?:[\w.]+\.)?(\w+)</code>")
QUOTED = re.compile(r"<code>([^<`]*)``(\w+)``")


def on_config(config: Any) -> Any:
    """Add what MkDocs cannot find by its name."""
    config.markdown_extensions.append(formulas.Formulas())
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [formulas.FENCE]}
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made of other files, and the figures of notebooks."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "changelog.md", content=changes.replace("](docs/", "](")))
    for notebook in (ROOT / "docs").glob("*.ipynb"):
        page, figures = notebook_page.markdown(notebook)
        files.append(File.generated(config, f"{notebook.stem}.md", content=page))
        for name, image in figures.items():
            files.append(File.generated(config, name, content=image))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what is generated, and show the paths of files that the site does not have."""
    if page.is_homepage:
        page.meta["hide"] = ["navigation", "toc"]
    for name, generate in GENERATED.items():
        marker = f"<!-- {name} -->"
        if marker in markdown:
            markdown = markdown.replace(marker, generate())
    markdown = markdown.replace(".ipynb)", ".md)")
    depth = page.file.src_uri.count("/")
    outside = rf"\[([^]\[]*)\]\((?:\.\./){{{depth + 1}}}(?!\.\.)([\w./-]+)\)"
    return re.sub(outside, _outside, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Show what Markdown does not: a docstring's :class:`~mlp.nn.Maxout`, ``x`` in a type."""
    return QUOTED.sub(r"<code>\1\2", ROLE.sub(r"<code>\1</code>", html))


def _outside(link: re.Match[str]) -> str:
    """Return the text of a link that leads out of docs/; presets have a page here."""
    text, path = link.groups()
    if preset := re.fullmatch(r"conf/experiment/(\w+)\.yaml", path):
        return f"[{text}](reference/presets.md#{preset[1]})"
    if path.startswith("conf/"):
        return f"[{text}](reference/presets.md)"
    return text if "`" in text or text == path else f"{text} (`{path}`)"
