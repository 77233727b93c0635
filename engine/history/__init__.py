"""The history of a run: counts and curves built from its events. Imports numpy, never torch."""
