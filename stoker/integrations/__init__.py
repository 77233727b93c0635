"""Callbacks for trainings of other libraries; each module needs its library: `pip install 'stoker[transformers]'`."""

from __future__ import annotations


def missing(library: str, error: ImportError) -> ImportError:
    """Return the error for a module whose library cannot be imported."""
    return ImportError(f"stoker.integrations.{library} needs {library}: pip install 'stoker[{library}]' ({error})")
