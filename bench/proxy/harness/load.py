"""One run of the load tool, and the CPU time that it cost each process."""

import json
import os
import subprocess
from dataclasses import dataclass

from machine import Failed, machine_cpu

HOST = "demo-1.localhost"
# An ongoing session: the tenant to route by, and the canary pin that the first response set.
COOKIES = "tenant=riverside-clinic; lockstep_track=demo-1.stable"


@dataclass(frozen=True)
class Load:
    """A load. rate is in requests per second; 0 means as many as possible."""

    connections: int
    http2: bool = False
    keep_alive: bool = True
    certificate: bool = False
    rate: int = 0

    def name(self):
        parts = [f"rate-{self.rate}" if self.rate else "saturation", "h2" if self.http2 else "h1", str(self.connections)]
        return "-".join(parts + ["close"] * (not self.keep_alive) + ["certificate"] * self.certificate)


@dataclass(frozen=True)
class Result:
    """Times are in seconds, cpu in seconds per request. others is the share of the machine used by neither contender, upstream nor
    load tool. reconnects are requests that oha could not send because the server had closed the HTTP/2 connection gracefully."""

    requests: int
    errors: dict
    reconnects: int
    rate: float
    p50: float
    p99: float
    cpu: float
    upstream_cpu: float
    load_cpu: float
    others: float

    def flaw(self, load):
        """Returns why this run must be excluded from averages, or ""."""
        if self.errors:
            return ", ".join(f"{count} × {what}" for what, count in sorted(self.errors.items()))
        if self.requests == 0:
            return "no request was answered"
        if load.rate and self.rate < 0.99 * load.rate:
            return f"only {self.rate:.0f} requests/s of {load.rate}"
        return ""


# nginx closes a connection after this many requests by default.
KEEPALIVE_REQUESTS = 1000


def parse(report, http2=False):
    """Returns requests with status 200, errors by kind, reconnects, requests per second, p50 and p99 from oha's JSON."""
    statuses = {int(status): count for status, count in report["statusCodeDistribution"].items()}
    good = statuses.pop(200, 0)
    errors = {f"status {status}": count for status, count in statuses.items()}
    errors.update(report["errorDistribution"])
    if good and report["summary"]["sizePerRequest"] != 1024:
        errors[f"answers of {report['summary']['sizePerRequest']} bytes"] = good
    # After a GOAWAY, oha reports an unsent request as canceled, then opens a new connection.
    reconnects = errors.get("operation was canceled", 0) if http2 else 0
    if 0 < reconnects <= good / KEEPALIVE_REQUESTS:
        del errors["operation was canceled"]
    else:
        reconnects = 0
    percentiles = report["latencyPercentiles"]
    return good, errors, reconnects, good / report["summary"]["total"], percentiles["p50"] or 0.0, percentiles["p99"] or 0.0


def run(oha, load, seconds, port, settings, contender, upstream):
    """Loads 127.0.0.1:port for some seconds. contender and upstream are lists of processes whose CPU time is measured."""
    output = settings.parent / "oha.json"
    command = [oha, "--no-tui", "--insecure", "--redirect", 0, "--wait-ongoing-requests-after-deadline"]
    command += ["--output-format", "json", "--output", output]
    command += ["-z", f"{seconds}s", "-c", load.connections, "-H", f"cookie: {COOKIES}", "--connect-to", f"{HOST}:{port}:127.0.0.1:{port}"]
    if load.http2:
        command.append("--http2")
    if not load.keep_alive:
        command.append("--disable-keepalive")
    if load.certificate:
        command += ["--cert", settings / "client.pem", "--key", settings / "client.key"]
    if load.rate:
        command += ["-q", load.rate, "--latency-correction"]
    command.append(f"https://{HOST}:{port}/patients?page=1")

    def used():
        return sum(process.cpu() for process in contender), sum(process.cpu() for process in upstream), machine_cpu()

    before = used()
    tool = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    complaint = tool.stderr.read()
    _, status, usage = os.wait4(tool.pid, 0)
    tool.returncode = os.waitstatus_to_exitcode(status)
    after = used()
    for process in contender + upstream:
        process.check()
    if tool.returncode != 0:
        raise Failed(f"oha ended with status {tool.returncode}: {complaint}")
    requests, errors, reconnects, rate, p50, p99 = parse(json.loads(output.read_text()), load.http2)
    load_cpu = usage.ru_utime + usage.ru_stime
    cpu, upstream_cpu, all_cpu = (end - start for start, end in zip(before, after))
    if contender is upstream:
        upstream_cpu = 0.0
    each = max(1, requests)
    return Result(
        requests,
        errors,
        reconnects,
        rate,
        p50,
        p99,
        cpu / each,
        upstream_cpu / each,
        load_cpu / each,
        max(0.0, all_cpu - cpu - upstream_cpu - load_cpu) / (seconds * os.cpu_count()),
    )
