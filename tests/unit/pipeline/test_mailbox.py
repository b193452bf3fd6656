from __future__ import annotations

from collections import Counter
from threading import Thread

from edge_daemon.pipeline.mailbox import Mailboxes
from tests.unit.pipeline.conftest import MakeFrame


def opened(*cameras: str) -> tuple[Mailboxes, list[str]]:
    dropped: list[str] = []
    mailboxes = Mailboxes(on_drop=dropped.append)
    for camera in cameras:
        mailboxes.open(camera, answer_limit_s=10.0)
    return mailboxes, dropped


def test_mailbox_of_a_live_camera_keeps_the_newest_and_tells_the_drop(frame: MakeFrame) -> None:
    mailboxes, dropped = opened("gate")
    old, new = frame(index=1), frame(index=2)
    mailboxes.put(old, wait=False)
    mailboxes.put(new, wait=False)

    assert mailboxes.take(8) == [new]
    assert dropped == ["gate"]


def test_mailbox_of_a_file_waits_and_loses_nothing(frame: MakeFrame) -> None:
    mailboxes, dropped = opened("gate")
    frames = [frame(index=n) for n in range(50)]
    writer = Thread(target=lambda: [mailboxes.put(f, wait=True) for f in frames])
    writer.start()
    taken = []
    while len(taken) < len(frames):
        batch = mailboxes.take(8)
        taken += batch
        mailboxes.done(batch)
    writer.join()

    assert taken == frames
    assert dropped == []


def test_mailbox_of_a_camera_that_went_away_is_waited_for_no_longer(frame: MakeFrame) -> None:
    mailboxes, dropped = opened("gate")
    mailboxes.put(frame(), wait=False)
    mailboxes.discard("gate")
    mailboxes.discard("gate")
    mailboxes.join("gate")

    assert dropped == ["gate"]


def test_mailboxes_give_one_frame_of_each_camera_as_a_batch(frame: MakeFrame) -> None:
    mailboxes, _ = opened("a", "b", "c")
    for camera in "abc":
        mailboxes.put(frame(camera), wait=False)

    assert {f.camera for f in mailboxes.take(8)} == {"a", "b", "c"}


def test_mailboxes_serve_the_camera_nearest_to_its_limit_first(frame: MakeFrame) -> None:
    mailboxes, _ = opened("slow")
    mailboxes.open("urgent", answer_limit_s=1.0)
    for camera in ("slow", "urgent"):
        mailboxes.put(frame(camera), wait=False)

    assert [f.camera for f in mailboxes.take(1)] == ["urgent"]


def test_mailboxes_starve_no_camera_however_urgent_another_is(frame: MakeFrame) -> None:
    mailboxes, _ = opened()
    mailboxes.open("patient", answer_limit_s=0.005)
    mailboxes.open("urgent", answer_limit_s=0.001)
    served = []
    while "patient" not in served and len(served) < 100_000:
        for camera in ("patient", "urgent"):
            mailboxes.put(frame(camera), wait=False)
        (taken,) = mailboxes.take(1)
        served.append(taken.camera)

    assert served[0] == "urgent"
    assert served[-1] == "patient"


def test_mailboxes_serve_equals_in_turn_whoever_is_quicker_to_return(frame: MakeFrame) -> None:
    """A file has its next frame ready at once, a camera a moment later."""
    cameras = ["file1", "file2", "file3", "file4", "live1", "live2"]
    mailboxes, _ = opened(*cameras)
    served: Counter[str] = Counter()
    for _ in range(300):
        for camera in cameras:
            mailboxes.put(frame(camera), wait=False)
        taken = mailboxes.take(4)
        served.update(f.camera for f in taken)
        mailboxes.done(taken)

    assert set(served.values()) == {200}


def test_mailboxes_join_waits_for_the_answer_not_only_the_hand_over(frame: MakeFrame) -> None:
    mailboxes, _ = opened("gate")
    mailboxes.put(frame(), wait=True)
    order: list[str] = []

    def join() -> None:
        mailboxes.join("gate")
        order.append("joined")

    waiter = Thread(target=join)
    waiter.start()
    taken = mailboxes.take(1)
    order.append("answered")
    mailboxes.done(taken)
    waiter.join(5)

    assert order == ["answered", "joined"]


def test_mailbox_shut_lets_its_writer_go(frame: MakeFrame) -> None:
    mailboxes, _ = opened("gate")
    mailboxes.put(frame(index=0), wait=True)
    writer = Thread(target=lambda: mailboxes.put(frame(index=1), wait=True))
    writer.start()
    mailboxes.shut("gate")
    writer.join(5)
    mailboxes.close()

    assert not writer.is_alive()
    assert mailboxes.take(8) == []


def test_mailboxes_closed_give_what_waits_then_nothing(frame: MakeFrame) -> None:
    mailboxes, _ = opened("gate")
    mailboxes.put(frame(), wait=False)
    mailboxes.close()

    assert len(mailboxes.take(8)) == 1
    assert mailboxes.take(8) == []
