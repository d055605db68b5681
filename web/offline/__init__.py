"""The page without a network."""
