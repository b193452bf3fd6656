"""The present value of every retained topic: the last one stays."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.publish.retained import RetainedTopics


def sent(topics: RetainedTopics) -> list[tuple[str, bytes]]:
    return list(iter(topics.take, None))


def test_what_was_put_is_sent_once_in_order() -> None:
    topics = RetainedTopics()
    topics.put("a", b"1")
    topics.put("b", b"2")
    topics.put("a", b"3")

    assert sent(topics) == [("a", b"3"), ("b", b"2")]
    assert sent(topics) == []


def test_a_newer_value_waits_for_the_one_on_its_way() -> None:
    topics = RetainedTopics()
    topics.put("a", b"1")
    topics.take()
    topics.put("a", b"2")

    assert topics.take() is None
    topics.acknowledge("a")
    assert topics.take() == ("a", b"2")


def test_what_is_taken_out_of_turn_waits_for_nothing() -> None:
    topics = RetainedTopics()
    for topic in "abc":
        topics.put(topic, b"1")

    assert topics.take_of(["c", "b"]) == ("c", b"1")
    topics.put("c", b"")
    assert topics.take_of(["c", "x"]) == ("c", b"")
    assert topics.take_of(["c", "x"]) is None
    assert sent(topics) == [("a", b"1"), ("b", b"1")]
    assert not topics.acknowledge("c")
    assert topics.acknowledge("c")


def test_a_value_the_broker_has_is_not_sent_again() -> None:
    topics = RetainedTopics()
    topics.put("a", b"1")
    topics.take()
    topics.acknowledge("a")
    topics.put("a", b"1")

    assert topics.take() is None
    assert topics.settled


def test_a_new_connection_gets_everything_with_the_status_last() -> None:
    topics = RetainedTopics()
    for topic in ("status", "a", "b"):
        topics.put(topic, b"1")
        topics.take()
    topics.acknowledge("a")
    topics.start_over(last="status")

    assert sent(topics) == [("a", b"1"), ("b", b"1"), ("status", b"1")]


def test_an_emptied_topic_is_forgotten_once_the_broker_has_emptied_it() -> None:
    topics = RetainedTopics()
    topics.put("a", b"")
    topics.take()

    assert topics.acknowledge("a")
    assert topics.topics() == frozenset()


def test_what_is_refused_is_sent_again_only_when_asked_to() -> None:
    topics = RetainedTopics()
    topics.put("a", b"1")
    topics.take()
    topics.refuse("a")

    assert topics.take() is None
    assert not topics.settled
    topics.retry()
    assert topics.take() == ("a", b"1")


def test_a_refused_emptying_is_let_go() -> None:
    topics = RetainedTopics()
    topics.put("a", b"")
    topics.take()
    topics.refuse("a")

    assert topics.settled
    assert topics.topics() == frozenset()


def test_a_big_value_that_ends_connections_is_given_up() -> None:
    topics = RetainedTopics()
    topics.put("small", b"1")
    topics.put("big", bytes(70_000))
    given_up = []
    for _ in range(4):
        sent(topics)
        given_up.append(topics.start_over(last="status"))

    assert given_up == [[], [], ["big"], []]
    assert sent(topics) == [("small", b"1")]


@given(
    st.lists(st.sampled_from(["put", "take", "take_of", "ack", "refuse", "retry", "lost"])),
    st.data(),
)
def test_the_broker_ends_with_the_present_values_whatever_happens(steps, data) -> None:
    topics, broker, on_way, present = RetainedTopics(), {}, deque(), {}
    takes = {"take": topics.take, "take_of": lambda: topics.take_of("bc")}
    for n, step in enumerate(steps):
        if step == "put":
            topic = data.draw(st.sampled_from("abc"))
            present[topic] = str(n).encode()
            topics.put(topic, present[topic])
        elif step in takes and (value := takes[step]()):
            on_way.append(value)
        elif step == "ack" and on_way:
            topic, payload = on_way.popleft()
            broker[topic] = payload
            topics.acknowledge(topic)
        elif step == "refuse" and on_way:
            topics.refuse(on_way.popleft()[0])
        elif step == "retry":
            topics.retry()
        elif step == "lost":
            on_way.clear()
            topics.start_over(last="c")
    topics.retry()
    while on_way or not topics.settled:
        if value := topics.take():
            on_way.append(value)
        topic, payload = on_way.popleft()
        broker[topic] = payload
        topics.acknowledge(topic)

    assert broker == present


def test_pictures_wait_until_nothing_else_does_and_are_apart() -> None:
    retained = RetainedTopics()
    retained.put_picture("a/snapshot", b"jpeg")
    retained.put("a/state", b"{}")

    assert retained.take() == ("a/state", b"{}")
    assert retained.take() is None
    assert retained.take_picture() == ("a/snapshot", b"jpeg")
    assert retained.take_picture() is None
    retained.acknowledge("a/state")
    assert retained.idle
    assert not retained.settled
    retained.acknowledge("a/snapshot")
    assert retained.settled


def test_a_topic_that_held_a_picture_is_emptied_like_any_other() -> None:
    retained = RetainedTopics()
    retained.put_picture("a/snapshot", b"jpeg")
    retained.put("a/snapshot", b"")

    assert retained.take_picture() is None
    assert retained.take() == ("a/snapshot", b"")
    assert retained.acknowledge("a/snapshot")


def test_a_topic_that_was_to_be_emptied_gets_its_next_picture() -> None:
    retained = RetainedTopics(most_picture_bytes=150)
    retained.put_picture("a", bytes(100))
    retained.take_picture()
    retained.acknowledge("a")
    retained.put("a", b"")
    retained.put_picture("a", bytes(90))

    assert retained.take() is None
    retained.put_picture("b", bytes(100))
    assert retained.topics() == {"b"}  # the older picture was let go
    assert retained.take() is None
    assert retained.take_picture() == ("b", bytes(100))


def test_pictures_that_are_too_many_are_let_go_the_oldest_first() -> None:
    retained = RetainedTopics(most_picture_bytes=250)
    for name in "abc":
        retained.put_picture(name, bytes(100))
    retained.put_picture("b", bytes(90))
    retained.put_picture("d", bytes(100))
    sent = [retained.take_picture() for _ in range(3)]

    assert [found and found[0] for found in sent] == ["b", "d", None]


@given(st.lists(st.tuples(st.sampled_from(["put", "empty", "picture", "take", "ack"]),
                          st.sampled_from("abc")), max_size=30))  # fmt: skip
def test_every_topic_can_be_anything_at_any_time(steps) -> None:
    retained, on_way = RetainedTopics(most_picture_bytes=150), deque()
    for n, (step, topic) in enumerate(steps):
        if step == "put":
            retained.put(topic, b"%d" % n)
        elif step == "empty":
            retained.put(topic, b"")
        elif step == "picture":
            retained.put_picture(topic, bytes(100) + b"%d" % n)
        elif step == "take":
            value = retained.take_of([topic]) or retained.take() or retained.take_picture()
            on_way.extend([value[0]] if value else [])
        elif step == "ack" and on_way:
            retained.acknowledge(on_way.popleft())
    while (value := retained.take() or retained.take_picture()) or on_way:
        on_way.extend([value[0]] if value else [])
        retained.acknowledge(on_way.popleft())

    assert retained.settled


def test_a_picture_on_its_way_is_not_let_go() -> None:
    retained = RetainedTopics(most_picture_bytes=150)
    retained.put_picture("a", bytes(100))
    retained.take_picture()
    retained.put_picture("b", bytes(100))
    retained.put_picture("c", bytes(100))

    assert retained.topics() == {"a", "c"}
    assert not retained.acknowledge("a")


def test_a_new_connection_gets_pictures_last() -> None:
    retained = RetainedTopics()
    retained.put_picture("a/snapshot", b"jpeg")
    retained.put("a/state", b"{}")
    retained.put("status", b"online")
    for take in (retained.take, retained.take, retained.take_picture):
        take()
    retained.start_over(last="status")

    assert [retained.take(), retained.take(), retained.take()] == [
        ("a/state", b"{}"),
        ("status", b"online"),
        None,
    ]
    assert retained.take_picture() == ("a/snapshot", b"jpeg")
