"""What a bundle can be asked about, and how each labelled class bears on it."""

from __future__ import annotations

from typing import Final

CONCEPTS: Final = (
    "person",
    "cyclist",
    "motorcyclist",
    "car",
    "truck",
    "bus",
    "bicycle",
    "motorcycle",
    "rickshaw",
    "vehicle",
    "dog",
    "cat",
    "animal",
    "traffic_light",
    "red_light",
    "green_light",
    "yellow_light",
    "stop_sign",
    "anything",
)
"""Things with a place in the picture.  vehicle, animal and anything are unions."""

SCENES: Final = ("night", "day", "rain", "fog")
"""Properties of the whole picture."""

CONCEPT_INDEX: Final = {name: i for i, name in enumerate(CONCEPTS)}
SCENE_INDEX: Final = {name: i for i, name in enumerate(SCENES)}

LIGHTS: Final = ("red_light", "green_light", "yellow_light")

_ALIKE: Final = (
    ("car", "truck", "bus", "rickshaw"),
    ("bicycle", "motorcycle"),
    ("cyclist", "motorcyclist"),
    ("dog", "cat"),
    LIGHTS,
)
_ALSO: Final = {
    "bicycle": ("person",), "motorcycle": ("person",), "dog": ("person",), "cat": ("person",),
}  # fmt: skip
"""What else is taken for the rarer of the two; the other way round it hardly happens."""

RIVALS: Final = {
    one: (
        *(other for group in _ALIKE if one in group for other in group if other != one),
        *_ALSO.get(one, ()),
    )
    for one in CONCEPTS
}
"""What is taken for each concept; telling those apart counts more than empty road."""

_VEHICLE = "vehicle anything"
_ANIMAL = "animal anything"

Bearing = tuple[frozenset[str], frozenset[str]]
"""Concepts a box certainly shows, and those it may show."""


def _bearing(certain: str, possible: str = "") -> Bearing:
    return frozenset(certain.split()), frozenset(possible.split())


HUMAN: Final[dict[str, Bearing]] = {
    "person": _bearing("person anything", "cyclist motorcyclist"),
    "bicycle_rider": _bearing("cyclist bicycle person anything", "vehicle"),
    "motorcycle_rider": _bearing(f"motorcyclist motorcycle person {_VEHICLE}"),
    "bicycle_or_motorcycle": _bearing(
        "anything", "vehicle bicycle motorcycle cyclist motorcyclist person"
    ),
    "bicycle": _bearing("bicycle anything", "cyclist person vehicle"),
    "motorcycle": _bearing(f"motorcycle {_VEHICLE}", "motorcyclist person"),
    "motorbike": _bearing(f"motorcycle {_VEHICLE}", "motorcyclist person"),
    "scooter": _bearing(f"motorcycle {_VEHICLE}", "motorcyclist person"),
    "car": _bearing(f"car {_VEHICLE}"),
    "suv": _bearing(f"car {_VEHICLE}"),
    "taxi": _bearing(f"car {_VEHICLE}"),
    "policecar": _bearing(f"car {_VEHICLE}"),
    "minivan": _bearing(f"car {_VEHICLE}", "bus"),
    "van": _bearing(_VEHICLE, "car truck bus"),
    "pickup": _bearing(_VEHICLE, "car truck"),
    "ambulance": _bearing(_VEHICLE, "car truck bus"),
    "garbagevan": _bearing(_VEHICLE, "truck"),
    "army_vehicle": _bearing(_VEHICLE, "truck car bus"),
    "human_hauler": _bearing(_VEHICLE, "truck car bus rickshaw"),
    "truck": _bearing(f"truck {_VEHICLE}"),
    "truck_or_bus": _bearing(_VEHICLE, "truck bus"),
    "bus": _bearing(f"bus {_VEHICLE}"),
    "minibus": _bearing(f"bus {_VEHICLE}", "car"),
    "rickshaw": _bearing(f"rickshaw {_VEHICLE}", "person bicycle cyclist"),  # it is pedalled
    "auto_rickshaw": _bearing(f"rickshaw {_VEHICLE}", "car person"),
    "three_wheelers_(cng)": _bearing(f"rickshaw {_VEHICLE}", "car person"),
    "wheelbarrow": _bearing("", "anything vehicle person rickshaw bicycle cyclist"),
    "vehicle": _bearing(_VEHICLE, "car truck bus"),
    "train": _bearing("anything", "vehicle bus"),
    "dog": _bearing(f"dog {_ANIMAL}"),
    "cat": _bearing(f"cat {_ANIMAL}"),
    "horse": _bearing(_ANIMAL),
    "sheep": _bearing(_ANIMAL),
    "bear": _bearing(_ANIMAL),
    "zebra": _bearing(_ANIMAL),
    "giraffe": _bearing(_ANIMAL),
    "elephant": _bearing(_ANIMAL),
    "bird": _bearing("", "animal anything"),
    "traffic_light": _bearing("traffic_light", "red_light green_light yellow_light"),
    "traffic_light:red": _bearing("traffic_light red_light"),
    "traffic_light:green": _bearing("traffic_light green_light"),
    "traffic_light:left": _bearing("traffic_light", "green_light red_light"),
    "traffic_light:yellow": _bearing("traffic_light yellow_light"),
    "stop_sign": _bearing("stop_sign"),
}
"""Classes drawn by people.  Classes not named here say nothing about any concept."""

DETECTOR: Final[dict[str, Bearing]] = {
    "person": HUMAN["person"],
    "car": _bearing(f"car {_VEHICLE}"),
    "truck": _bearing(f"truck {_VEHICLE}", "car bus"),
    "bus": _bearing(f"bus {_VEHICLE}", "truck"),
    "train": _bearing("", "vehicle anything bus truck"),
    "motorcycle": _bearing(f"motorcycle {_VEHICLE}", "motorcyclist person bicycle"),
    "bicycle": _bearing("bicycle anything", "cyclist person motorcycle vehicle"),
    "dog": _bearing(f"dog {_ANIMAL}", "cat"),
    "cat": _bearing(f"cat {_ANIMAL}", "dog"),
    "traffic_light": HUMAN["traffic_light"],
    "stop_sign": HUMAN["stop_sign"],
}
"""Classes of the COCO detector that labelled every picture."""

_FOUR_WHEELS = frozenset({"car", "truck", "bus"})
_STREET_VEHICLES = _FOUR_WHEELS | {
    "motorcycle",
    "bicycle",
    "rickshaw",
    "vehicle",
    "cyclist",
    "motorcyclist",
}
_LIGHTS = frozenset({"traffic_light", *LIGHTS})

COMPLETE: Final[dict[str, frozenset[str]]] = {
    "atl_v2_highway": _FOUR_WHEELS | {"vehicle", "bicycle", "motorcycle"},
    "coco256": frozenset(CONCEPTS) - set(LIGHTS),
    "dhaka_road_vehicles": _STREET_VEHICLES,
    "dogs_cats": frozenset({"dog", "cat", "animal"}),
    "highway_5cls": _FOUR_WHEELS | {"person", "motorcycle"},
    # Not people, who are missing from whole clips (of 32 confident detections without a box,
    # looked at, 31 are people), nor motorcycles, of which only those with a rider are drawn.
    "manaus_v5": frozenset({"car", "truck", "bicycle"}),
    "signs_lights_15cls": _LIGHTS | {"stop_sign"},
    "tl_cinta_v2": _LIGHTS,
    "tl_kr": _LIGHTS,
    "tl_rgb_id": _LIGHTS,
    "topview_vehicles": frozenset({"vehicle"}),
}
"""Concepts of which people drew every instance, by dataset: what has no box there is not there."""

OTHER_NAMES: Final = {"manaus_v5": {"truck": "truck_or_bus"}}
"""Classes that mean something else in a dataset: there a bus is drawn as a truck."""

PARTIAL: Final[dict[str, frozenset[str]]] = {
    "vehicles_openimages": _FOUR_WHEELS | {"motorcycle"},
}
"""Concepts people drew here and there: their boxes are right, their absence says nothing."""

BLIND: Final[dict[str, frozenset[str]]] = {
    "topview_vehicles": _FOUR_WHEELS | {"motorcycle", "bicycle"},
}
"""Concepts for which the detector is no witness of absence: it does not know that view."""

NEVER_TRAINED: Final = frozenset({"camvid", "openalpr_endtoend", "cctv_accident", "voc100_padilla"})
"""Sets whose licence forbids published weights, is not stated, or is not one licence."""
