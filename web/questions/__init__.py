"""Every question that is put to a runner's answers, and a page for each."""
