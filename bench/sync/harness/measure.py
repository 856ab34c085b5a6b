"""Creates the databases, runs the contenders of each work in turn, and checks their results."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import install
from .servers import Failed, machine_cpu
from .works import ENGINES, ROLLBACK, TABLES, WARM

SQL, CONTENDERS = install.HERE / "sql", install.HERE / "contenders"
MOST_SECONDS = 3600
JVM = "-XX:+UseSerialGC -Xmx256m -XX:MaxDirectMemorySize=64m -XX:TieredStopAtLevel=4"  # infra's Handler.Size.WORKER
WARM_DRUGS = 10_000
BASE = "base"  # the sync that every live target has already received


@dataclass
class Run:
    """One run of one contender. Sizes are in bytes. flaws lists what is wrong with the result;
    reader says what the product saw during the run."""

    seconds: float
    cpu_source: float
    cpu_target: float
    cpu_client: float
    wal: int
    growth: int
    others: float  # the share of the machine's CPUs that other processes used
    flaws: list = field(default_factory=list)
    reader: dict = field(default_factory=dict)
    dump: dict = field(default_factory=dict)
    restore: dict = field(default_factory=dict)
    statements: list = field(default_factory=list)  # the engine's statements over 50 ms: (server, step, milliseconds, statement)
    publish: dict = field(default_factory=dict)  # seconds by kind of statement in the engine's publish step
    number: int = 0  # the number of the round


class Arena:
    """Two servers. The source has the rows. The target has two file templates: a blank one, and one with the rows and visitors' data."""

    def __init__(self, tools, source, target, directory, scale, say):
        self.tools, self.source, self.target, self.directory, self.say = tools, source, target, directory, say
        self.drugs = max(1000, round(2_000_000 * scale))
        self.contents, self.shape = None, None

    def prepare(self):
        self.say(f"creating {self.drugs * 43 // 20:,} rows at the source")
        for server in (self.source, self.target):
            server.sql("postgres", "CREATE ROLE product LOGIN")
        self.source.sql("postgres", "CREATE DATABASE base")
        self.source.file("base", SQL / "tables.sql")
        self.source.file("base", SQL / "rows.sql", drugs=self.drugs)
        self.source.file("base", SQL / "keys.sql")
        self._driver("prepare", self.source.place("base"))
        self.source.sql("base", "VACUUM (FREEZE, ANALYZE)")
        self.base_contents = self.source.psql("base", "-f", SQL / "content.sql")
        self._prepare_warm()
        self.say("creating a blank target")
        for name in ("target", "warm"):
            self._blank(name)
        self.target.sql("postgres", "ALTER ROLE lockstep_writer SET log_min_duration_statement = 0")
        self.blank = self.directory / "template-blank"
        self.target.keep(self.blank)
        self.say("creating a target with the rows and visitors' data")
        self.target.drop("target")
        self.target.sql("postgres", "CREATE DATABASE target")
        self._contender("pg_dump-restore", self.source.uri("base"), self.target.uri("target"))
        self.target.file("target", SQL / "live.sql", drugs=self.drugs)
        self._driver("prepare", self.target.place("target"))
        self.target.sql("target", "VACUUM (FREEZE, ANALYZE)")
        # From here on, a manifest is in force at the target, as before every sync but the first.
        self.store = self.directory / "store-base"
        self._driver("dump", BASE, source="base", store=self.store)
        self._driver("restore", BASE, target="target", store=self.store)
        self.target.sql("target", "VACUUM (ANALYZE)")
        self.live = self.directory / "template-live"
        self.target.keep(self.live)

    def _blank(self, name):
        self.target.sql("postgres", f"CREATE DATABASE {name}")
        self.target.file(name, SQL / "tables.sql")
        self.target.file(name, SQL / "keys.sql")
        self._driver("prepare", self.target.place(name))

    def _prepare_warm(self):
        """Creates two small sources whose rows all differ, for the syncs that warm up the engine."""
        for name, stride in (("warm", 0), ("warm_changed", 1)):
            self.source.sql("postgres", f"CREATE DATABASE {name}")
            self.source.file(name, SQL / "tables.sql")
            self.source.file(name, SQL / "rows.sql", drugs=WARM_DRUGS)
            self.source.file(name, SQL / "keys.sql")
            if stride:
                self.source.file(name, SQL / "mutate.sql", stride=stride, drugs=WARM_DRUGS, drugs_only=0)
            self._driver("prepare", self.source.place(name))
            self.source.sql(name, "VACUUM (ANALYZE)")

    def _servers(self):
        return f"{self.source.process.pid},{self.target.process.pid}"

    def change(self, work):
        """Prepares the source for the work."""
        self.source.copy("base", "source")
        many = work.times > 1 or 0 < work.stride <= 10
        if many:
            self.source.file("source", SQL / "unkeyed.sql")
        if work.times > 1:
            self.source.less_log()
            self.source.file("source", SQL / "multiply.sql", times=work.times)
        if work.stride:
            self.source.file("source", SQL / "mutate.sql", stride=work.stride, drugs=self.drugs, drugs_only=int(work.tables == "drug"))
        if many:
            # If every row is new, half of the table would be dead rows, and reading it would take twice as long.
            if work.stride:
                self.source.sql("source", "VACUUM (FULL)")
            self.source.file("source", SQL / "keys.sql")
        self.source.sql("source", "VACUUM (ANALYZE)")
        self.contents, self.shape = self.source.psql("source", "-f", SQL / "content.sql"), self._shape(self.source, "source")
        self.previous = self.store
        if work.live and not work.stride:
            # In a copy of a database the engine reads everything, so the previous sync must be of this one.
            self.previous = self._copied(self.store, "store-unchanged")
            self._driver("dump", "unchanged", source="source", store=self.previous)

    def _copied(self, store, name):
        copy = self.directory / name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(store, copy, copy_function=os.link)
        return copy

    def _shape(self, server, database):
        return server.psql(database, "-f", SQL / "shape.sql")

    def run(self, work, contender):
        try:
            return self._run(work, contender)
        finally:
            self._end_driver()

    def _end_driver(self):
        """Stops the warm engine, which runs in its own session and would wait forever after a failure."""
        note = self.directory / "work" / "driver"
        if note.exists() and Path(f"/proc/{note.read_text().strip()}").exists():
            os.killpg(int(note.read_text()), 9)

    def _run(self, work, contender):
        self.target.reset(self.live if work.live else self.blank)
        if work.times > 1:
            self.target.less_log()
        place = self.directory / "work"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        store = self.directory / "store"
        if contender in ENGINES:
            shutil.rmtree(store, ignore_errors=True)
            if work.live:
                self._copied(self.previous, "store")
        environment = {
            "TABLES": work.tables,
            "WORK": str(place),
            "CONTENDERS": str(CONTENDERS),
            "SYNC": f"sync-{time.time_ns()}",
            "BENCH_STORE": str(store),
            "BENCH_SOURCE": self.source.place("source"),
            "BENCH_TARGET": self.target.place("target"),
            "JAVA": str(self.tools.java),
            "JVM": JVM,
            "DRIVER": self.tools.driver,
            "BENCH_SERVERS": self._servers(),
            "BENCH_WARM_SOURCES": f"{self.source.place('warm')},{self.source.place('warm_changed')}",
            "BENCH_WARM_TARGET": self.target.place("warm"),
        }
        if contender == ROLLBACK:
            self._driver("dump", environment["SYNC"], source="source", store=store)
            self._driver("restore", environment["SYNC"], target="target", store=store)
            environment["SYNC"] = BASE
        if work.live:
            self.target.sql("target", *(f"SELECT count(*) FROM master.{table}" for table in TABLES.split()))
        before = CONTENDERS / f"{contender}.before"
        if before.exists():
            self._script([before], environment)
        reader = Reader(self, work, "base" if contender == ROLLBACK else "source") if work.live else None
        for server in (self.source, self.target):
            server.sql("postgres", "CHECKPOINT")
        os.sync()
        sizes = [self.target.size("target"), self.target.wal()]
        logs = {server: server.log.stat().st_size for server in (self.source, self.target)}
        cpu, machine, begun, wall = [self.source.cpu(), self.target.cpu()], machine_cpu(), time.monotonic(), time.time()
        flaws = []
        try:
            client = self._contender(contender, self.source.uri("source"), self.target.uri("target"), environment)
        except Failed as problem:
            client, flaws = 0.0, [f"failed: {problem}".replace(f"{CONTENDERS}/", "")]
        seconds, busy = time.monotonic() - begun, machine_cpu() - machine
        cpu = [self.source.cpu() - cpu[0], self.target.cpu() - cpu[1]]
        run = Run(
            seconds, *cpu, client, self.target.wal() - sizes[1], 0, max(0.0, busy - sum(cpu) - client) / seconds / os.cpu_count(), flaws
        )
        if reader:
            run.reader = reader.stop()
            run.reader["after"] = run.reader["at"] - wall
        run.growth = self.target.size("target") - sizes[0]
        if contender in ENGINES and not flaws:
            run.dump, run.restore = (self._results(place / f"{phase}.json") for phase in ("dump", "restore"))
            if contender == WARM:  # whose JVM started before the run
                del run.dump["jvm"], run.restore["jvm"]
                run.cpu_client = sum(spent["engine"] for result in (run.dump, run.restore) for spent in result["phases"].values())
            logged = [(server.name, *statement) for server in logs for statement in server.statements(logs[server])]
            run.statements = [statement for statement in logged if statement[2] > 50]
            run.publish = _publishing([(milliseconds, text) for _, step, milliseconds, text in logged if step.endswith("publish")])
        if work.name != "limits" and not flaws:
            run.flaws += self._check(work, self.base_contents if contender == ROLLBACK else self.contents)
        return run

    def _results(self, path):
        return json.loads(path.read_text().splitlines()[-1]) if path.exists() else {}

    def _check(self, work, contents):
        flaws = []
        found = self.target.psql("target", "-f", SQL / "content.sql")
        flaws += [f"rows differ: {is_so} instead of {wanted}" for is_so, wanted in zip(found, contents) if is_so != wanted]
        lost = set(self.shape) - set(self._shape(self.target, "target"))
        flaws += [f"lost: {what}" for what in sorted(lost)]
        if work.live:
            flaws += [f"lost: {what}" for what in self.target.file("target", SQL / "kept.sql", drugs=self.drugs)]
        return flaws

    def _contender(self, name, source, target, environment=None):
        """Runs the contender and returns its CPU seconds."""
        place = self.directory / "work"
        place.mkdir(exist_ok=True)
        settings = {"SOURCE": source, "TARGET": target, "CONTENDERS": str(CONTENDERS), "WORK": str(place), **(environment or {})}
        script = CONTENDERS / f"{name}.sql"
        command = (
            [self.tools.postgres / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", target, "-f", script]
            if script.exists()
            else [CONTENDERS / f"{name}.sh"]
        )
        try:
            return self._script(command, settings)
        finally:
            shutil.rmtree(place / "dump", ignore_errors=True)

    def _driver(self, *arguments, source="", target="", store=""):
        self._script(
            [self.tools.java, "-XX:+UseSerialGC", "-Xmx256m", "-cp", self.tools.driver, "lockstep.bench.SyncDriver", *arguments],
            {
                "BENCH_SOURCE": self.source.place(source),
                "BENCH_TARGET": self.target.place(target),
                "BENCH_STORE": str(store),
                "BENCH_SERVERS": self._servers(),
            },
        )

    def _script(self, command, environment):
        settings = {
            **os.environ,
            **self.tools.environment(),
            "SOURCE": self.source.uri("source"),
            "TARGET": self.target.uri("target"),
            **environment,
        }
        log = self.directory / "contender.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end = time.monotonic() + MOST_SECONDS
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    break
                if time.monotonic() > end:
                    raise Failed(f"{command[0]} did not finish within {MOST_SECONDS} s")
                time.sleep(0.005)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, 9)
                process.wait()
        if process.returncode:
            raise Failed(f"{' '.join(map(str, command))[-300:]}: {log.read_text(errors='replace').strip()[-1500:]}")
        return usage.ru_utime + usage.ru_stime


def _publishing(statements):
    """Sums up statements by kind. One connection publishes, so their durations add up to its time."""
    kinds = {"statistics": 0.0, "verify": 0.0, "merge": 0.0, "commit": 0.0}
    for milliseconds, text in statements:
        kind = (
            "statistics"
            if text.startswith("ANALYZE lockstep.")
            else "verify"
            if text.startswith("COPY (SELECT")
            else "commit"
            if text == "COMMIT"
            else "merge"
        )
        kinds[kind] += milliseconds / 1e3
    return kinds


class Reader:
    """The product's reader during a run. after is the source database that the target will equal afterwards."""

    def __init__(self, arena, work, after):
        self.arena, source = arena, after
        halves = [", ".join(column for column in half) for half in self._questions(work)]
        answers = [server.psql(database, "-c", f"SELECT {', '.join(halves)}")[0] for server, database in ((arena.target, "target"),)]
        # The source has no visitors, so their column stays as before.
        after = [
            arena.source.psql(source, "-c", f"SELECT {column}")[0]
            if "tenant." not in column
            else arena.target.psql("target", "-c", f"SELECT {column}")[0]
            for half in self._questions(work)
            for column in half
        ]
        question = arena.directory / "question"
        question.write_text("\n".join([*halves, answers[0], "|".join(after)]) + "\n")
        self.process = subprocess.Popen(
            [
                str(word)
                for word in (
                    arena.tools.java,
                    "-XX:+UseSerialGC",
                    "-Xmx32m",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    arena.tools.driver,
                    "lockstep.bench.Reader",
                    arena.target.place("target"),
                    question,
                )
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(arena.directory / "reader.log").open("wb"),
            text=True,
        )
        if self.process.stdout.readline() != "ready\n":
            raise Failed(f"the reader does not start:\n{(arena.directory / 'reader.log').read_text()[-2000:]}")

    def _questions(self, work):
        """Returns columns that identify the state: a changed row near the start, in the middle and at the end of each table."""

        def rows(table, key, text):
            changed = f"{key} < 100000000 AND revised_on = (SELECT max(revised_on) FROM master.{table})"
            found = self.arena.source.sql(
                "source",
                f"SELECT min(k), percentile_disc(0.5) WITHIN GROUP (ORDER BY k), max(k) FROM "
                f"(SELECT {key} AS k FROM master.{table} WHERE {changed}) AS changed",
            )[0].split("|")
            return (
                f"(SELECT string_agg({text}, ',' ORDER BY {key}) FROM master.{table} WHERE {key} IN ({', '.join(found)}))"
                if table != "postal_code"
                else "(SELECT string_agg(code || seq || coalesce(town, ''), ',' ORDER BY code, seq) "
                "FROM master.postal_code WHERE (code, seq) IN (" + ", ".join(f"('{int(k) // 2:07d}', {int(k) % 2})" for k in found) + "))"
            )

        first = [
            rows("drug", "id", "id || ':' || price"),
            rows("ingredient", "id", "id || name"),
            "(SELECT count(*) FROM tenant.prescription p JOIN master.drug d ON d.id = p.drug_id WHERE p.id <= 20)",
        ]
        second = [
            rows("disease", "id", "id || ':' || billable"),
            rows("drug_interaction", "id", "id || mechanism"),
            rows("postal_code", "(code::bigint * 2 + seq)", ""),
        ]
        return first, second

    def stop(self):
        out, _ = self.process.communicate("\n", timeout=120)
        if self.process.returncode:
            raise Failed(f"the reader failed:\n{(self.arena.directory / 'reader.log').read_text()[-2000:]}")
        return json.loads(out.splitlines()[-1])
