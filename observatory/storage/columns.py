"""Which columns a query may need, by its parse tree: names it mentions, or all when it takes rows whole."""

from __future__ import annotations

import json
from typing import Any

import duckdb

_WHOLE = {"STAR", "POSITIONAL_REFERENCE", "SHOW_REF"}


def needed(con: duckdb.DuckDBPyConnection, query: str) -> set[str] | None:
    """Lower-case names that contain every column the query can reach, or None when it can reach any. Never too few, often some too many."""
    tree = json.loads(con.execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0])
    if tree.get("error"):
        return None
    names: set[str] = set()
    relations: set[str] = set()
    alone: set[str] = set()
    if not _gather(tree["statements"], names, relations, alone):
        return None
    # a relation's name used as a value is its whole row
    return None if alone & relations else names


def _gather(node: Any, names: set[str], relations: set[str], alone: set[str]) -> bool:
    """False when a node takes whole rows."""
    if isinstance(node, str):
        names.add(node.lower())
    elif isinstance(node, list):
        return all(_gather(item, names, relations, alone) for item in node)
    elif isinstance(node, dict):
        if str(node.get("type")) in _WHOLE or node.get("ref_type") == "NATURAL" or node.get("column_name_alias"):
            return False
        if "class" not in node:  # a relation, not an expression
            relations.update(str(node.get(key) or "").lower() for key in ("table_name", "alias"))
        parts = node.get("column_names")
        if isinstance(parts, list) and len(parts) == 1:
            alone.add(str(parts[0]).lower())
        return all(_gather(item, names, relations, alone) for item in node.values())
    return True
