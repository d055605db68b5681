"""What the figures say: texts, milestones and rare notices."""
