"""The address of a scene: what is understood, and what is told about what is not."""

from __future__ import annotations

import pytest

from edge_daemon.scenes.options import SceneOptions, parse_scene


def test_a_bare_address_has_every_option() -> None:
    assert parse_scene("test:street") == SceneOptions()


def test_options_are_read_from_the_address() -> None:
    options = parse_scene(
        "test:street?time=night&weather=fog&seed=7&size=320x180&fps=12.5&seconds=4"
        "&people=0-4&cars=3&bus=0-1&dogs=1&light=red&view=along"
    )

    assert options == SceneOptions(
        time="night",
        weather="fog",
        seed=7,
        size=(320, 180),
        fps=12.5,
        seconds=4.0,
        people=(0, 4),
        cars=(3, 3),
        bus=(0, 1),
        dogs=(1, 1),
        light="red",
        view="along",
    )
    assert options.n_frames == 50


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("test:forest", "unknown scene 'forest' -- write test:street"),
        ("test:", "unknown scene '' -- write test:street"),
        ("test:street?time=noon", "time=noon -- use one of: day, dusk, night"),
        ("test:street?weather=", "weather= -- use one of: clear, rain, fog"),
        ("test:street?light=blue", "light=blue -- use one of: cycle, red, yellow, green, none"),
        ("test:street?view=up", "view=up -- use one of: any, along, across, diagonal"),
        ("test:street?people=4-1", "people=4-1 -- use a number or a range like 0-1, up to 12"),
        ("test:street?people=-1", "people=-1 -- use a number or a range like 0-1, up to 12"),
        ("test:street?bus=3", "bus=3 -- use a number or a range like 0-1, up to 2"),
        ("test:street?fps=0", "fps=0 -- use a number from 0.5 to 60"),
        ("test:street?fps=nan", "fps=nan -- use a number from 0.5 to 60"),
        ("test:street?seconds=1h", "seconds=1h -- use a number from 0.1 to 3600"),
        ("test:street?seed=-4", "seed=-4 -- use a whole number of up to nine digits"),
        ("test:street?size=10x10", "size=10x10 -- write it as 640x360, from 64x64 to 1920x1080"),
        ("test:street?size=big", "size=big -- write it as 640x360, from 64x64 to 1920x1080"),
        ("test:street?fps=5&fps=6", "option 'fps' is given twice -- give it once"),
        (
            "test:street?speed=2",
            "unknown option 'speed' -- known: time, weather, seed, size, fps, seconds, view, light,"
            " people, cars, bus, trucks, bicycles, motorcycles, dogs",
        ),
    ],
)
def test_a_bad_address_is_told_with_its_remedy(address: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the whole text is compared
        parse_scene(address)

    assert str(caught.value) == message
