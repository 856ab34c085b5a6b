"""Real processes and what they cost, read from /proc: Linux only."""

import os
import signal
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A process that must run does not; the message ends with its log."""


class Process:
    """A command in a session of its own, by which its children are found. Its standard output and error are appended to log."""

    def __init__(self, command, log, environment=None, directory=None):
        self.log = Path(log)
        self.command = [str(part) for part in command]
        # Appended to, so that a log that is emptied between runs does not keep its length as a hole.
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(self.command, env={**os.environ, **(environment or {})}, cwd=directory, stdin=subprocess.DEVNULL,
                                          stdout=output, stderr=output, start_new_session=True)

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
        """Seconds of processor time of the processes that live now, in steps of 10 ms."""
        return sum(int(fields[11]) + int(fields[12]) for _, fields in self.pids()) / TICK

    def memory(self):
        """Proportional set size in bytes: pages that processes share are counted once."""
        total = 0
        for path, _ in self.pids():
            try:
                lines = (path / "smaps_rollup").read_text().splitlines()
            except OSError:
                continue  # ended meanwhile
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
    """The fields of /proc/PID/stat after the name, which may hold anything: state, parent, group, session …"""
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def machine_cpu():
    """Seconds of processor time that all of the machine has used, and what was stolen from it by its host."""
    user, nice, system, _, _, interrupts, soft, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + interrupts + soft) / TICK, stolen / TICK


def wait_until(ready, what, process, seconds=30):
    """Asks ready() until it answers true; raises what it raised last when the time is up."""
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
            raise Failed(f"{what} does not answer after {seconds} s: {problem}\n{process.log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
