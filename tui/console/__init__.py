"""Text that commands print without a screen: tables, and the progress of a headless run."""
