"""Installs what the benchmark needs into .lockstep/tools, without root and without changing the machine."""

import os
import shutil
import subprocess

from machine import ROOT, TOOLS, debian, libraries, need, step

OHA = "1.16.0"
HERE = ROOT / "bench" / "proxy"


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


def peer(name):
    """Returns Debian's HAProxy or Caddy, or the one on the PATH if there is no apt, with the environment that it needs."""
    if not shutil.which("apt-get"):
        need(name, f"apt install {name}   |   brew install {name}")
        return shutil.which(name), {}
    unpacked = debian(name)
    return next(unpacked.glob(f"usr/*bin/{name}")), {"LD_LIBRARY_PATH": ":".join(libraries(unpacked))}


def gateway():
    """Returns the gateway's binary as shipped."""
    need("go", "apt install golang   |   brew install go   |   https://go.dev/dl")
    step("the gateway, as shipped", [ROOT / "proxy" / "build"])
    return ROOT / "proxy" / "target" / "image" / "gateway"


def plain():
    """Returns a minimal httputil.ReverseProxy behind nginx, for comparison."""
    step("the plain reverse proxy", ["go", "build", "-o", TOOLS / "plain", "."], cwd=HERE / "plain", env={**os.environ, "CGO_ENABLED": "0"})
    return TOOLS / "plain"
