"""Run the jobs of a sweep: on this machine, on Ray, by submitit, by a Hydra launcher."""
