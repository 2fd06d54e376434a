"""What the documentation has beside `docs/`: pages from elsewhere in the project, and scripts that its content security policy allows."""

from __future__ import annotations

import argparse
import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
COPIED = {"index.md": "README.md", "CHANGELOG.md": "CHANGELOG.md", "FORMAT.md": "observatory/storage/FORMAT.md"}
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README, the changelog and the generated pages."""
    pages = {name: (ROOT / source).read_text() for name, source in COPIED.items()}
    pages |= {"CONFIGURATION.md": configuration(), "COMMANDS.md": commands(), "MODULES.md": modules()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as they are right in the repository become links of the site; to what is not on the site they become plain text."""
    home = (ROOT / COPIED.get(page.file.src_uri, f"docs/{page.file.src_uri}")).parent
    at = {(ROOT / source).resolve(): name for name, source in COPIED.items()} | {ROOT / "config.toml": "CONFIGURATION.md"}

    def moved(found: re.Match[str]) -> str:
        text, target, place = found[1], found[2], found[3] or ""
        if re.match(r"[a-z]+:|/", target):
            return found[0]
        path = (home / target).resolve()
        name = at.get(path) or (path.relative_to(ROOT / "docs").as_posix() if path.is_relative_to(ROOT / "docs") else None)
        return f"[{text}]({name}{place})" if name and not name.endswith(".json") else text

    return _LINK.sub(moved, markdown.replace("](docs/screenshots/", "](screenshots/") if home == ROOT else markdown)


def on_post_page(output: str, page: Any, config: MkDocsConfig) -> str:
    """Scripts inside pages become files, because a page may run only files of its own server."""
    up = "../" * page.url.count("/")

    def filed(found: re.Match[str]) -> str:
        name = f"assets/javascripts/inline-{hashlib.sha256(found[1].encode()).hexdigest()[:12]}.js"
        path = Path(config.site_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found[1])
        return f'<script src="{up}{name}"></script>'

    return _SCRIPT.sub(filed, output)


def configuration() -> str:
    """Every key under a heading of its own, so that search leads to it: its meaning, its default, its name in the environment."""
    head, *blocks = (ROOT / "config.toml").read_text().rstrip().split("\n\n")
    prose = re.sub(r"^# ?", "", head, flags=re.MULTILINE).partition("\n")[2]
    parts, section = ["# Configuration\n", re.sub(r"OBSERVATORY_[^\s,)]+", r"`\g<0>`", prose) + "\n"], ""
    for block in blocks:
        *comment, line = block.splitlines()
        said = "\n".join(text.removeprefix("# ") for text in comment)
        if line.startswith("["):
            section = line.strip("[]")
            parts.append(f"## {section}\n\n{said}\n")
        else:
            key = line.removeprefix("# ").partition(" =")[0]
            variable = f"OBSERVATORY_{section}__{key}".upper()
            parts.append(f"### {section}.{key}\n\n{said}\n\n```toml\n{line}\n```\n\n`{variable}`\n")
    return "\n".join(parts)


def commands() -> str:
    """What `--help` says of each command."""
    from observatory.cli.main import parser

    return "# Commands\n\n" + "\n".join(_helps(parser(), 1))


def _helps(command: argparse.ArgumentParser, depth: int) -> Iterator[str]:
    """Its own help, then that of the commands below it."""
    heading = f"{'#' * min(depth, 3)} {command.prog}\n\n" if depth > 1 else ""
    yield f"{heading}```text\n{command.format_help()}```\n"
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _helps(below, depth + 1)


def modules() -> str:
    """Every public name of the package, with the first paragraph of what it promises."""
    parts = ["# Python modules\n\nWhat each public name promises; the whole promise stands beside the code.\n"]
    for path in sorted((ROOT / "observatory").rglob("*.py")):
        tree = ast.parse(path.read_text())
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        parts.append(f"## `{name}`\n\n{_paragraph(tree)}\n")
        parts += [f"- **`{public.name}`** {_paragraph(public)}" for public in _public(tree)]
        parts.append("")
    return "\n".join(parts)


def _public(tree: ast.Module) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def _paragraph(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    return re.sub(r"([<>|*_\[\]])(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\\1", text)
