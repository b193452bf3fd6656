"""Clips: repeatable, smooth, and as the options say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge_daemon.scenes.options import parse_scene
from edge_daemon.scenes.street import Street


def street(options: str, seconds: float = 40) -> Street:
    return Street(parse_scene(f"test:street?size=96x64&seconds={seconds}&{options}"))


def counts(scene: Street, kind: str) -> list[int]:
    """How many of a kind there are once a second, hidden or not."""
    return [
        sum(box.kind == kind for box in scene.frame(index)[1].boxes)
        for index in range(0, scene.options.n_frames, 10)
    ]


def test_the_same_options_give_the_same_bytes_in_any_order() -> None:
    there, back = street("seed=3", 4), street("seed=3", 4)
    forward = [there.frame(n)[0] for n in range(0, 40, 8)]
    backward = [back.frame(n)[0] for n in reversed(range(0, 40, 8))]

    assert all(np.array_equal(a, b) for a, b in zip(forward, reversed(backward)))


def test_another_seed_is_another_street() -> None:
    assert not np.array_equal(street("seed=1", 1).frame(0)[0], street("seed=2", 1).frame(0)[0])


def test_each_frame_has_noise_of_its_own() -> None:
    scene = street("people=0&cars=0&bus=0&bicycles=0&light=none", 1)

    assert not np.array_equal(scene.frame(0)[0], scene.frame(1)[0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_people_come_and_go_between_their_two_numbers(seed: int) -> None:
    seen = counts(street(f"seed={seed}&view=across&people=0-3&bicycles=0", 60), "person")

    assert min(seen) == 0
    assert 1 <= max(seen) <= 3
    assert sum(n == 0 for n in seen) >= 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cars_come_and_go(seed: int) -> None:
    seen = counts(street(f"seed={seed}&view=across&cars=0-2&people=0", 60), "car")

    assert (min(seen), max(seen)) in ((0, 1), (0, 2))


def test_residents_are_always_there() -> None:
    scene = street("seed=4&view=across&people=2&dogs=1&cars=1&bus=0&bicycles=0", 12)

    assert set(counts(scene, "person")) == {2}
    assert set(counts(scene, "dog")) == {1}
    assert set(counts(scene, "car")) == {1}


@pytest.mark.parametrize(
    ("kind", "option"),
    [("truck", "trucks=1"), ("bicycle", "bicycles=1"), ("motorcycle", "motorcycles=1")],
)
def test_every_kind_can_be_asked_for(kind: str, option: str) -> None:
    scene = street(f"seed=4&view=across&people=0&cars=0&bus=0&bicycles=0&{option}".replace(
        "bicycles=0&bicycles", "bicycles"), 1)  # fmt: skip

    assert counts(scene, kind) == [1]


def test_nobody_comes_to_an_empty_street() -> None:
    scene = street("seed=5&people=0&cars=0&bus=0&bicycles=0&light=none")

    assert all(scene.frame(n)[1].boxes == () for n in range(0, 400, 20))


@pytest.mark.parametrize("lamp", ["red", "yellow", "green"])
def test_a_fixed_light_is_in_the_truth(lamp: str) -> None:
    _, truth = street(f"seed=1&view=across&light={lamp}&people=0&cars=0&bus=0", 1).frame(0)

    assert truth.light == lamp


def test_a_cycling_light_changes() -> None:
    scene = street("seed=1&view=across&light=cycle&people=0&cars=0&bus=0&bicycles=0", 25)

    assert {scene.frame(n)[1].light for n in range(0, 250, 5)} == {"red", "yellow", "green"}


def test_time_and_weather_are_in_the_truth() -> None:
    _, truth = street("time=night&weather=rain", 1).frame(0)

    assert (truth.time, truth.weather) == ("night", "rain")


def test_nights_are_darker_than_days() -> None:
    def brightness(time: str) -> float:
        return float(np.mean([street(f"seed={n}&time={time}", 1).frame(0)[0] for n in range(5)]))

    assert brightness("night") < 0.9 * brightness("dusk") < 0.75 * brightness("day")


def test_cars_move_smoothly_and_wait_for_the_red_light() -> None:
    scene = street("seed=2&view=across&cars=0-1&bus=0&people=0&bicycles=0", 60)
    cars = [m for m in scene._movers if m.character.kind == "car"]
    steps = [abs(b[0] - a[0]) for m in cars for a, b in pairwise(m.log)]

    assert cars
    assert max(steps) < 1.0  # metres in a tenth of a second


def test_vehicles_never_touch() -> None:
    scene = street("seed=8&cars=0-4&bus=0-1&trucks=0-1&people=0-3", 60)
    lanes = [m for m in scene._movers if m.route.lane == "lane 1"]
    gaps = []
    for time_s in np.arange(0, 60, 0.5):
        here = [(m, m.at(time_s)) for m in lanes]
        line = sorted((s[0].z_m, m.character.length_m) for m, s in here if s is not None)
        gaps += [(b - lb / 2) - (a + la / 2) for (a, la), (b, lb) in pairwise(line)]

    assert gaps
    assert min(gaps) > 0.5
