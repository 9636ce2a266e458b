"""Many runs as one: planned, run side by side, continued, ranked."""

from mlp.sweep.settings import Grid, Settings

__all__ = ["Grid", "Settings"]
