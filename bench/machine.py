"""What the benchmarks need of this machine: programs, processes with their CPU time and memory, and facts. Linux only, because of /proc."""

import datetime
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".lockstep" / "tools" / "bench"
TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """Raised if something can't be installed or does not run; the message says why."""


def main(of):
    """Runs a benchmark's main function."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all started processes are stopped
    try:
        if not Path("/proc/self/smaps_rollup").exists():
            raise Failed("Linux is required, because the benchmark reads /proc")
        TOOLS.mkdir(parents=True, exist_ok=True)
        sys.exit(of())
    except Failed as error:
        sys.exit(f"bench: {error}")


def sayer(begun):
    """Returns a function that prints progress with the seconds since the start."""
    return lambda text: print(f"{int(time.monotonic() - begun):5d} s  {text}", flush=True, file=sys.stderr)


def need(command, how):
    if shutil.which(command) is None:
        raise Failed(f"{command} is required but not on the PATH.\n  Get it:  {how}")


def step(title, command, **options):
    """Runs an installation command. Its output is printed only if the command fails."""
    print(f"bench: {title} …", flush=True)
    command = list(map(str, command))
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False, **options
    )
    if result.returncode != 0:
        raise Failed(f"{title} failed ({' '.join(command)}):\n  " + "\n  ".join(result.stdout.splitlines()[-15:]))


def debian(package):
    """Downloads a package of this machine's Debian and what it needs and the machine lacks, and unpacks them on first use.
    apt uses its own lists and caches. It changes nothing on the machine, so it does not need root."""
    target, state = TOOLS / package, TOOLS / "apt"
    if target.exists():
        return target
    need("apt-get", f"{package} of Debian, on a Debian machine")
    shutil.rmtree(state / "cache", ignore_errors=True)
    for directory in ("state/lists/partial", "cache/archives/partial"):
        (state / directory).mkdir(parents=True, exist_ok=True)
    settings = (
        f"Dir::State={state}/state Dir::State::status=/var/lib/dpkg/status Dir::Cache={state}/cache "
        f"APT::Sandbox::User={os.environ.get('USER', 'root')} APT::Install-Recommends=false "
        "Acquire::Languages=none Acquire::Retries=3 Debug::NoLocking=true"
    )
    apt = ["apt-get", "-qq", "-y", *(word for setting in settings.split() for word in ("-o", setting))]
    step("updating Debian's package lists", [*apt, "update"])
    step(f"{package} of Debian", [*apt, "--download-only", "--reinstall", "install", package])
    new = target.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    for deb in (state / "cache" / "archives").glob("*.deb"):
        step(f"unpacking {deb.name}", ["dpkg-deb", "-x", deb, new])
    return new.rename(target)


def libraries(directory):
    """Returns the directories with the libraries of an unpacked package."""
    return sorted({str(path.parent) for path in directory.glob("usr/lib/**/*.so*")})


def version(command, environment=None):
    result = subprocess.run(
        [str(word) for word in command], env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    return next(iter((result.stdout + result.stderr).strip().splitlines()), "unknown")


def facts(shared_by):
    """Returns pairs (what, value)."""
    processor = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return [
        ("processors", f"{os.cpu_count()} × {processor.group(1) if processor else platform.machine()}, shared by {shared_by}"),
        ("memory", f"{int(memory.group(1)) / 2**20:.0f} GiB"),
        ("kernel", platform.release()),
    ]


def commit():
    return version(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=10"])


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def table(head, rows):
    """Returns a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def rotated(names, number):
    """Returns the order of contenders in a round, which moves on by one each round."""
    turn = number % max(1, len(names))
    return [*names[turn:], *names[:turn]]


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
            raise Failed(f"{self.command[0]} ended with status {self.popen.returncode}:\n{self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    def wait_until(self, ready, what, seconds=30):
        """Calls ready() until it returns true. On timeout, raises Failed with the last problem."""
        end = time.monotonic() + seconds
        while True:
            self.check()
            try:
                if ready():
                    return
                problem = "not ready"
            except (OSError, Failed) as error:
                problem = error
            if time.monotonic() > end:
                raise Failed(f"{what} is not ready after {seconds} s: {problem}\n{self.tail()}")
            time.sleep(0.1)

    def pids(self):
        """Every process of the session."""
        return [(path, fields) for path, fields in processes() if int(fields[3]) == self.popen.pid]

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

    def stop(self, how=signal.SIGTERM, seconds=10):
        """Ends the process, and kills the rest of its session."""
        if self.popen.poll() is None:
            self.popen.send_signal(how)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        for path, _ in self.pids():
            try:
                os.kill(int(path.name), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()


def processes():
    """Yields all processes as (directory, fields of its stat after the name: state, parent, group, session …)."""
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit():
                yield path, (path / "stat").read_text().rpartition(")")[2].split()  # the name may contain any character
        except OSError:
            pass  # exited in the meantime


def machine_cpu():
    """CPU seconds used by the whole machine, with those stolen by its host."""
    user, nice, system, _, _, *others = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + sum(others)) / TICK
