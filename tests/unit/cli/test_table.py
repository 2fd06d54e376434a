"""Tables: aligned, clipped only when they must be, and never obeyed by the terminal."""

from __future__ import annotations

from hypothesis import given, strategies as st

from observatory.cli import table

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.text(max_size=30), st.lists(st.integers(), max_size=3)
)


def test_numbers_stand_right_and_text_left() -> None:
    assert table.render(["model", "n"], [["gpt-4.1", 5], ["llama", None], ["模型", 1234]]).splitlines() == [
        "model       n",
        "───────  ────",
        "gpt-4.1     5",
        "llama",
        "模型     1234",
    ]


def test_no_rows_still_show_the_columns() -> None:
    assert table.render(["a", "bb"], []).splitlines() == ["a  bb", "─  ──"]


def test_long_cells_are_clipped_only_for_a_terminal_that_is_too_narrow() -> None:
    rows = [["x" * 100, 1]]
    assert "x" * 100 in table.render(["a", "b"], rows)
    assert "x" * 100 in table.render(["a", "b"], rows, width=200)
    clipped = table.render(["a", "b"], rows, width=80)
    assert "x" * (table.CLIP - 1) + "…" in clipped
    assert "x" * table.CLIP not in clipped


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_every_row_is_one_printable_line(rows: list[tuple[object, object]]) -> None:
    lines = table.render(["first", "second"], rows).split("\n")
    assert len(lines) == len(rows) + 2
    assert all(line.isprintable() for line in lines)
