"""A run's events folded into counts and curves. Imports numpy, never torch."""
