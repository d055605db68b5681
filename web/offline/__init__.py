"""What a browser without a network shows."""
