"""The privacy notice."""
