"""What work and pages cost as the rows grow, in counts that no machine changes."""
