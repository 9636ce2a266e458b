"""Tables of numbers and lists of places, as the terminal shows them."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console as Terminal
from rich.table import Table
from rich.text import Text

WIDE = 200  # characters of a line in a file


def wide_terminal(**options: Any) -> Terminal:
    """Return a terminal, standard output by default, with room for a wide table if it is a file."""
    terminal = Terminal(highlight=False, **options)
    if not terminal.is_terminal:
        terminal.width = WIDE
    return terminal


def number_table(first: str, *others: str) -> Table:
    """Return a table of names on the left and numbers on the right."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first)
    for header in others:
        table.add_column(header, justify="right")
    return table


def fits(table: Table, terminal: Terminal) -> bool:
    """Tell whether a table needs no line to be broken."""
    unbounded = terminal.options.update(max_width=10_000)
    return terminal.measure(table, options=unbounded).maximum <= terminal.width


def print_text(text: Text, terminal: Terminal) -> None:
    """Print a sentence: between words broken on a terminal, in one line elsewhere."""
    terminal.print(text, soft_wrap=not terminal.is_terminal)


def show_places(places: Mapping[str, str], terminal: Terminal) -> None:
    """Print commands, addresses and paths by their purpose, each in a line of its own to copy."""
    width = max(map(len, places), default=0) + 2
    for purpose, place in places.items():
        terminal.print(Text.assemble((f"{purpose:<{width}}", "dim"), place), soft_wrap=True)
