"""What asking the clock leaves behind: it is asked once an event, for years."""

import gc

from edge_daemon.service import clock


def test_asking_the_kernel_leaves_nothing_to_collect() -> None:
    asked = clock._kernel_is_synced()
    gc.collect()
    assert [clock._kernel_is_synced() for _ in range(10)] == [asked] * 10
    assert gc.collect() == 0
