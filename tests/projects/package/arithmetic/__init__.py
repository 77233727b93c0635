"""A package of one's own, with names that stoker has too."""
