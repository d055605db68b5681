"""HTTP plumbing: sessions, CSRF, limits, headers, languages and error pages."""
