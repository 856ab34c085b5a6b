"""Gets what the bench needs into .lockstep/tools/bench, without root and without changing anything of the machine."""

import os
import shutil
import subprocess
from pathlib import Path

OHA = "1.16.0"

ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "bench" / "proxy"
TOOLS = ROOT / ".lockstep" / "tools" / "bench"


class Missing(Exception):
    """Something that cannot be installed here; the message says what to do."""


def need(command, how):
    if shutil.which(command) is None:
        raise Missing(f"needs {command}, which is not on the PATH.\n  Get it:  {how}")


def step(title, command, **options):
    """Runs an installing command; its output goes to a log, of which the end is shown when it fails."""
    log = TOOLS / "install.log"
    print(f"bench: {title} …", flush=True)
    with log.open("w") as output:
        result = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **options)
    if result.returncode != 0:
        tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-15:])
        raise Missing(f"{title} failed ({' '.join(map(str, command))}):\n  {tail}")


def load_tool():
    """oha: holds a fixed rate corrected for coordinated omission, presents client certificates, speaks HTTP/1.1 and 2."""
    binary = TOOLS / "bin" / "oha"
    have = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout if binary.exists() else ""
    if have.split()[-1:] != [OHA]:
        need("cargo", "apt install cargo   |   brew install rust   |   https://rustup.rs (Rust 1.88 or later)")
        step(f"building oha {OHA} (once, some minutes)", ["cargo", "install", "oha", "--version", OHA, "--locked", "--root", TOOLS])
    return binary


def nginx():
    """The nginx of this machine's Debian release, as the stages' own installer puts it there."""
    directory = ROOT / ".lockstep" / "tools" / "nginx"
    step("nginx", [ROOT / "proxy" / "install-nginx", directory])
    return directory / "nginx-stable"


class Apt:
    """apt with lists and caches of its own, from the machine's sources: nothing of the machine is written, so it takes no root."""

    def __init__(self):
        state = TOOLS / "apt"
        for directory in ("state/lists/partial", "cache/archives/partial"):
            (state / directory).mkdir(parents=True, exist_ok=True)
        self.options = ["-qq", "-o", f"Dir::State={state}/state", "-o", "Dir::State::status=/var/lib/dpkg/status", "-o", f"Dir::Cache={state}/cache",
                        "-o", f"APT::Sandbox::User={os.environ.get('USER', 'root')}", "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=3"]
        self.updated = False

    def unpack(self, package, target):
        """Downloads a package and the libraries of its that the machine lacks, and unpacks them all into target."""
        downloads = target.with_suffix(".packages")
        shutil.rmtree(downloads, ignore_errors=True)
        downloads.mkdir(parents=True)
        if not self.updated:
            step("lists of Debian's packages", ["apt-get", *self.options, "update"])
            self.updated = True
        wanted, have = [package], set()
        while wanted:
            name = wanted.pop()
            have.add(name)
            step(name, ["apt-get", *self.options, "download", name], cwd=downloads)
            deb = next(downloads.glob(f"{name}_*.deb"))
            depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], capture_output=True, text=True, check=True).stdout
            for dependency in depends.split(","):
                library = dependency.split("|")[0].split("(")[0].strip()
                if library.startswith("lib") and library not in have and not self._installed(library):
                    wanted.append(library)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for deb in downloads.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb, target], check=True)
        shutil.rmtree(downloads)

    def _installed(self, package):
        result = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True, check=False)
        return result.stdout == "installed"


def peers():
    """HAProxy and Caddy as Debian ships them. Answers name → (command, environment); where there is no apt, those on the PATH."""
    found, apt = {}, None
    for name in ("haproxy", "caddy"):
        target = TOOLS / name
        if not target.is_dir() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
            apt = apt or Apt()
            apt.unpack(name, target)
        binaries = [path for path in (target / "usr/sbin" / name, target / "usr/bin" / name) if path.exists()]
        binary = str(binaries[0]) if binaries else shutil.which(name)
        if binary is None:
            raise Missing(f"there is no apt of Debian here, and no {name} on the PATH.\n  Get it:  apt install {name}   |   brew install {name}")
        libraries = sorted({str(path.parent) for path in target.glob("usr/lib/**/*.so*")})
        found[name] = (binary, {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {})
    return found


def gateway():
    """The gateway's binary as it is shipped."""
    need("go", "apt install golang   |   brew install go   |   https://go.dev/dl")
    step("the gateway, as shipped", [ROOT / "proxy" / "build"])
    return ROOT / "proxy" / "target" / "image" / "gateway"


def plain():
    """nginx's companion for comparison: httputil.ReverseProxy and nothing else."""
    step("the plain reverse proxy", ["go", "build", "-o", TOOLS / "plain", "."], cwd=HERE / "plain", env={**os.environ, "CGO_ENABLED": "0"})
    return TOOLS / "plain"
