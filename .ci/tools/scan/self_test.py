"""self_test.py SBOM-DIRECTORY: checks that .ci/scan-dependencies reports every component of the four files, every package that
the tools need and every kind of package in an image if an advisory affects its version, and nothing otherwise."""

import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

SCAN = pathlib.Path(__file__).parents[2] / "scan-dependencies"
FILES = {"maven": "Maven", "npm": "npm", "go": "Go", "python": "PyPI"}


def known_as(ecosystem, component):
    """Returns a component's name and version in OSV."""
    name, version = component["name"], component["version"]
    if ecosystem == "Maven":
        return f"{component['group']}:{name}", version
    if ecosystem == "npm" and component.get("group"):
        return f"{component['group']}/{name}", version
    if ecosystem == "Go":
        return "stdlib" if name == "std" else name, re.sub("^(v|go)", "", version)
    if ecosystem == "PyPI":
        return re.sub("[-_.]+", "-", name).lower(), version
    return name, version


def of_tools():
    """Yields the packages in .ci/tools/*/go.mod and requirements.txt as (ecosystem, name, version). osv-scanner 2.5.1 misses Go modules
    with capitals in their name; see docs/limits.md."""
    for file in SCAN.parent.glob("tools/*/go.mod"):
        found = re.findall(r"^\t(\S+) v(\S+)", file.read_text(), re.MULTILINE)
        yield from (("Go", name, version) for name, version in found if name == name.lower())
    for file in SCAN.parent.glob("tools/*/requirements.txt"):
        yield from (("PyPI", name, version) for name, version in re.findall(r"^([\w.-]+)==(\S+)", file.read_text(), re.MULTILINE))


def database(directory, packages, last_event):
    """Creates advisories TEST-1, TEST-2, … for each (ecosystem, name, version). They affect all earlier versions,
    and that version itself if last_event is last_affected (not if it is fixed)."""
    archives = {}
    for number, (ecosystem, name, version) in enumerate(packages, 1):
        kind = "SEMVER" if ecosystem in ("Go", "npm") else "ECOSYSTEM"
        advisory = {
            "schema_version": "1.6.0",
            "id": f"TEST-{number}",
            "modified": "2026-01-01T00:00:00Z",
            "summary": "made up",
            "affected": [
                {
                    "package": {"ecosystem": ecosystem, "name": name},
                    "ranges": [{"type": kind, "events": [{"introduced": "0"}, {last_event: version}]}],
                }
            ],
        }
        archives.setdefault(ecosystem.split(":")[0], {})[f"TEST-{number}.json"] = json.dumps(advisory)
    for ecosystem, advisories in archives.items():
        archive = directory / "osv-scalibr" / ecosystem / "all.zip"
        archive.parent.mkdir(parents=True)
        archive.write_bytes(zipped(advisories))
    directory.mkdir(exist_ok=True)
    return directory


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def tarred(files):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def image(file):
    """Creates an image in the format of `docker save`: Debian 13 with one package, whose source package has another name, and one jar."""
    layer = tarred(
        {
            "etc/os-release": b'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n',
            "var/lib/dpkg/status": b"Package: libmade1\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: amd64\n"
            b"Source: made (1.0-1)\nVersion: 1.0-1+b1\nDescription: made up\n\n",
            "opt/clinic/lib/thing.jar": zipped(
                {"META-INF/maven/org.example/thing/pom.properties": "groupId=org.example\nartifactId=thing\nversion=1.2.3\n"}
            ),
        }
    )
    layer_id = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + layer_id]}}
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["made:1"], "Layers": [layer_id + ".tar"]}]).encode()
    file.write_bytes(tarred({"config.json": config, layer_id + ".tar": layer, "manifest.json": manifest}))
    return file


def expect(what, status, reported, *arguments):
    """Runs the scan. reported has the numbers of exactly those advisories that its output must name."""
    run = subprocess.run([SCAN, *arguments], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    numbers = {int(number) for number in re.findall(r"TEST-(\d+)", run.stdout)}
    if run.returncode != status or numbers != set(reported):
        print(run.stdout, file=sys.stderr)
        sys.exit(
            f"scan-dependencies: {what}: exited with {run.returncode}, expected {status}; "
            f"missing: {sorted(set(reported) - numbers)}; unexpected: {sorted(numbers - set(reported))}"
        )
    print(f"{what}: ok")


def main(sboms):
    packages = list(of_tools())
    for file, ecosystem in FILES.items():
        components = json.loads((sboms / f"{file}.json").read_text())["components"]
        packages += [(ecosystem, *known_as(ecosystem, component)) for component in components]
    packages = sorted(set(packages))
    names = [package[:2] for package in packages]
    unique = [
        package for package in packages if names.count(package[:2]) == 1
    ]  # with two versions, a fix in the higher one would rightly be reported for the lower
    in_image = [("Debian:13", "made", "1.0-1+b1"), ("Maven", "org.example:thing", "1.2.3")]
    after_it = [("Debian:13", "made", "1.0-1+b2"), ("Maven", "org.example:thing", "1.2.4")]
    elsewhere = [("Debian:12", "made", "1.0-1+b2"), ("Maven", "org.example:other", "1.2.4")]
    with tempfile.TemporaryDirectory() as directory:
        made = pathlib.Path(directory)
        archive = image(made / "made.tar")
        expect(
            f"an advisory for each of {len(packages)} packages",
            1,
            range(1, len(packages) + 1),
            "--database",
            database(made / "1", packages, "last_affected"),
            sboms,
        )
        expect(
            f"{len(unique)} advisories that are fixed in our versions", 0, [], "--database", database(made / "2", unique, "fixed"), sboms
        )
        for file, ecosystem in FILES.items():
            others = [package for package in unique if package[0] != ecosystem]
            expect(f"advisories of {ecosystem} cannot be read", 3, [], "--database", database(made / file, others, "fixed"), sboms)
        expect(
            "advisories that are not fixed in an image",
            1,
            [1, 2],
            "--database",
            database(made / "3", after_it, "fixed"),
            "--images",
            archive,
        )
        expect("advisories that are fixed in an image", 0, [], "--database", database(made / "4", in_image, "fixed"), "--images", archive)
        expect(
            "advisories for an image without a fix",
            0,
            [1, 2],
            "--database",
            database(made / "5", in_image, "last_affected"),
            "--images",
            archive,
        )
        expect(
            "advisories for another release of Debian and another jar",
            0,
            [],
            "--database",
            database(made / "6", elsewhere, "fixed"),
            "--images",
            archive,
        )
        expect(
            "an image, and advisories of Debian cannot be read",
            3,
            [],
            "--database",
            database(made / "7", elsewhere[1:], "fixed"),
            "--images",
            archive,
        )
        expect("an image, and advisories cannot be read", 3, [], "--database", database(made / "8", [], "fixed"), "--images", archive)
    print("the scan finds exactly what it should")


main(pathlib.Path(sys.argv[1]))
