"""The tables' history, applied by Alembic through `moodmiles db upgrade`."""
