"""LaTeX as GitHub writes it, $`x`$ and ```math, becomes SVG: no script, no font, no network."""

import re
import warnings
from typing import Any

from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it opens its font in a way that is deprecated
    import ziamath

BEFORE_CODE = 195  # `code` has 190
SIZE = 100  # of the letter that the SVG is measured in
MATRIX = re.compile(r"\\begin\{bmatrix\}.*?\\end\{bmatrix\}", re.DOTALL)

ziamath.config.precision = 1


def svg(latex: str, inline: bool) -> str:
    """Return a formula as a picture that has the size and the colour of the text around it."""
    latex = " ".join(MATRIX.sub(r"{\g<0>}", latex).split())  # brackets of one matrix are one group
    formula = ziamath.Latex(latex, size=SIZE, color="currentColor", inline=inline, title=latex)
    picture, depth = formula.svg(), formula.getyofst() / SIZE
    width, height = (float(re.search(rf'{side}="([\d.]+)', picture)[1]) for side in SIDES)
    style = f"width:{width / SIZE:.2f}em;height:{height / SIZE:.2f}em;vertical-align:{depth:.2f}em"
    return picture.replace("<svg ", f'<svg class="formula" role="img" style="{style}" ', 1)


SIDES = "width", "height"


class Inline(InlineProcessor):
    """Replaces $`x`$."""

    def handleMatch(self, m: Any, data: str) -> tuple[Any, int, int]:  # type: ignore[override]
        """Return the formula, and where it stands."""
        return self.md.htmlStash.store(svg(m[1], inline=True)), m.start(0), m.end(0)


class Formulas(Extension):
    """Formulas in a line."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Add the rule."""
        md.inlinePatterns.register(Inline(r"\$`([^`]+)`\$", md), "formula", BEFORE_CODE)


def block(source: str, *_: Any, **__: Any) -> str:
    """Return a formula on lines of its own."""
    return f'<div class="formula">{svg(source, inline=False)}</div>'


FENCE = {"name": "math", "class": "math", "format": block}
