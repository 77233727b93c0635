"""A run's weights, metrics and curves as files for other programs."""
