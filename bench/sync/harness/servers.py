"""A PostgreSQL server for the benchmark, and its resource usage."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")

# The same on both servers. Autovacuum and JIT are off, because they run at unpredictable times.
# Everything that makes commits durable is on.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "min_wal_size": "1GB",
    "checkpoint_timeout": "30min",
    "maintenance_work_mem": "128MB",
    "autovacuum": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "2",
    "max_parallel_workers": "4",
    # statements for the report; all statements of the engine's writer are logged (Arena.prepare)
    "log_min_duration_statement": "50ms",
    "log_line_prefix": "%a|",
    "log_parameter_max_length": "0",
    "log_checkpoints": "off",
}


class Failed(Exception):
    """Raised if a required step fails."""


class Server:
    def __init__(self, tools, directory, name):
        self.tools, self.name = tools, name
        self.data, self.log = directory / name, directory / f"{name}.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None

    def _as_user(self, *command):
        # PostgreSQL refuses to run as root. In a user namespace without a mapping, the user is not root.
        return (["unshare", "-U"] if os.geteuid() == 0 else []) + [str(word) for word in command]

    def __enter__(self):
        environment = {**os.environ, **self.tools.environment()}
        made = subprocess.run(
            self._as_user(
                self.tools.postgres / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
            ),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise Failed(f"initdb: {made.stderr[-2000:]}")
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(
                f"{name} = '{value}'\n" for name, value in {**SETTINGS, "port": self.port, "unix_socket_directories": ""}.items()
            )
        self._start()
        return self

    def _start(self):
        environment = {**os.environ, **self.tools.environment()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._as_user(self.tools.postgres / "postgres", "-D", self.data),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 30
        while True:
            try:
                self.sql("postgres", "SELECT 1")
                return
            except Failed:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise Failed(f"the {self.name} server does not start:\n{self.log.read_text()[-2000:]}") from None
                time.sleep(0.1)

    def __exit__(self, *_):
        self._stop()

    def keep(self, template):
        """Copies the server's files as a template, including its statistics of writes."""
        self._stop()
        _copy(self.data, template)
        self._start()

    def reset(self, template):
        """Restarts with the files of a template. Current data is discarded without a checkpoint."""
        self._stop(signal.SIGQUIT)
        _copy(template, self.data)
        self._start()

    def _stop(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()

    def less_log(self):
        """Saves 6 GiB of disk, for works whose times are not compared."""
        self.sql("postgres", "ALTER SYSTEM SET max_wal_size = '2GB'", "SELECT pg_reload_conf()")

    def place(self, database):
        return f"127.0.0.1:{self.port}/{database}"

    def uri(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def psql(self, database, *arguments):
        """Returns psql's output, one line per row."""
        done = subprocess.run(
            [self.tools.postgres / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", self.uri(database), *map(str, arguments)],
            env={**os.environ, **self.tools.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"{self.name} {database}: {done.stderr.strip()[-2000:]}")
        return done.stdout.splitlines()

    def sql(self, database, *statements):
        return self.psql(database, *(word for statement in statements for word in ("-c", statement)))

    def copy_text(self, database, table):
        """Returns the size of the table as COPY text, in bytes."""
        with subprocess.Popen(
            [self.tools.postgres / "psql", "-X", self.uri(database), "-c", f"COPY {table} TO STDOUT"],
            env={**os.environ, **self.tools.environment()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as copying:
            return sum(len(chunk) for chunk in iter(lambda: copying.stdout.read(1 << 20), b""))

    def file(self, database, path, **variables):
        return self.psql(database, *(word for name, value in variables.items() for word in ("-v", f"{name}={value}")), "-f", path)

    def copy(self, template, database):
        """Replaces the database with a copy of the template's files."""
        self.drop(database)
        self.sql("postgres", f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy")

    def drop(self, database):
        self.sql("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def cpu(self):
        """CPU seconds of all processes of the server, including those that have exited."""
        total = 0
        for path in Path("/proc").iterdir():
            if not path.name.isdigit():
                continue
            fields = _stat(path)
            if fields and int(fields[3]) == self.process.pid:
                total += int(fields[11]) + int(fields[12])
            elif fields and int(fields[1]) == self.process.pid:
                total += int(fields[11]) + int(fields[12])  # PostgreSQL's children have their own sessions
        ended = _stat(Path("/proc") / str(self.process.pid))
        return (total + int(ended[13]) + int(ended[14])) / TICK

    def wal(self):
        """Bytes of write-ahead log written since the server was created."""
        return int(self.sql("postgres", "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")[0])

    def size(self, database):
        """Size of all tables with their indexes, in bytes."""
        return int(
            self.sql(
                database,
                "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')",
            )[0]
        )

    def statements(self, offset, application="lockstep"):
        """Returns (application, milliseconds, statement) from the log after the offset, for applications with this prefix."""
        with self.log.open("rb") as log:
            log.seek(offset)
            text = log.read().decode(errors="replace")
        found = []
        for line in text.splitlines():
            if line.startswith("\t") and found:
                found[-1][2] += "" if line.strip().startswith("--") else " " + line.strip()
            elif "duration: " in line and line.startswith(application):
                milliseconds, _, statement = line.split("duration: ", 1)[1].partition(" ms ")
                found.append([line.partition("|")[0], float(milliseconds), statement.partition(": ")[2].partition("--")[0]])
            else:
                found.append(["", 0.0, ""])
        return [(name, milliseconds, " ".join(statement.split())) for name, milliseconds, statement in found if name]


def _copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)


def _stat(path):
    """Returns the fields of /proc/PID/stat after the name, which may contain any character: state, parent, group, session …"""
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def machine_cpu():
    """CPU seconds used by the whole machine."""
    user, nice, system, _, _, interrupts, soft, _ = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + interrupts + soft) / TICK
