"""The project itself: what is installed, what is declared, what the pages say, and that it speaks of nothing but itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    """Normalised distribution names of requirement lines."""
    return {re.split(r"[<>=!~\[; ]", line)[0].lower().replace("_", "-") for line in requirements}


BASE = names(PROJECT["dependencies"])
SERVER = names(PROJECT["optional-dependencies"]["server"])
DEV = names(PROJECT["optional-dependencies"]["dev"])
DIST = names(PROJECT["optional-dependencies"]["dist"])


@cache
def files() -> tuple[Path, ...]:
    """What is in the repository, or would be."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
        return tuple(path for path in (ROOT / name for name in listed.split("\0") if name) if path.is_file())
    except (OSError, subprocess.CalledProcessError):  # a source archive without git
        return tuple(p for p in ROOT.rglob("*") if p.is_file() and not {".venv", "node_modules", "build"} & set(p.parts))


def texts() -> Iterator[tuple[Path, str]]:
    for path in files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_an_application_pulls_in_opentelemetry_and_nothing_else() -> None:
    """Each with what it needs itself: protobuf and typing-extensions, no HTTP client, nothing compiled but protobuf."""
    assert {"opentelemetry-api", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-common"} == BASE
    assert set(imported(ROOT / "observatory/sdk")) <= BASE | {"grpcio"}, "grpcio is imported only where gRPC is asked for"


def test_every_library_of_the_table_has_an_extra_with_its_first_choice() -> None:
    from observatory.sdk.instrument.table import LIBRARIES

    extras = PROJECT["optional-dependencies"]
    for library in LIBRARIES:
        if library.kind != "context":
            first = library.packages[0]
            fitting = {package.distribution for package in library.packages}
            assert first.call or names(extras[library.name]) & fitting, library.name


def test_what_the_executable_leaves_out_is_imported_nowhere() -> None:
    """A command may import when it runs; only this sees that it would fail where there is no Python around it."""
    spec = ast.parse((ROOT / "packaging/observatory.spec").read_text())
    lists = {ast.unparse(node.targets[0]): node.value for node in spec.body if isinstance(node, ast.Assign)}
    unused = ast.literal_eval(lists["UNUSED_MODULES"])
    used = {
        name
        for path in files()
        if path.is_relative_to(ROOT / "observatory") and path.suffix == ".py" and "testing" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None) or ""])
    }
    missing = {name for name in used for module in unused if name == module or name.startswith(f"{module}.")}
    assert missing <= {"genai_prices"}, "imported by the command that compiles the price table, in development only"


def imported(folder: Path) -> dict[str, set[str]]:
    """Distributions that the Python files below `folder` import, each with the files that do."""
    owners = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in files():
        # programs of environments of their own are in `apps`: tests/sdk/requirements
        if not path.is_relative_to(folder) or path.suffix != ".py" or "apps" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for module in modules:
                top = module.partition(".")[0]
                if top in sys.stdlib_module_names or top == "observatory":
                    continue
                owner = _owner(module, [name.lower().replace("_", "-") for name in owners.get(top, [top])])
                found.setdefault(owner, set()).add(str(path.relative_to(ROOT)))
    return found


def _owner(module: str, candidates: list[str]) -> str:
    """The distribution of a module; namespace packages have many, which their second name tells apart."""
    spaces = {
        "opentelemetry.sdk": "opentelemetry-sdk",
        "opentelemetry.proto": "opentelemetry-proto",
        "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry.exporter.otlp.proto.common": "opentelemetry-exporter-otlp-proto-common",
        "opentelemetry.exporter.otlp.proto.grpc": "opentelemetry-exporter-otlp-proto-grpc",
        "cyclonedx": "cyclonedx-python-lib",  # known also where the extra `dist` is not installed
        "google.protobuf": "protobuf",
        "google.rpc": "googleapis-common-protos",
        "opentelemetry": "opentelemetry-api",
    }
    for space, owner in spaces.items():
        if module == space or module.startswith(space + "."):
            return owner
    return candidates[0]


def test_what_the_package_imports_is_declared() -> None:
    undeclared = {name: where for name, where in imported(ROOT / "observatory").items() if name not in BASE | SERVER}
    assert not undeclared


def test_what_tests_and_benchmarks_import_is_declared() -> None:
    local = {path.stem.replace("_", "-") for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")} | {
        "tests",
        "benchmarks",
    }
    for folder in ("tests", "benchmarks"):
        undeclared = {name: where for name, where in imported(ROOT / folder).items() if name not in BASE | SERVER | DEV | DIST | local}
        assert not undeclared


def test_what_is_declared_is_used() -> None:
    used = set(imported(ROOT / "observatory"))
    runtime_only = {"protobuf", "opentelemetry-api"}  # the message classes and the SDK need them
    assert used | runtime_only >= SERVER | BASE


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs/DEPENDENCIES.md").read_text()
    explained = {name.strip() for row in re.findall(r"^\| ([^|]+) \|", page, re.M) for name in row.split(",")}
    assert explained >= BASE | SERVER | DEV | DIST
    web = (ROOT / "web/package.json").read_text()
    for name in re.findall(r'^    "([@\w][^"]*)": "[\^~]?\d', web, re.M):
        assert name in page or f"{name.partition('/')[0]}/*" in page or name.removeprefix("@tanstack/") in page, name


def test_it_says_its_licence() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert PROJECT["license"] == "Apache-2.0"


def test_typed_and_executable() -> None:
    assert (ROOT / "observatory/py.typed").exists()
    assert PROJECT["scripts"] == {"observatory": "observatory.cli.main:main"}
    for script in ("run", "test", "pytest", "need"):
        assert (ROOT / ".ci" / script).stat().st_mode & 0o111, f".ci/{script} is not executable"


# The project speaks of itself alone: no place on somebody's machine, no registry that was used to install something.
PLACES = re.compile(r"(?<![\w.$}-])/(?:work|root|home/\w+|Users/\w+)/|registry\.npmjs\.org|pythonhosted\.org|npmmirror|artifactory", re.I)


def test_no_file_names_a_machine_or_a_registry() -> None:
    this = Path(__file__).resolve()
    found = [f"{path.relative_to(ROOT)}: {m[0]}" for path, text in texts() if path.resolve() != this for m in [PLACES.search(text)] if m]
    assert not found


@pytest.mark.parametrize("lock", [path for path in files() if path.name == "package-lock.json"], ids=lambda path: path.parent.name)
def test_lock_files_name_no_host(lock: Path) -> None:
    said = lock.read_text()
    assert '"resolved"' not in said
    assert '"integrity"' in said


def test_init_files_hold_only_a_docstring() -> None:
    face = ROOT / "observatory/__init__.py"  # of the SDK, which imports lazily
    for path in set((ROOT / "observatory").rglob("__init__.py")) - {face}:
        tree = ast.parse(path.read_text())
        assert len(tree.body) == 1, path
        assert ast.get_docstring(tree), path


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [path for path in files() if path.suffix == ".md"]:
        targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        inside = [target for target in targets if not re.match(r"[a-z]+:", target)]
        broken += [f"{page.relative_to(ROOT)}: {target}" for target in inside if not (page.parent / target).exists()]
    assert not broken
