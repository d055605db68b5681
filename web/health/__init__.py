"""How this process and its parts are doing, for machines."""
