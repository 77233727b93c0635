"""A real sshd on the loopback interface, for tests over SSH."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.deadlines import wait_until


@contextmanager
def sshd(folder: Path) -> Iterator[tuple[list[str], int]]:
    """Start an sshd; yield the command line of a login and the server's pid. Skips the test if there is no sshd."""
    path = os.environ["PATH"] + ":/usr/sbin"
    server, client, keygen = (shutil.which(name, path=path) for name in ("sshd", "ssh", "ssh-keygen"))
    if not (server and client and keygen):
        pytest.skip("no sshd on this machine")
    home = folder / "sshd"
    home.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True)
    (home / "authorized").write_text((home / "user.pub").read_text())
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home / 'host'}\nAuthorizedKeysFile {home / 'authorized'}\n"
        f"PidFile {home / 'pid'}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
    )
    with (home / "log").open("w") as log:
        process = subprocess.Popen([server, "-D", "-e", "-f", str(home / "config")], stderr=log)
    login = [client, "-tt", "-p", str(port), "-i", str(home / "user"), "-o", "StrictHostKeyChecking=no"]
    login += ["-o", f"UserKnownHostsFile={home / 'known'}", "-o", "LogLevel=ERROR", "127.0.0.1"]
    try:
        wait_until(lambda: "listening" in (home / "log").read_text(), "sshd listens")
        yield login, process.pid
    finally:
        process.terminate()
        process.wait()


def session_of(server: int) -> int:
    """Return the pid of the sshd process that serves the one connection."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server)], capture_output=True, text=True, check=True)
    [pid] = listed.stdout.split()
    return int(pid)
