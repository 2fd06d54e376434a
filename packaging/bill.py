"""What the executable is made of: a bill of materials (CycloneDX 1.6) and the licences, taken from the files PyInstaller collected."""

from __future__ import annotations

import ast
import json
import platform
import subprocess
import sysconfig
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from typing import Any

MATERIALS, LICENCES = "sbom.cdx.json", "THIRD-PARTY-LICENSES.txt"


@dataclass(frozen=True, order=True)
class Part:
    """One thing of somebody else's that is inside."""

    name: str
    version: str
    purl: str
    licence: str
    texts: tuple[str, ...] = field(compare=False)


def write(analysis: Path, root: Path, target: Path) -> list[Path]:
    """Write both into `target`; `analysis` is PyInstaller's table of what it collected."""
    parts = sorted(set(collected(analysis)) | set(of_page(root / "web")) | set(glibc()) | {prices()})
    unlicensed = [part.name for part in parts if not part.texts]
    if unlicensed:
        raise SystemExit(f"no licence text was found of: {', '.join(unlicensed)}")
    materials, licences = target / MATERIALS, target / LICENCES
    materials.write_text(json.dumps(document(parts), indent=1) + "\n")
    rule = "=" * 100
    said = [f"{rule}\n{part.name} {part.version}: {part.licence}\n{rule}\n\n" + "\n\n".join(part.texts) for part in parts]
    licences.write_text("LLM Observatory contains these works of others.\n\n" + "\n\n".join(said) + "\n")
    return [materials, licences]


def document(parts: Iterable[Part]) -> dict[str, Any]:
    """The bill as CycloneDX says it."""
    ours = {"type": "application", "bom-ref": "llm-observatory", "name": "llm-observatory", "version": version("llm-observatory")}
    components = [
        {
            "type": "library",
            "bom-ref": part.purl,
            "name": part.name,
            "version": part.version,
            "purl": part.purl,
            "licenses": [{"license": {"name": part.licence}}],
        }
        for part in parts
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(part.purl for part in parts))}",
        "version": 1,
        "metadata": {"timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "component": ours},
        "components": components,
        "dependencies": [{"ref": "llm-observatory", "dependsOn": [part.purl for part in parts]}],
    }


def collected(analysis: Path) -> Iterator[Part]:
    """The owners of every file that went in: Python packages, packages of the system, Python itself."""
    owners = {path: found for found in distributions() for path in _files(found)}
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    strangers: set[Path] = set()
    for path in _sources(ast.literal_eval(analysis.read_text())):
        owner = owners.get(path)
        if owner is not None and _name(owner) not in ("llm-observatory", "pyinstaller"):
            yield _python_part(owner)
        elif owner is None and path.is_absolute() and standard not in path.parents:
            strangers.add(path)
    licence = (standard / "LICENSE.txt").read_text()
    yield Part("cpython", platform.python_version(), f"pkg:generic/cpython@{platform.python_version()}", "PSF-2.0", (licence,))
    pyinstaller = next(found for found in distributions() if _name(found) == "pyinstaller")
    yield _python_part(pyinstaller)  # its loader is inside
    yield from debian([path for path in strangers if path.suffix == ".so" or ".so." in path.name])


def of_page(web: Path) -> Iterator[Part]:
    """The packages bundled into the page."""
    for place, said in json.loads((web / "package-lock.json").read_text())["packages"].items():
        if not place or said.get("dev") or "/@types/" in place or place.endswith("csstype"):  # types leave nothing in the bundle
            continue
        name = place.rpartition("node_modules/")[2]
        texts = tuple(path.read_text() for path in sorted((web / place).glob("[Ll][Ii][Cc][Ee][Nn]*")) if path.is_file())
        purl = f"pkg:npm/{name.replace('@', '%40')}@{said['version']}"
        yield Part(name, said["version"], purl, said["license"], texts or (f"Licence as its package says: {said['license']}",))


def glibc() -> Iterator[Part]:
    """The C library, which the one-file executable carries."""
    import onefile

    return debian([onefile.system_library(name) for name in onefile.GLIBC])


def prices() -> Part:
    """The table of prices is compiled from this package's data."""
    return _python_part(next(found for found in distributions() if _name(found) == "genai-prices"))


def debian(paths: Iterable[Path]) -> Iterator[Part]:
    """The packages of the system that libraries come from."""
    for path in sorted(set(paths)):
        for place in (
            path,
            Path("/usr") / path.relative_to("/"),
            Path("/") / path.relative_to("/usr") if path.is_relative_to("/usr") else path,
        ):
            said = subprocess.run(["dpkg-query", "--search", str(place)], capture_output=True, text=True).stdout
            if said:
                break
        else:
            continue  # part of Python, whose licence is listed
        package = said.split(":")[0]
        number = subprocess.run(["dpkg-query", "-f", "${Version}", "-W", package], capture_output=True, text=True, check=True).stdout
        text = Path("/usr/share/doc", package, "copyright")
        yield Part(
            package, number, f"pkg:deb/debian/{package}@{number}", "see text", (text.read_text(errors="replace"),) if text.exists() else ()
        )


def _python_part(found: Distribution) -> Part:
    about = found.metadata
    licence = about.get("License-Expression") or about.get("License") or ""
    if not licence or "\n" in licence or len(licence) > 80:
        told = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if line.startswith("License")]
        licence = ", ".join(told) or licence.partition("\n")[0][:80] or "see text"
    marks = ("licen", "copying", "notice")
    files = [file for file in found.files or () if file.name.lower().startswith(marks) and "dist-info" in str(file)]
    texts = tuple(dict.fromkeys(Path(str(file.locate())).read_text(errors="replace") for file in sorted(files, key=str)))
    name = _name(found)
    return Part(name, found.version, f"pkg:pypi/{name}@{found.version}", licence, texts or (f"Licence as its package says: {licence}",))


def _name(found: Distribution) -> str:
    return found.metadata["Name"].lower().replace("_", "-")


def _files(found: Distribution) -> Iterator[Path]:
    for file in found.files or ():
        yield Path(str(file.locate())).resolve()


def _sources(table: Any) -> Iterator[Path]:
    """Every file named in PyInstaller's nested tuples."""
    if isinstance(table, str):
        if table.startswith("/") and Path(table).is_file():
            yield Path(table).resolve()
    elif isinstance(table, list | tuple):
        for item in table:
            yield from _sources(item)
