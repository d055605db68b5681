"""Every state of the pages, each behind a link: in a demo only."""
