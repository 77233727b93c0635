"""Settings, and the parser of their texts."""
