"""The article's claims, and what a runner's own answers say of each."""
