"""What people save: durable, told by kind, bounded, and still there when the manifest has to be made again."""

from __future__ import annotations

from pathlib import Path

import pytest
from storage_makers import NOW

from observatory.errors import BadRequest
from observatory.storage import saved
from observatory.storage.manifest import Manifest
from observatory.storage.rebuild import rebuild
from observatory.storage.saved import Document, Saved

BODY = {"query": "SELECT 1", "chart": None}


@pytest.fixture
def manifest(tmp_path: Path):
    opened = Manifest.open(tmp_path, NOW)
    yield opened
    opened.close()


def test_a_document_survives_a_restart(tmp_path: Path, manifest: Manifest) -> None:
    Saved(manifest).put("query", "a/b: ü", BODY, NOW)
    manifest.close()
    again = Manifest.open(tmp_path, NOW)
    assert Saved(again).get("query", "a/b: ü") == Document("query", "a/b: ü", BODY, NOW)
    again.close()


def test_a_kind_lists_its_own_by_name(manifest: Manifest) -> None:
    kept = Saved(manifest)
    manifest.set("reprice", "not a document")
    for kind, name in (("query", "b"), ("view", "a"), ("query", "a"), ("query2", "c"), ("query", "b")):
        kept.put(kind, name, BODY, NOW)
    assert [each.name for each in kept.list("query")] == ["a", "b"]
    assert [each.name for each in kept.list("view")] == ["a"]
    assert kept.list("nothing") == []


def test_putting_replaces_and_deleting_forgets(tmp_path: Path, manifest: Manifest) -> None:
    kept = Saved(manifest)
    kept.put("query", "a", BODY, NOW)
    kept.put("query", "a", {"query": "SELECT 2"}, NOW + 1)
    assert kept.get("query", "a") == Document("query", "a", {"query": "SELECT 2"}, NOW + 1)
    assert kept.delete("query", "a") and not kept.delete("query", "a")
    manifest.close()
    again = Manifest.open(tmp_path, NOW)
    assert Saved(again).get("query", "a") is None
    again.close()


def test_one_too_many_is_refused_and_replacing_is_not(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST", 2)
    kept = Saved(manifest)
    kept.put("query", "a", BODY, NOW)
    kept.put("view", "b", BODY, NOW)
    with pytest.raises(BadRequest, match="2 documents are saved already"):
        kept.put("query", "c", BODY, NOW)
    kept.put("query", "a", {}, NOW)
    kept.delete("view", "b")
    kept.put("query", "c", BODY, NOW)


def test_a_manifest_made_again_has_them_still(tmp_path: Path, manifest: Manifest) -> None:
    Saved(manifest).put("query", "a", BODY, NOW)
    manifest.close()
    rebuild(tmp_path, NOW)
    again = Manifest.open(tmp_path, NOW)
    assert Saved(again).get("query", "a") == Document("query", "a", BODY, NOW)
    again.close()
