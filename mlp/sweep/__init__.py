"""Many runs as one: planned, run side by side, continued, ranked."""
