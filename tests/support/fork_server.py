"""Starts `python main.py …` as a real process, without the second that its imports take.

Each pytest process has one server process that has imported `main`. The server forks for each
start.

A started process has its own pid, process group, environment, folder and output, as after `exec`.
Two things differ from `exec`: the interpreter is not fresh, and `main.py` is not `__main__`. So the
tests that start the service with one worker and with several use a new interpreter
(`own_interpreter`).
"""

import atexit
import json
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LARGEST_ORDER = 1 << 18


class ForkedProcess:
    """The part of `subprocess.Popen` that tests use, for a process that the server started."""

    def __init__(self, pid: int, ended: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        return self._read_status(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._read_status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("main.py", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _read_status(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            self.returncode = int(self._ended.recv(32))
            self._ended.close()
        return self.returncode


def start(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    files: Sequence[int],
) -> ForkedProcess:
    """Runs `python main.py ARGUMENTS` in a new session; `files` become descriptors 0, 1 and 2."""
    return _order(address(), arguments, environment, str(folder), files)


def _order(
    server: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    files: Sequence[int],
) -> ForkedProcess:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(f"\0{server}")
    order = json.dumps([list(arguments), dict(environment), folder])
    socket.send_fds(connection, [order.encode()], files)
    return ForkedProcess(int(connection.recv(32)), connection)


@cache
def address() -> str:
    """The name of the server's socket. The first call starts the server.

    The server ends with this process.
    """
    name = f"clinic-api-tests-{os.getpid()}"
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fork_server", "serve", name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin
    assert server.stdout
    server.stdout.readline()
    server.stdout.close()
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    return name


def _serve(name: str) -> None:
    import main  # noqa: F401 # imported once, before the forks

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0{name}")
    listener.listen(64)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    started: dict[int, tuple[int, socket.socket]] = {}
    while True:
        readable = select.select([listener, sys.stdin, *started], [], [])[0]
        if sys.stdin in readable:
            return
        for ended in [one for one in readable if isinstance(one, int)]:
            pid, connection = started.pop(ended)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            os.close(ended)
            with connection:
                _send_number(connection, status)
        if listener in readable:
            connection = listener.accept()[0]
            order, files, *_ = socket.recv_fds(connection, _LARGEST_ORDER, 3)
            pid = os.fork()
            if pid == 0:
                listener.close()
                connection.close()
                for _, (_, other) in started.items():
                    other.close()
                arguments, environment, folder = json.loads(order)
                _run_command_line(arguments, environment, folder, files)
            for file in files:
                os.close(file)
            _send_number(connection, pid)
            started[os.pidfd_open(pid)] = pid, connection


def _send_number(connection: socket.socket, number: int) -> None:
    try:
        connection.send(str(number).encode())
    except OSError:
        # The test has closed the connection: it does not wait for the process.
        return


def _run_command_line(
    arguments: list[str], environment: dict[str, str], folder: str, files: list[int]
) -> None:
    """Runs the command line in this forked process, and ends the process."""
    status = 1
    try:
        os.setsid()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        from uvicorn import _subprocess  # imported by the server already

        from main import command_line

        sys.argv = [str(ROOT / "main.py"), *arguments]
        # Forks the workers too; uvicorn would start an interpreter for each.
        _subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment] # the same use
        command_line()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(sys.argv[2])
    else:
        # Replaces `python main.py` in a shell script.
        server, arguments = sys.argv[1], sys.argv[2:]
        sys.exit(_order(server, arguments, os.environ, os.getcwd(), (0, 1, 2)).wait())
