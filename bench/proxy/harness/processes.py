"""Processes and their CPU time and memory, read from /proc (Linux only)."""

import os
import signal
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """Raised if a required process does not run; the message ends with its log."""


class Process:
    """A command in its own session, by which its children are found. Its standard output and error are appended to log."""

    def __init__(self, command, log, environment=None, directory=None):
        self.log = Path(log)
        self.command = [str(part) for part in command]
        # Opened for appending, so that a log that is truncated between runs does not become a sparse file.
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                self.command,
                env={**os.environ, **(environment or {})},
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def check(self):
        if self.popen.poll() is not None:
            raise Failed(f"{self.command[0]} ended with status {self.popen.returncode}:\n{self.log.read_text(errors='replace')[-2000:]}")

    def pids(self):
        """Every process of the session."""
        for path in Path("/proc").iterdir():
            if path.name.isdigit():
                fields = _stat(path)
                if fields and int(fields[3]) == self.popen.pid:
                    yield path, fields

    def cpu(self):
        """CPU seconds of the running processes, with a resolution of 10 ms."""
        return sum(int(fields[11]) + int(fields[12]) for _, fields in self.pids()) / TICK

    def memory(self):
        """Proportional set size in bytes, which counts shared pages once."""
        total = 0
        for path, _ in self.pids():
            try:
                lines = (path / "smaps_rollup").read_text().splitlines()
            except OSError:
                continue  # exited in the meantime
            total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
        return total

    def stop(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                pass
        for path, _ in list(self.pids()):
            try:
                os.kill(int(path.name), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()


def _stat(path):
    """Returns the fields of /proc/PID/stat after the name, which may contain any character: state, parent, group, session …"""
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def machine_cpu():
    """CPU seconds used by the whole machine, and those stolen by its host."""
    user, nice, system, _, _, interrupts, soft, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + interrupts + soft) / TICK, stolen / TICK


def wait_until(ready, what, process, seconds=30):
    """Calls ready() until it returns true. On timeout, raises Failed with the last problem."""
    end = time.monotonic() + seconds
    while True:
        process.check()
        try:
            if ready():
                return
            problem = "not ready"
        except OSError as error:
            problem = error
        if time.monotonic() > end:
            raise Failed(f"{what} is not ready after {seconds} s: {problem}\n{process.log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
