"""The dashboard: shows a run and asks for things; never imports torch."""
