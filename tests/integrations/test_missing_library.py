"""A callback whose library is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("library", ["transformers", "lightning", "accelerate"])
def test_a_missing_library_is_named_with_what_to_install(library: str) -> None:
    """The module can only be imported with it; `import stoker` needs none of them."""
    code = (
        "import sys, stoker\n"
        f"for name in ({library!r}, 'pytorch_lightning'): sys.modules[name] = None\n"
        f"import stoker.integrations.{library}\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"needs {library}: pip install 'stoker[{library}]'" in done.stderr.splitlines()[-1]
