"""The command line and the dashboard of stoker. Nothing here imports torch."""
