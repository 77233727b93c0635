"""stoker: tend a PyTorch training from a terminal."""
