"""The contenders. Each is a list of processes behind one TLS port on loopback, and all use the same upstream."""

import http.client
import json
import os
import shutil
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from machine import ROOT, Failed, Process, step

from .install import HERE
from .load import COOKIES, HOST

ALONE, NGINX, GATEWAY, HAPROXY, CADDY, PLAIN = "upstream alone", "nginx alone", "nginx + gateway", "HAProxy", "Caddy", "nginx + plain Go"
OTHER = "nginx + other gateway"
ALL = (ALONE, NGINX, GATEWAY, HAPROXY, CADDY, PLAIN, OTHER)

# How many idle connections to the upstream each contender keeps, so that handshakes cost all of them the same.
KEPT = 512


@dataclass(frozen=True)
class Tools:
    """Paths of the programs, and environments of those that need one."""

    oha: Path
    nginx: Path
    gateway: Path
    other: Path
    plain: Path
    haproxy: tuple
    caddy: tuple


@dataclass
class Contender:
    name: str
    port: int
    processes: list


def free_ports(count):
    """Returns free ports. All are held until the last is found, so that they are distinct."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Field:
    """The upstream and the contenders, which run at the same time, with or without client certificates. Use it as a context manager."""

    def __init__(self, tools, directory, names, certificate, upstream_scheme):
        self.tools, self.directory, self.certificate, self.scheme = tools, directory, certificate, upstream_scheme
        self.settings = directory / "settings"
        if not self.settings.exists():
            self.settings.mkdir()
            step("certificates", ["go", "run", "./internal/authority/throwaway", self.settings], cwd=ROOT / "proxy")
        self.stable, self.canary, self.fallback, alone = free_ports(4)
        self.started, self.contenders = [], {}
        try:
            self.stage = self._make_stage()
            self.upstream = [self._upstream(alone)]
            starts = {
                ALONE: lambda port: self.upstream,
                NGINX: self._nginx_alone,
                GATEWAY: lambda port: self._gateway("gateway", tools.gateway, port),
                OTHER: lambda port: self._gateway("other", tools.other, port),
                HAPROXY: self._haproxy,
                CADDY: self._caddy,
                PLAIN: self._plain,
            }
            for name in names:
                port = alone if name == ALONE else free_ports(1)[0]
                self.contenders[name] = Contender(name, port, starts[name](port))
                self._prove(self.contenders[name])
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in reversed(self.started):
            process.stop()
        shutil.rmtree(self.directory / "run", ignore_errors=True)

    def empty_logs(self):
        """Truncates all logs, so that no contender fills the disk or is slowed down by another one's writes."""
        for path in (self.directory / "run").rglob("*.log"):
            if path.is_file():  # nginx's is a pipe
                with path.open("r+b") as file:
                    file.truncate()

    def _place(self, name):
        place = self.directory / "run" / name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _start(self, place, name, command, environment=None, directory=None):
        process = Process(command, place / f"{name}.out.log", environment, directory)
        self.started.append(process)
        return process

    def _render(self, template, place, more):
        values = {
            "DIRECTORY": place,
            "STAGE": self.stage,
            "SETTINGS": self.settings,
            "STABLE": self.stable,
            "CANARY": self.canary,
            "FALLBACK": self.fallback,
            # Workers of an nginx started as root would otherwise run as nobody, without access to these files.
            "USER": "user root root;" if os.geteuid() == 0 else "",
            **more,
        }
        text = (HERE / "contenders" / template).read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        target = place / template
        target.write_text(text)
        return target

    def _make_stage(self):
        """Assembles the content of the edition's image like its Dockerfile. Production requires certificates and demo does not. limits.conf
        is always production's, because the load comes from one address and demo's limits are per address."""
        stage = self._place("stage")
        source = ROOT / "proxy" / "nginx"
        shutil.copy2(source / "start", stage)
        shutil.copytree(source / "production", stage, dirs_exist_ok=True)
        if not self.certificate:
            for path in (source / "demo").iterdir():
                if path.name != "limits.conf":
                    shutil.copy2(path, stage)
        return stage

    def _nginx(self, name, template, more):
        place = self._place(name)
        for path in self.settings.iterdir():
            shutil.copy2(path, place)
        configuration = self._render(template, place, more)
        return self._start(place, name, [self.tools.nginx, "-p", f"{place}/", "-e", "stderr", "-c", configuration])

    def _upstream(self, alone):
        asks = "ssl_client_certificate client-authority.pem; ssl_crl revoked.pem; ssl_verify_client on; ssl_verify_depth 2;"
        more = {"ALONE": alone, "BODY": "x" * 1024, "CLIENT_CERTIFICATES": self._with_certificate(asks)}
        return self._nginx("upstream", "upstream.conf", {**more, "UPSTREAM_TLS": self._with_tls("ssl")})

    def _with_certificate(self, setting):
        return setting if self.certificate else ""

    def _with_tls(self, setting):
        return setting if self.scheme == "https" else ""

    def _nginx_alone(self, port):
        more = {"PORT": port, "UPSTREAM": f"127.0.0.1:{self.stable}", "SCHEME": self.scheme, "KEPT": KEPT}
        return [self._nginx("nginxalone", "nginx.conf", more)]

    def _plain(self, port):
        place = self._place("nginx+plainGo")
        path = place / "socket"
        plain = self._start(place, "plain", [self.tools.plain, path, f"{self.scheme}://127.0.0.1:{self.stable}"])
        return [plain, self._nginx("nginx+plainGo", "nginx.conf", {"PORT": port, "UPSTREAM": f"unix:{path}", "SCHEME": "http", "KEPT": 64})]

    def _gateway(self, name, binary, port):
        """Starts nginx and the gateway as deployed."""
        place = self._place(name)
        edition = "production" if self.certificate else "demo"
        path = place / "gateway.sock"
        admin, health = free_ports(2)

        stable, canary, fallback = (f"{self.scheme}://127.0.0.1:{upstream}" for upstream in (self.stable, self.canary, self.fallback))
        shard = {"upstream": stable, "health": "/health", "fallback": fallback, "canary": {"upstream": canary, "weight": 10}}
        hosts = {HOST: "demo-1", "*.localhost": "demo-1"}
        routes = {
            "edition": edition,
            "tenantRules": [{"cookie": "tenant"}],
            "shards": {"demo-1": shard},
            "hosts": hosts,
            "default": "demo-1",
        }
        (self.settings / "routes.json").write_text(json.dumps(routes))
        gateway = self._start(
            place,
            "gateway",
            [binary],
            {
                "EDITION": edition,
                "GATEWAY_ROUTES": str(self.settings / "routes.json"),
                "GATEWAY_LISTEN": f"unix:{path}",
                "GATEWAY_ADMIN": f"127.0.0.1:{admin}",
                "GATEWAY_SIGN_UP": "open" if edition == "demo" else "closed",
                "GATEWAY_BANNER": "Do not enter data of real patients. 実在の患者さんの情報を入力しないでください。",
                "GATEWAY_RATE_LIMIT": "1000000",
                "GATEWAY_RESPONSE_HEADERS": json.dumps([{"action": "set", "name": "X-Robots-Tag", "value": "noindex"}]),
                "GATEWAY_UPSTREAM_IDLE_CONNECTIONS": str(KEPT),
                "GATEWAY_DRAIN_DELAY": "0s",
            },
        )
        gateway.wait_until(path.exists, "the gateway")
        nginx = self._start(
            place,
            "stage",
            ["./start"],
            {
                "NGINX": str(self.tools.nginx),
                "LISTEN_ADDRESS": "127.0.0.1",
                "PORT": str(port),
                "HEALTH_PORT": str(health),
                "SETTINGS_DIRECTORY": str(self.settings),
                "GATEWAY_SOCKET": str(path),
                "TEMPORARY_DIRECTORY": str(place / "temporary"),
                "HOST": HOST,
            },
            self.stage,
        )
        return [gateway, nginx]

    def _haproxy(self, port):
        place = self._place("HAProxy")
        (place / "server-both.pem").write_text((self.settings / "server.pem").read_text() + (self.settings / "server.key").read_text())
        (place / "hosts.map").write_text(f"{HOST} shard\nlocalhost shard\n")
        asks = f"ca-file {self.settings}/client-authority.pem crl-file {self.settings}/revoked.pem verify required"
        more = {"PORT": port, "CLIENT_CERTIFICATES": self._with_certificate(asks), "UPSTREAM_TLS": self._with_tls("ssl verify none")}
        command, environment = self.tools.haproxy
        return [self._start(place, "access", [command, "-db", "-f", self._render("haproxy.cfg", place, more)], environment)]

    def _caddy(self, port):
        place = self._place("Caddy")
        asks = f"client_auth {{\n\t\t\tmode require_and_verify\n\t\t\ttrusted_ca_cert_file {self.settings}/client-authority.pem\n\t\t}}"
        more = {"PORT": port, "CLIENT_CERTIFICATES": self._with_certificate(asks), "SCHEME": self.scheme}
        configuration = self._render("Caddyfile", place, {**more, "UPSTREAM_TLS": self._with_tls("tls_insecure_skip_verify")})
        command, environment = self.tools.caddy
        environment = {**environment, "XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place)}
        return [self._start(place, "caddy", [command, "run", "--config", configuration, "--adapter", "caddyfile"], environment)]

    def _ask(self, port, certificate):
        context = ssl.create_default_context(cafile=self.settings / "client-authority.pem")
        if certificate:
            context.load_cert_chain(self.settings / "client.pem", self.settings / "client.key")
        # Uses the host name, which Caddy requires with client certificates, without resolving it.
        connection = http.client.HTTPSConnection(HOST, port, timeout=5, context=context)
        try:
            connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5), server_hostname=HOST)
            connection.request("GET", "/patients", headers={"Cookie": COOKIES})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def _prove(self, contender):
        """Checks that the contender returns the upstream's response, and refuses clients without a certificate if one is required."""
        contender.processes[-1].wait_until(lambda: self._ask(contender.port, self.certificate), contender.name)
        status, body, headers = self._ask(contender.port, self.certificate)
        if status != 200 or len(body) != 1024:
            raise Failed(f"{contender.name} responds with {status} and {len(body)} bytes, expected 200 and 1024:\n{body[:2000]!r}")
        if contender.name == GATEWAY and not headers["X-Request-Id"]:
            raise Failed(f"{contender.name} returns no request id")
        if self.certificate:
            try:
                status = self._ask(contender.port, False)[0]
            except OSError:
                return
            if status == 200:
                raise Failed(f"{contender.name} accepts clients without a certificate")
