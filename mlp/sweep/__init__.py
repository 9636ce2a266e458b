"""Many runs as one: planned, run side by side, continued, ranked."""

from mlp.sweep.settings import Grid, Search, Settings

__all__ = ["Grid", "Search", "Settings"]
