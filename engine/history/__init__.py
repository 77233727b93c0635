"""A run's events, folded into curves and counts. Imports numpy, never torch."""
