"""Support contacts by country, and when a mail names them."""
