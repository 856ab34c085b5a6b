"""A PostgreSQL server for the benchmark, and its resource usage."""

import os
import shutil
import signal
import socket
import subprocess

from machine import TICK, Failed, Process, processes

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
    # for the statements of the engine's writer, which are logged (Arena.prepare)
    "log_line_prefix": "%a|",
    "log_parameter_max_length": "0",
    "log_checkpoints": "off",
}


class Server:
    def __init__(self, tools, directory, name):
        self.tools, self.name = tools, name
        self.data, self.log = directory / name, directory / f"{name}.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None

    def _command(self, program, *arguments):
        # PostgreSQL refuses to run as root. In a user namespace without a mapping, the user is not root.
        return [*(["unshare", "-U"] if os.geteuid() == 0 else []), str(self.tools.postgres / program), "-D", str(self.data), *arguments]

    def _run(self, command):
        """Returns the lines of the output."""
        environment = {**os.environ, **self.tools.environment()}
        done = subprocess.run(
            list(map(str, command)), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(f"{self.name}: {' '.join(map(str, command[:3]))}: {done.stderr.strip()[-2000:]}")
        return done.stdout.splitlines()

    def __enter__(self):
        self._run(self._command("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"))
        settings = {**SETTINGS, "port": self.port, "unix_socket_directories": ""}
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._start()
        return self

    def _start(self):
        self.process = Process(self._command("postgres"), self.log, self.tools.environment())
        self.process.wait_until(lambda: self.sql("postgres", "SELECT 1"), f"the {self.name} server")

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
        self.process.stop(how, seconds=60)

    def less_log(self):
        """Saves 6 GiB of disk, for works whose times are not compared."""
        self.sql("postgres", "ALTER SYSTEM SET max_wal_size = '2GB'", "SELECT pg_reload_conf()")

    def place(self, database):
        return f"127.0.0.1:{self.port}/{database}"

    def uri(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def psql(self, database, *arguments):
        """Returns psql's output, one line per row."""
        return self._run([self.tools.postgres / "psql", self.uri(database), "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments])

    def sql(self, database, *statements):
        return self.psql(database, *(word for statement in statements for word in ("-c", statement)))

    def copy_text(self, database, table):
        """Returns the size of the table as COPY text, in bytes."""
        command = [self.tools.postgres / "psql", "-X", self.uri(database), "-c", f"COPY {table} TO STDOUT"]
        environment = {**os.environ, **self.tools.environment()}
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as copying:
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
        ticks = 0
        for path, fields in processes():
            if path.name == str(self.process.popen.pid):
                ticks += sum(map(int, fields[11:15]))  # and of the children that exited
            elif int(fields[1]) == self.process.popen.pid:
                ticks += sum(map(int, fields[11:13]))
        return ticks / TICK

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

    def publishing(self, offset):
        """Returns the seconds of the engine's publish step by kind of statement, from the log after the offset.
        One connection publishes, so their durations add up to its time."""
        with self.log.open("rb") as log:
            log.seek(offset)
            text = log.read().decode(errors="replace")
        kinds = {"statistics": 0.0, "verify": 0.0, "merge": 0.0, "commit": 0.0}
        for line in text.splitlines():
            application, _, rest = line.partition("|")
            if application.endswith(" publish") and "duration: " in rest:
                milliseconds, _, statement = rest.split("duration: ", 1)[1].partition(" ms ")
                statement = statement.partition(": ")[2].strip()
                starts = {"ANALYZE lockstep.": "statistics", "COPY (SELECT": "verify", "COMMIT": "commit"}
                kind = next((kind for start, kind in starts.items() if statement.startswith(start)), "merge")
                kinds[kind] += float(milliseconds) / 1e3
        return kinds


def _copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)
