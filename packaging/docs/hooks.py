"""What the documentation has beside `docs/`: pages from elsewhere in the project, and scripts that its content security policy allows."""

from __future__ import annotations

import ast
import hashlib
import re
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
    """Every key with its default and its meaning."""
    return f"# Configuration\n\n```toml\n{(ROOT / 'config.toml').read_text()}```\n"


def commands() -> str:
    """What `--help` says of each command."""
    from observatory.cli.main import parser

    root = parser()
    parts = [f"# Commands\n\n```text\n{root.format_help()}```\n"]
    for action in root._actions:
        for name, command in (action.choices or {}).items() if hasattr(action, "add_parser") else ():
            parts.append(f"## observatory {name}\n\n```text\n{command.format_help()}```\n")
    return "\n".join(parts)


def modules() -> str:
    """Every public name of the package, with the first paragraph of what it promises."""
    parts = ["# Python modules\n\nWhat each public name promises; the whole promise stands beside the code.\n"]
    for path in sorted((ROOT / "observatory").rglob("*.py")):
        tree = ast.parse(path.read_text())
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        parts.append(f"## {name}\n\n{_paragraph(tree)}\n")
        parts += [f"- **`{public.name}`** {_paragraph(public)}" for public in _public(tree)]
        parts.append("")
    return "\n".join(parts)


def _public(tree: ast.Module) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def _paragraph(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    return re.sub(r"([<>|*_\[\]])(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\\1", text)
