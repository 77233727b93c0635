"""Settings and the small texts they are written in."""
