"""Taking back what one agreed to."""
