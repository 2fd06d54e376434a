"""The Debian package and the service, installed into a copy of this machine's file system that nobody else sees."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "dist"

# A file system whose changes stay in memory, in namespaces of their own: what is installed there is gone with them. systemd is hidden,
# because it would start the service outside.
ELSEWHERE = """
mount -t tmpfs none {work}
mkdir {work}/changes {work}/scratch {work}/root
mount -t overlay overlay -o lowerdir=/,upperdir={work}/changes,workdir={work}/scratch {work}/root
mount -t proc proc {work}/root/proc
mount --rbind /dev {work}/root/dev
mount -t tmpfs none {work}/root/run
{bind}
exec /usr/sbin/chroot {work}/root bash -euxc '{script}'
"""


def elsewhere(work: Path, script: str, **files: Path) -> str:
    """What the script prints, run as root over a copy of this machine; `files` appear as `/NAME`."""
    work.mkdir()
    bind = "\n".join(f"touch {work}/root/{name}; mount --bind {path} {work}/root/{name}" for name, path in files.items())
    command = ["unshare", "--mount", "--net", "bash", "-euc", ELSEWHERE.format(work=work, bind=bind, script=script)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def package() -> Path:
    """The Debian package."""
    (found,) = DIST.glob("observatory_*_amd64.deb")
    return found


def test_dpkg_gives_program_unit_user_configuration_and_directory(package: Path, tmp_path: Path) -> None:
    script = """
        dpkg -i /package.deb
        observatory --version
        stat -c "%U %G %a" /var/lib/observatory
        getent passwd observatory
        systemd-analyze verify /usr/lib/systemd/system/observatory.service
        cd /
        setpriv --reuid=observatory --regid=observatory --clear-groups env -i \
            /usr/bin/observatory config check --config /etc/observatory/config.toml
        dpkg --verify observatory
    """
    said = elsewhere(tmp_path / "work", script, **{"package.deb": package})
    assert "observatory observatory 700" in said
    assert ":/var/lib/observatory:/usr/sbin/nologin" in said
    assert "/etc/observatory/config.toml: no mistakes" in said


def test_an_upgrade_keeps_the_configuration_and_purging_keeps_the_data(package: Path, tmp_path: Path) -> None:
    script = """
        dpkg -i /package.deb
        echo "# mine" >> /etc/observatory/config.toml
        touch /var/lib/observatory/kept
        dpkg -i /package.deb < /dev/null
        grep mine /etc/observatory/config.toml
        dpkg --purge observatory
        ls /var/lib/observatory
        ! ls /etc/observatory/config.toml /usr/bin/observatory /usr/lib/observatory
    """
    said = elsewhere(tmp_path / "work", script, **{"package.deb": package})
    assert "# mine\n" in said
    assert said.endswith("kept\n")


def test_the_package_holds_nothing_of_this_machine(package: Path) -> None:
    listed = subprocess.run(["dpkg-deb", "--contents", package], check=True, capture_output=True, text=True).stdout
    assert {line.split()[1] for line in listed.splitlines()} == {"root/root"}
    assert "__pycache__" not in listed


def test_the_executable_installs_itself_into_an_image(executable: Path, tmp_path: Path, runtime: Path) -> None:
    root = tmp_path / "image"
    said = subprocess.run([executable, "service", "install", "--root", root], check=True, capture_output=True, text=True).stdout
    installed = root / "usr/local/bin/observatory"
    assert installed.read_bytes() == executable.read_bytes()
    assert str(root / "etc/systemd/system/observatory.service") in said
    assert 'data = "/var/lib/observatory"' in (root / "etc/observatory/config.toml").read_text()
    assert (root / "var/lib/observatory").stat().st_mode & 0o777 == 0o700
    (root / "etc/observatory/config.toml").write_text("[server]\n")
    installed.write_bytes(b"an older one")
    for _ in range(2):
        subprocess.run([executable, "service", "install", "--root", root], check=True, capture_output=True)
    assert (root / "etc/observatory/config.toml").read_text() == "[server]\n"
    assert installed.read_bytes() == executable.read_bytes()
    assert (root / "usr/local/bin/observatory.previous").read_bytes() == b"an older one", "the way back"


def test_the_executable_makes_a_service_of_itself_and_takes_it_away_again(executable: Path, tmp_path: Path, runtime: Path) -> None:
    """systemd itself cannot run here: what is asked of it is written down instead."""
    asked = tmp_path / "systemctl"
    asked.write_text('#!/bin/sh\necho "$@" >> /asked\n')
    asked.chmod(0o755)
    script = """
        mkdir -p /run/systemd/system
        PATH=/:$PATH
        /observatory service install
        stat -c "%U %G %a" /var/lib/observatory
        getent passwd observatory
        systemd-analyze verify /etc/systemd/system/observatory.service
        touch /var/lib/observatory/kept
        /observatory service remove
        ls /var/lib/observatory /etc/observatory /usr/local/bin/observatory
        ! ls /etc/systemd/system/observatory.service
        ! /observatory service remove
        cat /asked
    """
    said = elsewhere(tmp_path / "work", script, observatory=executable, systemctl=asked)
    assert "It runs: `systemctl status observatory`" in said
    assert "observatory observatory 700" in said
    assert ":/var/lib/observatory:/usr/sbin/nologin" in said
    assert "removed; what stays: /usr/local/bin/observatory" in said
    assert "\nkept\n" in said
    installed = ["daemon-reload", "enable --quiet observatory", "restart observatory"]
    assert said.splitlines()[-5:] == [*installed, "disable --now --quiet observatory", "daemon-reload"]


def test_the_unit_is_hardened(executable: Path, tmp_path: Path, runtime: Path) -> None:
    unit = tmp_path / "observatory.service"
    unit.write_text(subprocess.run([executable, "service", "print"], check=True, capture_output=True, text=True).stdout)
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", unit]
    subprocess.run(command, check=True, capture_output=True)  # 20: an exposure of 2.0 of 10
