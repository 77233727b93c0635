"""`python -m stoker.tui …`: the command line, if the script `stoker` is not on the path."""

from stoker.tui.cli.main import main

if __name__ == "__main__":
    main()
