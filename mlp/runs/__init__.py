"""What a run leaves on disk: its folder, its record, its lock, and how it is found again.

The room can be called: ``mlp.runs()`` returns the stored runs as a frame.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from pandas import DataFrame

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _Room(ModuleType):
    def __call__(self, all_params: bool = False) -> "DataFrame":
        """Return a row for each stored training, see `runs_frame`."""
        from mlp.runs.frame import runs_frame

        return runs_frame(all_params)


sys.modules[__name__].__class__ = _Room
