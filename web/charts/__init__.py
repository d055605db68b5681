"""Charts: plain data in, SVG out."""
