"""Remove trailing whitespace and end each file with one newline; exit with 1 if a file was changed."""

import re
import sys
from pathlib import Path

changed = 0
for name in sys.argv[1:]:
    path = Path(name)
    old = path.read_bytes()
    new = re.sub(rb"[ \t]+(?=\r?$)", b"", old, flags=re.M).rstrip(b"\r\n") + b"\n" if old.strip() else b""
    if new != old:
        path.write_bytes(new)
        print(f"fixed {name}")
        changed = 1
sys.exit(changed)
