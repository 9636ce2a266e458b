from .boundary import draw_boundary
from .comparison import show_comparison
from .console import Console, ProgressConsole
from .curves import learning_curves
from .explanation import Example, show_explanation
from .figure_style import save_figure
from .inspection_figure import draw_inspection
from .progress import clock
from .report import write_run_report, write_sweep_report
from .run_figures import draw_distortions, draw_evaluation_figures, draw_training_figures
from .sweep_figures import importances
from .sweep_summary import show_summary, write_summary
from .tensorboard import TensorBoard
from .terminal import show_places, wide_terminal
from .verdicts import show_verdicts

__all__ = [
    "Console",
    "Example",
    "ProgressConsole",
    "TensorBoard",
    "clock",
    "draw_boundary",
    "draw_distortions",
    "draw_evaluation_figures",
    "draw_inspection",
    "draw_training_figures",
    "importances",
    "learning_curves",
    "save_figure",
    "show_comparison",
    "show_explanation",
    "show_places",
    "show_summary",
    "show_verdicts",
    "wide_terminal",
    "write_run_report",
    "write_summary",
    "write_sweep_report",
]
