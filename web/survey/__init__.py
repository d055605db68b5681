"""The page behind a mail's link, where an answer is given."""
