"""From a row of the labels file to what is certain, possible and open."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_daemon.training.concepts import CONCEPT_INDEX, SCENE_INDEX
from edge_daemon.training.labels import Labels, labels_of

BOX, ELSEWHERE = [0.1, 0.1, 0.3, 0.5], [0.6, 0.1, 0.8, 0.5]


def row(dataset: str, *, human: Any = None, detector: Any = (), scene: Any = ()) -> dict[str, Any]:
    found = {"human": human, "detector": list(detector), "scene": list(scene)}
    return {"dataset": dataset, "brightness": 80.0, **found}


def certain(labels: Labels, concept: str) -> bool:
    return bool(labels.certain[:, CONCEPT_INDEX[concept]].any())


def possible(labels: Labels, concept: str) -> bool:
    return bool(labels.possible[:, CONCEPT_INDEX[concept]].any())


def test_a_sure_detection_counts_where_nobody_drew_the_class() -> None:
    labels = labels_of(row("atl_v2_highway", human=[], detector=[[*BOX, "person", 0.5]]))

    assert certain(labels, "person")


def test_a_doubtful_detection_is_only_possible() -> None:
    labels = labels_of(row("atl_v2_highway", human=[], detector=[[*BOX, "person", 0.3]]))

    assert not certain(labels, "person")
    assert possible(labels, "person")


def test_what_people_drew_beats_the_detector() -> None:
    human, detector = [[*BOX, "truck"]], [[*BOX, "car", 0.9]]
    labels = labels_of(row("highway_5cls", human=human, detector=detector))

    assert certain(labels, "truck")
    assert not certain(labels, "car")
    assert not possible(labels, "car")


def test_a_very_sure_detection_where_people_drew_nothing_is_a_doubt() -> None:
    labels = labels_of(row("highway_5cls", human=[], detector=[[*ELSEWHERE, "person", 0.9]]))

    assert not certain(labels, "person")
    assert possible(labels, "person")


def test_a_view_from_above_is_open_for_all_but_vehicles() -> None:
    labels = labels_of(row("topview_vehicles", human=[[*BOX, "vehicle"]]))

    assert certain(labels, "vehicle")
    assert labels.unseen[CONCEPT_INDEX["truck"]]
    assert not labels.unseen[CONCEPT_INDEX["vehicle"]]


def test_lights_the_detector_found_have_a_colour_nobody_knows() -> None:
    labels = labels_of(row("manaus_v5", human=[], detector=[[*BOX, "traffic_light", 0.8]]))

    assert certain(labels, "traffic_light")
    assert possible(labels, "red_light")
    assert labels.unseen[CONCEPT_INDEX["red_light"]]


def test_a_picture_of_a_dog_shows_no_cat_whatever_the_detector_says() -> None:
    labels = labels_of(row("dogs_cats", detector=[[*BOX, "cat", 0.8]], scene=["dog"]))

    assert certain(labels, "dog")
    assert not certain(labels, "cat")


def test_a_dog_nobody_can_point_at_is_somewhere() -> None:
    labels = labels_of(row("dogs_cats", scene=["dog"]))

    assert labels.unseen[CONCEPT_INDEX["dog"]]
    assert not labels.unseen[CONCEPT_INDEX["cat"]]


def test_a_bicycle_with_somebody_above_it_is_a_cyclist() -> None:
    wheels, rider = [0.4, 0.5, 0.6, 0.8], [0.42, 0.25, 0.58, 0.7]
    detector = [[*wheels, "bicycle", 0.8], [*rider, "person", 0.8]]

    assert certain(labels_of(row("atl_v2_highway", detector=detector)), "cyclist")
    assert not certain(labels_of(row("atl_v2_highway", detector=detector[:1])), "cyclist")


def test_night_is_what_people_called_night() -> None:
    scene = labels_of(row("amos_daynight", scene=["night"])).scene

    assert scene[SCENE_INDEX["night"]] == 1
    assert scene[SCENE_INDEX["day"]] == 0
    assert scene[SCENE_INDEX["rain"]] == -1


def test_boxes_are_clipped_to_the_picture() -> None:
    labels = labels_of(row("highway_5cls", human=[[-0.1, 0.2, 1.2, 0.9, "bus"]]))

    np.testing.assert_allclose(labels.boxes, [[0.0, 0.2, 1.0, 0.9]], atol=1e-6)


def test_a_truck_of_manaus_may_be_a_bus_until_the_detector_is_sure() -> None:
    human = [[*BOX, "truck"]]
    unsettled = labels_of(row("manaus_v5", human=human))
    bus = labels_of(row("manaus_v5", human=human, detector=[[*BOX, "bus", 0.8]]))
    truck = labels_of(row("manaus_v5", human=human, detector=[[*BOX, "truck", 0.8]]))
    both = [[*BOX, "truck", 0.7], [*BOX, "bus", 0.7]]

    assert possible(unsettled, "truck")
    assert possible(unsettled, "bus")
    assert certain(bus, "bus")
    assert not possible(bus, "truck")
    assert certain(truck, "truck")
    assert not certain(labels_of(row("manaus_v5", human=human, detector=both)), "truck")


def test_somebody_drawn_and_found_is_one_person() -> None:
    found = [[*BOX, "person", 0.8], [*ELSEWHERE, "person", 0.8]]
    labels = labels_of(row("manaus_v5", human=[[*BOX, "person"]], detector=found))

    assert labels.certain[:, CONCEPT_INDEX["person"]].sum() == 2


def test_a_pedalled_rickshaw_may_pass_for_a_bicycle() -> None:
    labels = labels_of(row("dhaka_road_vehicles", human=[[*BOX, "rickshaw"]]))

    assert possible(labels, "bicycle")
    assert not possible(labels, "motorcycle")
