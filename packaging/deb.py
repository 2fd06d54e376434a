"""The Debian package: program, unit, user, configuration and data directory. It needs no package but what every Debian has."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import bill
import onefile

from observatory.cli import service

HOME = Path("usr/lib/observatory")
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]

CONTROL = """\
Package: observatory
Version: {version}
Architecture: {architecture}
Maintainer: LLM Observatory
Section: admin
Priority: optional
Depends: passwd
Installed-Size: {size}
Description: shows what LLM applications do, cost and get wrong
 Receives OpenTelemetry, makes every span durable before it acknowledges it,
 stores columns on local disk and shows them on a page of its own. It needs
 no other server and no connection to the internet.
"""

AFTER_INSTALL = """\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    getent passwd observatory >/dev/null ||
        useradd --system --user-group --shell /usr/sbin/nologin --home-dir /var/lib/observatory --no-create-home observatory
    install -d -m 0700 -o observatory -g observatory /var/lib/observatory
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable --quiet observatory
        systemctl restart observatory || echo "observatory did not start; journalctl -u observatory says why" >&2
    fi
fi
"""

BEFORE_REMOVE = """\
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now --quiet observatory
fi
"""

AFTER_REMOVE = """\
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
if [ "$1" = purge ] && [ -d /var/lib/observatory ]; then
    echo "observatory: what was stored stays in /var/lib/observatory; delete it yourself if nobody needs it" >&2
fi
"""


def build(tree: Path, root: Path, work: Path, target: Path, version: str) -> Path:
    """Make the package of a directory PyInstaller made. `work` is used up."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(tree, work / HOME, symlinks=True)
    onefile.carry_glibc(work / HOME, f"/{HOME}/_internal/glibc/{onefile.LOADER}")
    (work / "usr/bin").mkdir()
    (work / "usr/bin/observatory").symlink_to(f"../../{HOME}/observatory")
    _write(work / "usr/lib/systemd/system/observatory.service", service.unit(Path("/usr/bin/observatory")))
    _write(work / "etc/observatory/config.toml", service.configuration())
    about = work / "usr/share/doc/observatory"
    _write(about / "copyright", (root / "LICENSE").read_text())
    (work / HOME / "_internal" / bill.LICENCES).replace(about / bill.LICENCES)
    size = sum(path.lstat().st_size for path in work.rglob("*")) // 1024
    _write(work / "DEBIAN/control", CONTROL.format(version=version, size=size, architecture=ARCHITECTURE))
    _write(work / "DEBIAN/conffiles", "/etc/observatory/config.toml\n")
    for name, script in (("postinst", AFTER_INSTALL), ("prerm", BEFORE_REMOVE), ("postrm", AFTER_REMOVE)):
        _write(work / "DEBIAN" / name, script)
        (work / "DEBIAN" / name).chmod(0o755)
    made = target / f"observatory_{version}_{ARCHITECTURE}.deb"
    # every dpkg reads gzip; xz is 15 MB smaller and takes a minute more
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z6", "--build", str(work), str(made)], check=True, stdout=subprocess.DEVNULL
    )
    return made


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
