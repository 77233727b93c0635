"""Training continues when the terminal's connection is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from stoker.engine.runs.events import CheckpointSaved
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import wait_until
from tests.support.end_to_end import assert_same, events, finished, step, stoker
from tests.support.ssh import session_of, sshd
from tests.support.terminal import PROGRAM, Terminal

EPOCHS = 60_000
RUN = ["run", "iris", "--epochs", str(EPOCHS), "--name"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The same run without a dashboard."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert stoker(folder, *RUN, "quiet", "--headless").returncode == 0
    return RunFolder(folder / "runs" / "quiet")


def main_thread_seconds(pid: int) -> float:
    """Return the CPU seconds of a process's main thread, which ran the dashboard."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("cut", ["SIGHUP", pytest.param("closed", marks=pytest.mark.slow), "closed and SIGHUP ignored"])
def test_training_continues_in_the_same_process_without_its_terminal(
    tmp_path: Path, undisturbed: RunFolder, cut: str
) -> None:
    """The run saves, continues in the same process without cost for the dashboard, and ends with the same bits."""
    folder = RunFolder(tmp_path / "runs" / "one")
    program, arguments = PROGRAM, [*RUN, "one"]
    if cut.endswith("ignored"):
        program, arguments = "/bin/sh", ["-c", f"trap '' HUP; exec {' '.join([PROGRAM, *arguments])}"]
    with Terminal(arguments, tmp_path, program=program) as terminal:
        pid = terminal.process.pid
        terminal.wait_for("training")
        wait_until(lambda: bool(terminal.text) and step(folder) > 1000, "it trains")
        if cut == "SIGHUP":
            os.kill(pid, signal.SIGHUP)
        else:
            terminal.cut()
        before = step(folder)
        wait_until(lambda: step(folder) > before + 2000, "it trains on")
        spent, since = main_thread_seconds(pid), time.monotonic()
        assert not finished(folder)
        wait_until(lambda: finished(folder), "it ends")
        if Path(f"/proc/{pid}/task/{pid}").exists() and time.monotonic() - since > 1:
            assert main_thread_seconds(pid) - spent < 0.05 * (time.monotonic() - since)
    if cut != "closed and SIGHUP ignored":
        assert any(isinstance(event, CheckpointSaved) and event.cause == "command" for event in events(folder))
    assert "Traceback" not in folder.log.read_text()
    assert_same(folder, undisturbed)

    with Terminal(["attach", "one"], tmp_path) as again:
        again.wait_for("completed")
        assert again.number(r"step +([\d,]+) / ") == EPOCHS
        again.press("q")
        assert again.wait_for_end() == 0


def test_output_of_the_task_goes_to_the_log_without_a_terminal(tmp_path: Path) -> None:
    """A print after the terminal closed raises nothing and goes to engine.log."""
    (tmp_path / "loud.py").write_text(
        "import os, time, torch\nfrom stoker.engine import Task\n\n"
        "def step(model, batch):\n    print('python speaks', flush=True)\n    os.write(2, b'C speaks\\n')\n"
        "    time.sleep(0.01)\n    return model(batch[0]).square().mean()\n\n"
        "def loud() -> Task:\n    data = (torch.rand(8, 2), torch.zeros(8).long())\n"
        "    loss = torch.nn.CrossEntropyLoss()\n"
        "    return Task(model=torch.nn.Linear(2, 2), train=data, test=data, loss=loss, step=step)\n"
    )
    folder = RunFolder(tmp_path / "runs" / "one")
    arguments = ["run", "loud.py:loud", "--name", "one", "--epochs", "300", "--eval-every", "300epochs"]
    with Terminal(arguments, tmp_path) as terminal:
        terminal.wait_for("training")
        terminal.cut()
        wait_until(lambda: finished(folder), "it ends")
    printed = folder.log.read_text().splitlines()
    assert printed.count("python speaks") == printed.count("C speaks") == 300
    assert "completed" in stoker(tmp_path, "ls").stdout


def test_unread_terminal_does_not_stop_the_training(tmp_path: Path) -> None:
    """When the terminal is read again, the newest state is drawn."""
    folder = RunFolder(tmp_path / "runs" / "one")
    with Terminal([*RUN[:3], "10000000", "--name", "one"], tmp_path) as terminal:
        terminal.wait_for("training")
        wait_until(lambda: bool(terminal.text) and step(folder) > 1000, "it trains")
        before = step(folder)
        # Five seconds fill the terminal's buffer and Textual's queue of writes.
        end = time.monotonic() + 5
        while time.monotonic() < end:
            time.sleep(0.1)
        unread = step(folder)
        assert unread > before + 2000
        assert terminal.number(r"step +([\d,]+) / ") > 0
        terminal.wait_for(lambda text: terminal.number(r"step +([\d,]+) / ") > unread)
        terminal.press("q")
        terminal.wait_for("Save and quit")
        terminal.press("\r")
        assert terminal.wait_for_end() == 0


def test_cut_connection_does_not_change_the_run(tmp_path: Path, undisturbed: RunFolder) -> None:
    """After its session is killed the run ends with the same bits, and another login can open it."""
    with sshd(tmp_path) as ((program, *login), server):
        folder = RunFolder(tmp_path / "runs" / "one")
        command = f"cd {tmp_path} && OMP_NUM_THREADS=1 TERM=xterm-256color {PROGRAM}"
        with Terminal([*login, f"{command} {' '.join(RUN)} one"], tmp_path, program=program) as terminal:
            terminal.wait_for("training")
            wait_until(lambda: bool(terminal.text) and step(folder) > 1000, "it trains")
            os.kill(session_of(server), signal.SIGKILL)
            before = step(folder)
            terminal.wait_for_end()
        wait_until(lambda: step(folder) > before + 2000, "it trains on")
        with Terminal([*login, f"{command} attach one"], tmp_path, program=program) as again:
            again.wait_for("training|completed")
            again.wait_for("completed")
            assert again.number(r"step +([\d,]+) / ") == EPOCHS
            again.press("q")
            assert again.wait_for_end() == 0
        assert_same(folder, undisturbed)
