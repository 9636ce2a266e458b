"""Search: a space of configurations, and a study that proposes points of it (Optuna)."""
