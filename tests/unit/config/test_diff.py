"""What a reload restarts."""

from __future__ import annotations

from edge_daemon.config.diff import compare
from tests.unit.config.test_load import good, parsed


def test_reload_restarts_only_what_changed() -> None:
    before, after = good(), good(camera={"stall_after": "3s"})
    for data in (before, after):
        data["cameras"].append({**data["cameras"][0], "id": "yard", "stall_after": "9s"})
    after["cameras"].append({**before["cameras"][1], "id": "new"})

    changes = compare(parsed(before), parsed(after))
    assert changes.shared == ()
    assert [c.id for c in changes.changed] == ["gate"]
    assert [c.id for c in changes.added] == ["new"]
    assert compare(parsed(after), parsed(before)).removed == ("new",)


def test_reload_of_a_shared_section_is_noticed() -> None:
    assert compare(parsed(good()), parsed(good(device={"id": "other"}))).shared == ("device",)
    assert compare(parsed(good()), parsed(good())).summary() == "nothing changed"
