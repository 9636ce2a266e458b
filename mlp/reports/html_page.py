"""An HTML page in one file: its template, its style, its script and its images."""

from base64 import b64encode
from collections.abc import Collection, Mapping
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from mlp.base import RunError, atomic_write
from mlp.reports.charts import THEME, Charts
from mlp.runs import RunFolder

FIGURES = (".png", ".gif")
TEMPLATES = "mlp.reports", "templates"


def write_page(path: Path, template: str, values: Mapping[str, Any], charts: Charts) -> None:
    """Write a page that is never seen half-written; whatever it shows is text, and no HTML.

    Parameters
    ----------
    path : Path
        Of the HTML file.
    template : str
        A file in ``templates``.
    values : mapping
        What the template shows.
    charts : mapping of str to figure
        By the id of the element in which a chart is drawn.

    Raises
    ------
    RunError
        When the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader(*TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Bokeh writes a model where it meets it first, and later refers to it
    pages.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}
    text = pages.get_template(template).render(
        values,
        css=_text("report.css"),
        script=_text("report.js"),
        bokeh=_bokeh_script() if charts else "",
        charts=_documents(charts),
        version=version("mlp"),
        now=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
    )
    try:
        with atomic_write(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from None


def figures_of(folder: RunFolder, but: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return what each figure in a run's folder shows, and the figure as a ``data:`` URL."""
    found = sorted(folder.figures.glob("*")) if folder.figures.is_dir() else []
    return [
        (path.stem.replace("_", " "), _data_url(path))
        for path in found
        if path.suffix in FIGURES and path.stem not in but and not path.is_symlink()
    ]


def _data_url(path: Path) -> str:
    return f"data:{guess_type(path)[0]};base64,{b64encode(path.read_bytes()).decode()}"


def _documents(charts: Charts) -> dict[str, Any]:
    """Return the charts as Bokeh's script in the page takes them."""
    from bokeh.document import Document
    from bokeh.themes import Theme

    document = Document(theme=Theme(json=THEME))
    with document.models.freeze():  # collects the models once, and not again for each chart
        for chart in charts.values():
            document.add_root(chart)
    ids = {chart.id: element for element, chart in charts.items()}
    item = {"docid": "report", "root_ids": list(ids), "roots": ids}
    return {"docs": {"report": document.to_json(deferred=False)}, "items": [item]}


def _bokeh_script() -> str:
    from bokeh.resources import Resources

    [script] = Resources(mode="inline", components=["bokeh"]).js_raw[:1]
    return script


def _text(name: str) -> str:
    return (files(TEMPLATES[0]) / TEMPLATES[1] / name).read_text("utf-8")
