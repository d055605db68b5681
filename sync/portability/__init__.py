"""Taking everything along: the ZIP that a worker packs, and bringing it in again."""
