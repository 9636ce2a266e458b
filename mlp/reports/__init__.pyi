from .comparison import comparison_table, draw_side_by_side
from .console import Console
from .figure_style import save_figure
from .progress import clock
from .run_figures import draw_distortions, draw_evaluation_figures, draw_training_figures
from .sweep_figures import importances
from .sweep_summary import comparison_in_mlflow, show_summary, write_summary
from .tensorboard import TensorBoard
from .terminal import show_places

__all__ = [
    "Console",
    "TensorBoard",
    "clock",
    "comparison_in_mlflow",
    "comparison_table",
    "draw_distortions",
    "draw_evaluation_figures",
    "draw_side_by_side",
    "draw_training_figures",
    "importances",
    "save_figure",
    "show_places",
    "show_summary",
    "write_summary",
]
