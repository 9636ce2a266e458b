from .console import Console
from .progress import clock
from .run_figures import draw_evaluation_figures, draw_training_figures
from .side_by_side import comparison_table, draw_side_by_side
from .style import save_figure
from .sweep_figures import importances
from .sweep_summary import comparison_in_mlflow, show_places, show_summary, write_summary

__all__ = [
    "Console",
    "clock",
    "comparison_in_mlflow",
    "comparison_table",
    "draw_evaluation_figures",
    "draw_side_by_side",
    "draw_training_figures",
    "importances",
    "save_figure",
    "show_places",
    "show_summary",
    "write_summary",
]
