"""Where the jobs of a sweep run: on this machine, on Ray, by submitit, by a Hydra launcher."""
