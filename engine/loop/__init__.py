"""`stoker.Run`: a training loop of the user's own that is watched, steered, saved and resumed like any run."""
