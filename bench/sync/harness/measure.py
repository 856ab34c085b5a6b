"""Creates the databases, runs the contenders of each work in turn, and checks their results."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from machine import Failed, machine_cpu

from .install import HERE
from .works import ENGINES, ROLLBACK, TABLES, WARM

SQL, CONTENDERS = HERE / "sql", HERE / "contenders"
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
        self._create(self.source, "base", self.drugs)
        self.base_contents = self.source.file("base", SQL / "content.sql")
        # two small sources whose rows all differ, for the syncs that warm up the engine
        self._create(self.source, "warm", WARM_DRUGS)
        self._create(self.source, "warm_changed", WARM_DRUGS, stride=1)
        self.say("creating a blank target")
        for name in ("target", "warm"):
            self._create(self.target, name)
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

    def _create(self, server, name, drugs=0, stride=0):
        server.sql("postgres", f"CREATE DATABASE {name}")
        server.file(name, SQL / "tables.sql")
        if drugs:
            server.file(name, SQL / "rows.sql", drugs=drugs)
        server.file(name, SQL / "keys.sql")
        if stride:
            server.file(name, SQL / "mutate.sql", stride=stride, drugs=drugs, drugs_only=0)
        self._driver("prepare", server.place(name))
        server.sql(name, "VACUUM (FREEZE, ANALYZE)")

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
        self.contents, self.shape = (self.source.file("source", SQL / f"{what}.sql") for what in ("content", "shape"))
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
        logged = self.target.log.stat().st_size
        cpu, machine, begun = [self.source.cpu(), self.target.cpu()], machine_cpu(), time.monotonic()
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
        run.growth = self.target.size("target") - sizes[0]
        if contender in ENGINES and not flaws:
            run.dump, run.restore = (self._results(place / f"{phase}.json") for phase in ("dump", "restore"))
            if contender == WARM:  # whose JVM started before the run
                del run.dump["jvm"], run.restore["jvm"]
                run.cpu_client = sum(spent["engine"] for result in (run.dump, run.restore) for spent in result["phases"].values())
            run.publish = self.target.publishing(logged)
        if work.name != "limits" and not flaws:
            run.flaws += self._check(work, self.base_contents if contender == ROLLBACK else self.contents)
        return run

    def _results(self, path):
        return json.loads(path.read_text().splitlines()[-1]) if path.exists() else {}

    def _check(self, work, contents):
        found = self.target.file("target", SQL / "content.sql")
        flaws = [f"rows differ: {is_so} instead of {wanted}" for is_so, wanted in zip(found, contents) if is_so != wanted]
        lost = set(self.shape) - set(self.target.file("target", SQL / "shape.sql"))
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
        psql = [self.tools.postgres / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", target, "-f", script]
        try:
            return self._script(psql if script.exists() else [CONTENDERS / f"{name}.sh"], settings)
        finally:
            shutil.rmtree(place / "dump", ignore_errors=True)

    def _driver(self, *arguments, source="", target="", store=""):
        command = [self.tools.java, "-XX:+UseSerialGC", "-Xmx256m", "-cp", self.tools.driver, "lockstep.bench.SyncDriver", *arguments]
        places = {"BENCH_SOURCE": self.source.place(source), "BENCH_TARGET": self.target.place(target)}
        self._script(command, {**places, "BENCH_STORE": str(store)})

    def _script(self, command, environment):
        databases = {"SOURCE": self.source.uri("source"), "TARGET": self.target.uri("target")}
        settings = {**os.environ, **self.tools.environment(), **databases, **environment}
        log, command = self.directory / "contender.log", list(map(str, command))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=settings, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        deadline = threading.Timer(MOST_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        deadline.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            deadline.cancel()
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode:
            raise Failed(
                f"{' '.join(command)[-300:]} ended with status {process.returncode}: {log.read_text(errors='replace').strip()[-1500:]}"
            )
        return usage.ru_utime + usage.ru_stime


class Reader:
    """The product's reader during a run. source is the database that the target will equal afterwards."""

    def __init__(self, arena, work, source):
        self.arena = arena
        halves = self._questions(work)
        target = {column: arena.target.psql("target", "-c", f"SELECT {column}")[0] for half in halves for column in half}
        # The source has no visitors, so their column stays as before.
        after = [now if "tenant." in column else arena.source.psql(source, "-c", f"SELECT {column}")[0] for column, now in target.items()]
        question = arena.directory / "question"
        question.write_text("\n".join([*(", ".join(half) for half in halves), "|".join(target.values()), "|".join(after)]) + "\n")
        options = ["-XX:+UseSerialGC", "-Xmx32m", "-XX:TieredStopAtLevel=1", "-cp", arena.tools.driver]
        self.process = subprocess.Popen(
            list(map(str, [arena.tools.java, *options, "lockstep.bench.Reader", arena.target.place("target"), question])),
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
