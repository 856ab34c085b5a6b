"""The contenders. Each is a list of processes behind one TLS port on loopback, and all use the same upstream."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import install
from .load import COOKIES, HOST
from .processes import Failed, Process, wait_until

ALONE, NGINX, GATEWAY, HAPROXY, CADDY, PLAIN = "upstream alone", "nginx alone", "nginx + gateway", "HAProxy", "Caddy", "nginx + plain Go"
ALL = (ALONE, NGINX, GATEWAY, HAPROXY, CADDY, PLAIN)

# How many idle connections to the upstream each contender keeps, so that handshakes cost all of them the same.
KEPT = 512


@dataclass(frozen=True)
class Tools:
    """Paths of the programs, and environments of those that need one."""

    oha: Path
    nginx: Path
    gateway: Path
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


def certificates(settings):
    """Creates the files that the settings process would write, and a client certificate.
    All keys are P-256, and one authority signs certificates and CRL."""
    settings.mkdir(parents=True)
    (settings / "ca.cnf").write_text(
        "[ca]\ndefault_ca=a\n[a]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=30\n"
        "[client]\nextendedKeyUsage=clientAuth\n"
    )
    (settings / "index").touch()
    (settings / "number").write_text("01\n")

    def openssl(*words):
        result = subprocess.run(["openssl", *words], cwd=settings, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise Failed(f"openssl {' '.join(words)}:\n{result.stderr}")

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(
        "req", "-x509", *key, "-keyout", "authority.key", "-out", "client-authority.pem", "-days", "30", "-subj", "/O=Bench/CN=authority"
    )
    openssl(
        "req",
        "-x509",
        *key,
        "-keyout",
        "server.key",
        "-out",
        "server.pem",
        "-days",
        "30",
        "-subj",
        "/CN=localhost",
        "-addext",
        f"subjectAltName=DNS:{HOST}",
    )
    openssl("req", *key, "-keyout", "client.key", "-out", "client.csr", "-subj", "/O=Riverside Clinic/CN=workstation-1")
    openssl(
        "x509",
        "-req",
        "-in",
        "client.csr",
        "-CA",
        "client-authority.pem",
        "-CAkey",
        "authority.key",
        "-CAcreateserial",
        "-out",
        "client.pem",
        "-days",
        "30",
        "-extfile",
        "ca.cnf",
        "-extensions",
        "client",
    )
    openssl("ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "authority.key", "-cert", "client-authority.pem", "-out", "revoked.pem")


class Field:
    """The upstream and the contenders, which run at the same time, with or without client certificates. Use it as a context manager."""

    def __init__(self, tools, directory, names, certificate, upstream_scheme):
        self.tools, self.directory, self.certificate, self.scheme = tools, directory, certificate, upstream_scheme
        self.settings = directory / "settings"
        if not self.settings.exists():
            certificates(self.settings)
        self.stable, self.canary, self.fallback, alone = free_ports(4)
        self.started, self.contenders = [], {}
        try:
            self.stage = self._make_stage()
            self.upstream = [self._upstream(alone)]
            for name in names:
                start = {
                    ALONE: lambda port: self.upstream,
                    NGINX: self._nginx_alone,
                    GATEWAY: self.gateway,
                    HAPROXY: self._haproxy,
                    CADDY: self._caddy,
                    PLAIN: self._plain,
                }[name]
                self.add(name, start, alone if name == ALONE else free_ports(1)[0])
        except BaseException:
            self.close()
            raise

    def add(self, name, start, port=None):
        """Starts another contender with start(port), which returns its processes."""
        port = port or free_ports(1)[0]
        self.contenders[name] = Contender(name, port, start(port))
        self._prove(self.contenders[name])

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
        text = (install.HERE / "contenders" / template).read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        target = place / template
        target.write_text(text)
        return target

    def _make_stage(self):
        """Assembles the content of the edition's image like its Dockerfile. Production requires certificates and demo does not. limits.conf
        is always production's, because the load comes from one address and demo's limits are per address."""
        stage = self._place("stage")
        source = install.ROOT / "proxy" / "nginx"
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
        asks = (
            "ssl_client_certificate client-authority.pem; ssl_crl revoked.pem; ssl_verify_client on; ssl_verify_depth 2;"
            if self.certificate
            else ""
        )
        return self._nginx(
            "upstream",
            "upstream.conf",
            {"ALONE": alone, "BODY": "x" * 1024, "CLIENT_CERTIFICATES": asks, "UPSTREAM_TLS": "ssl" if self.scheme == "https" else ""},
        )

    def _nginx_alone(self, port):
        return [
            self._nginx(
                "nginxalone", "nginx.conf", {"PORT": port, "UPSTREAM": f"127.0.0.1:{self.stable}", "SCHEME": self.scheme, "KEPT": KEPT}
            )
        ]

    def _plain(self, port):
        place = self._place("nginx+plainGo")
        path = place / "socket"
        plain = self._start(place, "plain", [self.tools.plain, path, f"{self.scheme}://127.0.0.1:{self.stable}"])
        return [plain, self._nginx("nginx+plainGo", "nginx.conf", {"PORT": port, "UPSTREAM": f"unix:{path}", "SCHEME": "http", "KEPT": 64})]

    def gateway(self, port, name="gateway", binary=None, environment=None):
        """Starts nginx and the gateway as deployed. name, binary and environment are for comparing gateways."""
        place = self._place(name)
        edition = "production" if self.certificate else "demo"
        path = place / "gateway.sock"
        admin, health = free_ports(2)

        def at(upstream):
            return f"{self.scheme}://127.0.0.1:{upstream}"

        routes = self.settings / "routes.json"
        routes.write_text(
            json.dumps(
                {
                    "edition": edition,
                    "tenantRules": [{"cookie": "tenant"}],
                    "shards": {
                        "demo-1": {
                            "upstream": at(self.stable),
                            "health": "/health",
                            "fallback": at(self.fallback),
                            "canary": {"upstream": at(self.canary), "weight": 10},
                        }
                    },
                    "hosts": {HOST: "demo-1", "*.localhost": "demo-1"},
                    "default": "demo-1",
                }
            )
        )
        gateway = self._start(
            place,
            "gateway",
            [binary or self.tools.gateway],
            {
                **(environment or {}),
                "EDITION": edition,
                "GATEWAY_ROUTES": str(routes),
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
        wait_until(path.exists, "the gateway", gateway)
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
        asks = (
            f"ca-file {self.settings}/client-authority.pem crl-file {self.settings}/revoked.pem verify required" if self.certificate else ""
        )
        configuration = self._render(
            "haproxy.cfg",
            place,
            {"PORT": port, "CLIENT_CERTIFICATES": asks, "UPSTREAM_TLS": "ssl verify none" if self.scheme == "https" else ""},
        )
        command, environment = self.tools.haproxy
        return [self._start(place, "access", [command, "-db", "-f", configuration], environment)]

    def _caddy(self, port):
        place = self._place("Caddy")
        asks = (
            f"client_auth {{\n\t\t\tmode require_and_verify\n\t\t\ttrusted_ca_cert_file {self.settings}/client-authority.pem\n\t\t}}"
            if self.certificate
            else ""
        )
        secure = "tls_insecure_skip_verify" if self.scheme == "https" else ""
        configuration = self._render(
            "Caddyfile", place, {"PORT": port, "CLIENT_CERTIFICATES": asks, "SCHEME": self.scheme, "UPSTREAM_TLS": secure}
        )
        command, environment = self.tools.caddy
        return [
            self._start(
                place,
                "caddy",
                [command, "run", "--config", configuration, "--adapter", "caddyfile"],
                {**environment, "XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place)},
            )
        ]

    def _ask(self, port, certificate):
        context = ssl.create_default_context(cafile=self.settings / "server.pem")
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
        wait_until(lambda: self._ask(contender.port, self.certificate), contender.name, contender.processes[-1])
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
