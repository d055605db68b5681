"""Taking everything along, and bringing it in somewhere else."""
