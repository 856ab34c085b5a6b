"""Provides what the benchmark needs: the machine's programs if installed, otherwise Debian's,
unpacked into .lockstep/tools/bench without root."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "bench" / "sync"
TOOLS = ROOT / ".lockstep" / "tools" / "bench"
JDK = 25


class Missing(Exception):
    """Raised if something can't be installed; the message says what to do."""


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
            environment["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))
        return environment


def _step(title, command, **options):
    print(f"bench: {title} …", flush=True)
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        tail = "\n  ".join((result.stdout + result.stderr).splitlines()[-15:])
        raise Missing(f"{title} failed ({' '.join(map(str, command))}):\n  {tail}")


def _debian(package, *dependencies):
    """Downloads and unpacks a package and the given dependencies on first use."""
    target = TOOLS / package
    if not (target / "done").exists():
        if shutil.which("apt-get") is None:
            raise Missing(f"{package} of Debian 12 is required, but there is no apt-get")
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in (package, *dependencies):
            _step(f"{name} of Debian", ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", name], cwd=target)
            _step(f"unpacking {name}", ["dpkg", "-x", next(target.glob(f"{name}_*.deb")), target])
        (target / "done").touch()
    return target


def _postgres(directory):
    """Returns the programs in the given directory, of the machine's PostgreSQL 15, or of Debian's."""
    if directory:
        lacking = [name for name in ("postgres", "initdb", "pg_ctl", "psql", "pg_dump", "pg_restore") if not (directory / name).exists()]
        if lacking:
            raise Missing(f"given --postgres {directory}, which lacks {', '.join(lacking)}")
        return directory, []
    installed = Path("/usr/lib/postgresql/15/bin")
    if (installed / "postgres").exists() and (installed / "pg_dump").exists():
        return installed, []
    unpacked = _debian("postgresql-15", "postgresql-client-15", "libpq5")
    return unpacked / "usr/lib/postgresql/15/bin", [next(unpacked.glob("usr/lib/*-linux-gnu"))]


def _java():
    candidates = [
        os.environ.get("JAVA_HOME", ""),
        *sorted(map(str, Path("/usr/lib/jvm").glob("*"))),
        *sorted(map(str, Path.home().glob(".sdkman/candidates/java/*"))),
    ]
    for home in candidates:
        release = Path(home, "release")
        version = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if home and release.exists() else None
        if version and int(version.group(1)) >= JDK and Path(home, "bin/javac").exists():
            return Path(home)
    raise Missing(
        f"JDK {JDK} or later is required (searched JAVA_HOME, /usr/lib/jvm and ~/.sdkman).\n  Get one:  apt install temurin-{JDK}-jdk"
    )


def _driver(home):
    if shutil.which("mvn") is None:
        raise Missing("mvn is required but not on the PATH.\n  Get it:  apt install maven")
    _step(
        "building the driver",
        [
            "mvn",
            "-B",
            "-ntp",
            "-q",
            "-f",
            HERE / "pom.xml",
            "compile",
            "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath",
            "-Dmdep.outputFile=target/classpath",
            "-Dmdep.includeScope=runtime",
        ],
        env={**os.environ, "JAVA_HOME": str(home)},
    )
    return f"{HERE / 'driver/target/classes'}:{(HERE / 'driver/target/classpath').read_text().strip()}"


def all_of(postgres=None):
    TOOLS.mkdir(parents=True, exist_ok=True)
    path, libraries = [], []
    programs, lib = _postgres(postgres)
    libraries += lib
    for name in ("zstd", "lz4"):
        if shutil.which(name) is None:
            path.append(_debian(name) / "usr/bin")
    pgcopydb = bool(shutil.which("pgcopydb"))
    if not pgcopydb and not postgres:  # Debian's pgcopydb matches Debian's server
        try:
            unpacked = _debian("pgcopydb", "libgc1")
            path.append(unpacked / "usr/bin")
            libraries += [directory for directory in unpacked.glob("usr/lib/*-linux-gnu")]
            pgcopydb = True
        except Missing as problem:
            print(f"bench: continuing without pgcopydb: {problem}", flush=True)
    home = _java()
    return Tools(programs, path, libraries, home / "bin/java", _driver(home), pgcopydb)
