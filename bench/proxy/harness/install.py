"""Installs what the benchmark needs into .lockstep/tools/bench, without root and without changing the machine."""

import os
import shutil
import subprocess
from pathlib import Path

OHA = "1.16.0"

ROOT = Path(__file__).resolve().parents[3]
HERE = ROOT / "bench" / "proxy"
TOOLS = ROOT / ".lockstep" / "tools" / "bench"


class Missing(Exception):
    """Raised if something can't be installed; the message says what to do."""


def need(command, how):
    if shutil.which(command) is None:
        raise Missing(f"{command} is required but not on the PATH.\n  Get it:  {how}")


def step(title, command, **options):
    """Runs an installation command. Its output goes to a log, whose end is printed if the command fails."""
    log = TOOLS / "install.log"
    print(f"bench: {title} …", flush=True)
    with log.open("w") as output:
        result = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **options)
    if result.returncode != 0:
        tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-15:])
        raise Missing(f"{title} failed ({' '.join(map(str, command))}):\n  {tail}")


def load_tool():
    """Returns oha, which supports fixed rates corrected for coordinated omission, client certificates, HTTP/1.1 and HTTP/2."""
    binary = TOOLS / "bin" / "oha"
    have = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout if binary.exists() else ""
    if have.split()[-1:] != [OHA]:
        need("cargo", "apt install cargo   |   brew install rust   |   https://rustup.rs (Rust 1.88 or later)")
        step(f"building oha {OHA} (once, takes some minutes)", ["cargo", "install", "oha", "--version", OHA, "--locked", "--root", TOOLS])
    return binary


def nginx():
    """Returns the nginx of this machine's Debian release, installed by proxy/install-nginx."""
    directory = ROOT / ".lockstep" / "tools" / "nginx"
    step("nginx", [ROOT / "proxy" / "install-nginx", directory])
    return directory / "nginx-stable"


class Apt:
    """apt with its own lists and caches and the machine's sources. It changes nothing on the machine, so it does not need root."""

    def __init__(self):
        state = TOOLS / "apt"
        for directory in ("state/lists/partial", "cache/archives/partial"):
            (state / directory).mkdir(parents=True, exist_ok=True)
        self.options = [
            "-qq",
            "-o",
            f"Dir::State={state}/state",
            "-o",
            "Dir::State::status=/var/lib/dpkg/status",
            "-o",
            f"Dir::Cache={state}/cache",
            "-o",
            f"APT::Sandbox::User={os.environ.get('USER', 'root')}",
            "-o",
            "Acquire::Languages=none",
            "-o",
            "Acquire::Retries=3",
        ]
        self.updated = False

    def unpack(self, package, target):
        """Downloads a package and the libraries that it needs and the machine lacks, and unpacks them into target."""
        downloads = target.with_suffix(".packages")
        shutil.rmtree(downloads, ignore_errors=True)
        downloads.mkdir(parents=True)
        if not self.updated:
            step("updating Debian's package lists", ["apt-get", *self.options, "update"])
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
    """Returns Debian's HAProxy and Caddy, or those on the PATH if there is no apt, as name → (command, environment)."""
    found, apt = {}, None
    for name in ("haproxy", "caddy"):
        target = TOOLS / name
        if not target.is_dir() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
            apt = apt or Apt()
            apt.unpack(name, target)
        binaries = [path for path in (target / "usr/sbin" / name, target / "usr/bin" / name) if path.exists()]
        binary = str(binaries[0]) if binaries else shutil.which(name)
        if binary is None:
            raise Missing(
                f"neither Debian's apt nor {name} on the PATH was found.\n  Get it:  apt install {name}   |   brew install {name}"
            )
        libraries = sorted({str(path.parent) for path in target.glob("usr/lib/**/*.so*")})
        found[name] = (binary, {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {})
    return found


def gateway():
    """Returns the gateway's binary as shipped."""
    need("go", "apt install golang   |   brew install go   |   https://go.dev/dl")
    step("the gateway, as shipped", [ROOT / "proxy" / "build"])
    return ROOT / "proxy" / "target" / "image" / "gateway"


def plain():
    """Returns a minimal httputil.ReverseProxy behind nginx, for comparison."""
    step("the plain reverse proxy", ["go", "build", "-o", TOOLS / "plain", "."], cwd=HERE / "plain", env={**os.environ, "CGO_ENABLED": "0"})
    return TOOLS / "plain"
