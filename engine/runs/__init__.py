"""The run folder and its files: the contract with every other program. Imports neither torch nor numpy nor Textual."""
