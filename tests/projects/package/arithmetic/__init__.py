"""A user's package, with module names that stoker has too."""
