"""The data folder and the download of missing files."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoker.engine.data import download
from stoker.engine.data.download import Remote
from stoker.engine.errors import RequestError

CONTENT = bytes(range(256)) * 2000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Serve the content at /data, half of it at /torn, other content at /other."""

    def do_GET(self) -> None:
        """Send the response."""
        if self.path not in ("/data", "/torn", "/other"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write({"/data": CONTENT, "/torn": CONTENT[:1000], "/other": CONTENT[::-1]}[self.path])

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server in this process."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()


def test_a_download_reports_its_progress(server: str, tmp_path: Path) -> None:
    """It comes from the second address if the first one fails."""
    lines: list[str] = []
    with download.using(None, lines.append):
        download.fetch(Remote("file", (f"{server}/gone", f"{server}/data"), MD5), tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert lines[-1] == "downloading file: 0.5 of 0.5 MB (100%)"


@pytest.mark.parametrize(("path", "named"), [("torn", "."), ("other", "md5"), ("gone", "Not Found")])
def test_a_download_that_fails_leaves_nothing(path: str, named: str, server: str, tmp_path: Path) -> None:
    """Incomplete, altered or missing: the error says which file to put where."""
    file = Remote("file.gz", (f"{server}/{path}",), MD5)
    with pytest.raises(RequestError, match=rf"{named}.*put file.gz into {tmp_path}, or give --data DIR") as caught:
        download.require("mnist", [file], tmp_path, lambda _: False)
    assert "\n" not in str(caught.value)
    assert [*tmp_path.iterdir()] == []


def test_without_a_network_the_error_names_the_missing_files(tmp_path: Path) -> None:
    """The error names only the missing files."""
    files = [Remote(name, ("http://127.0.0.1:9/x",), MD5) for name in ("here", "there")]
    with pytest.raises(RequestError, match=rf"refused.*put there into {tmp_path}"):
        download.require("mnist", files, tmp_path, lambda file: file.name == "here")


def test_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting, the environment variable, or the cache in the home folder; a missing folder is refused."""
    monkeypatch.delenv("STOKER_DATA", raising=False)
    assert download.data_folder() == Path.home() / ".cache" / "stoker" / "data"
    monkeypatch.setenv("STOKER_DATA", "/from/environment")
    assert download.data_folder() == Path("/from/environment")
    with download.using(str(tmp_path)):
        assert download.data_folder() == tmp_path
    assert download.data_folder() == Path("/from/environment")
    with pytest.raises(RequestError, match="--data"), download.using(str(tmp_path / "typo")):
        pass


def test_unpacking_is_atomic(tmp_path: Path) -> None:
    """A damaged archive leaves no file that looks like data."""
    packed = gzip.compress(CONTENT)
    (tmp_path / "good.gz").write_bytes(packed)
    download.unpack(tmp_path / "good.gz")
    assert (tmp_path / "good").read_bytes() == CONTENT
    (tmp_path / "torn.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(EOFError):
        download.unpack(tmp_path / "torn.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "good.gz", "torn.gz"]
