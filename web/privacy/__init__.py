"""What is kept, why, and for how long."""
