"""What the receiver did not take lies in a bounded file, outlives the process and is sent in order."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, strategies as st

from observatory.sdk.outbox import Outcome
from observatory.sdk.spool import Spool


class Receiver:
    def __init__(self, *answers: Outcome) -> None:
        self.answers, self.got = list(answers), []

    def post(self, signal: str, body: bytes) -> Outcome:
        outcome = self.answers.pop(0) if self.answers else Outcome.SENT
        if outcome is not Outcome.LATER:
            self.got.append((signal, body))
        return outcome


def test_what_is_spooled_is_sent_once_in_order_and_the_file_is_empty(tmp_path: Path) -> None:
    spool, receiver = Spool(str(tmp_path / "spool"), 1 << 20), Receiver()
    for i in range(20):
        assert spool.add("traces" if i % 2 else "logs", b"%d" % i)
    assert spool.drain(receiver) is Outcome.SENT
    assert len(receiver.got) == 16
    spool.drain(receiver)
    assert [body for _, body in receiver.got] == [b"%d" % i for i in range(20)]
    spool.drain(receiver)
    assert (tmp_path / "spool").stat().st_size == 0
    assert spool.waiting == 0


def test_it_stops_at_its_bound_and_says_how_much_it_left_out(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"), 100)
    assert spool.add("traces", b"x" * 80)
    assert not spool.add("traces", b"x" * 80)
    assert spool.refused == 1
    assert (tmp_path / "spool").stat().st_size <= 100


def test_the_next_process_sends_what_the_last_one_left(tmp_path: Path) -> None:
    first = Spool(str(tmp_path / "spool"), 1 << 20)
    first.add("traces", b"left behind")
    first.close()
    receiver = Receiver()
    Spool(str(tmp_path / "spool"), 1 << 20).drain(receiver)
    assert receiver.got == [("traces", b"left behind")]


def test_two_processes_do_not_share_a_file(tmp_path: Path) -> None:
    one, other = Spool(str(tmp_path / "spool"), 1 << 20), Spool(str(tmp_path / "spool"), 1 << 20)
    one.add("traces", b"one")
    other.add("traces", b"other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spool", "spool.1"]


def test_what_was_not_taken_stays_first(tmp_path: Path) -> None:
    spool, receiver = Spool(str(tmp_path / "spool"), 1 << 20), Receiver(Outcome.SENT, Outcome.LATER)
    for body in (b"a", b"b", b"c"):
        spool.add("traces", body)
    assert spool.drain(receiver) is Outcome.LATER
    assert spool.drain(receiver) is Outcome.SENT
    assert [body for _, body in receiver.got] == [b"a", b"b", b"c"]


@given(bodies=st.lists(st.binary(min_size=1, max_size=50), max_size=5), cut=st.integers(0, 300))
def test_a_file_cut_anywhere_gives_its_whole_records_and_goes_on(tmp_path_factory, bodies: list[bytes], cut: int) -> None:
    path = tmp_path_factory.mktemp("spool") / "spool"
    spool = Spool(str(path), 1 << 20)
    for body in bodies:
        spool.add("traces", body)
    spool.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    receiver = Receiver()
    again = Spool(str(path), 1 << 20)
    again.drain(receiver)
    got = [body for _, body in receiver.got]
    assert got == bodies[: len(got)]
    assert cut < len(whole) or got == bodies
    again.drain(receiver)
    assert again.add("logs", b"new")
    assert again.drain(receiver) is Outcome.SENT
    assert receiver.got[-1] == ("logs", b"new")
    again.close()
