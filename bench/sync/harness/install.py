"""Provides what the benchmark needs: the machine's programs if installed, otherwise Debian's, unpacked without root."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from machine import ROOT, Failed, debian, libraries, need, step

HERE = ROOT / "bench" / "sync"
JDK = 25


@dataclass(frozen=True)
class Tools:
    """postgres is the directory of the server and client programs; path has the other programs; driver is a class path."""

    postgres: Path
    path: list
    libraries: list
    java: Path
    driver: str
    pgcopydb: bool

    def environment(self):
        environment = {"PATH": ":".join(map(str, [self.postgres, *self.path])) + ":" + os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = ":".join(self.libraries)
        return environment


def _postgres(directory):
    """Returns the programs in the given directory, of the machine's PostgreSQL 15, or of Debian's."""
    if directory:
        lacking = [name for name in ("postgres", "initdb", "pg_ctl", "psql", "pg_dump", "pg_restore") if not (directory / name).exists()]
        if lacking:
            raise Failed(f"given --postgres {directory}, which lacks {', '.join(lacking)}")
        return directory, []
    installed = Path("/usr/lib/postgresql/15/bin")
    if (installed / "postgres").exists() and (installed / "pg_dump").exists():
        return installed, []
    unpacked = debian("postgresql-15")
    return unpacked / "usr/lib/postgresql/15/bin", libraries(unpacked)


def _java():
    candidates = [
        Path(os.environ.get("JAVA_HOME", "/usr")),
        *sorted(Path("/usr/lib/jvm").glob("*")),
        *sorted(Path.home().glob(".sdkman/candidates/java/*")),
    ]
    for home in candidates:
        release = home / "release"
        version = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if release.exists() else None
        if version and int(version.group(1)) >= JDK and (home / "bin/javac").exists():
            return home
    raise Failed(
        f"JDK {JDK} or later is required (searched JAVA_HOME, /usr/lib/jvm and ~/.sdkman).\n  Get one:  apt install temurin-{JDK}-jdk"
    )


def _driver(home):
    need("mvn", "apt install maven")
    classpath = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
    options = ["-Dmdep.outputFile=target/classpath", "-Dmdep.includeScope=runtime"]
    command = ["mvn", "-B", "-ntp", "-q", "-f", HERE / "pom.xml", "compile", classpath, *options]
    step("building the driver", command, env={**os.environ, "JAVA_HOME": str(home)})
    return f"{HERE / 'driver/target/classes'}:{(HERE / 'driver/target/classpath').read_text().strip()}"


def all_of(postgres=None):
    programs, found = _postgres(postgres)
    path = []
    pgcopydb = bool(shutil.which("pgcopydb"))
    if not pgcopydb and not postgres:  # Debian's pgcopydb matches Debian's server
        try:
            unpacked = debian("pgcopydb")
            path, found, pgcopydb = [unpacked / "usr/bin"], [*found, *libraries(unpacked)], True
        except Failed as problem:
            print(f"bench: continuing without pgcopydb: {problem}", flush=True)
    home = _java()
    return Tools(programs, path, found, home / "bin/java", _driver(home), pgcopydb)
