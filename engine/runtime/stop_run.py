"""The exception that ends a user's script."""

from __future__ import annotations


class StopRun(SystemExit):
    """Ends the script after the run was saved: code 0 on request, 128 + signal after a signal.

    It passes through the user's code, so it is no Exception, which `except Exception` there would swallow.
    """
