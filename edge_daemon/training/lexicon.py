"""The words of the English the question encoder learns: things, numbers, colours and places."""

from __future__ import annotations

from typing import Final

# One phrase per line would bury them: lists are kept as running text.
# fmt: off

NOUNS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "person": (
        ("person", "people"), ("pedestrian", "pedestrians"), ("person", "persons"),
        ("human", "humans"), ("human being", "human beings"), ("passerby", "passersby"),
        ("individual", "individuals"), ("pedestrian", "pedestrians"), ("person", "people"),
    ),
    "cyclist": (
        ("cyclist", "cyclists"), ("bicyclist", "bicyclists"), ("bike rider", "bike riders"),
        ("bicycle rider", "bicycle riders"), ("person on a bicycle", "people on bicycles"),
        ("person riding a bike", "people riding bikes"), ("person on a bike", "people on bikes"),
        ("someone on a bike", "people on a bike"), ("somebody riding a bicycle",
        "people riding bicycles"), ("anyone on a bicycle", "people riding a bicycle"),
        ("somebody riding a bike", "people riding a bike"),
        ("someone riding a bicycle", "persons on bikes"),
    ),
    "motorcyclist": (
        ("motorcyclist", "motorcyclists"), ("motorcycle rider", "motorcycle riders"),
        ("motorbike rider", "motorbike riders"), ("person on a motorcycle",
        "people on motorcycles"),
        ("person riding a motorbike", "people riding motorbikes"),
        ("person on a motorbike", "people on motorbikes"), ("someone on a motorcycle",
        "people on a motorcycle"), ("somebody riding a motorcycle", "people riding motorcycles"),
        ("someone riding a motorbike", "people on a motorbike"),
    ),
    "car": (
        ("car", "cars"), ("automobile", "automobiles"), ("passenger car", "passenger cars"),
        ("motor car", "motor cars"), ("car", "cars"),
    ),
    "truck": (
        ("truck", "trucks"), ("lorry", "lorries"), ("heavy truck", "heavy trucks"),
        ("hgv", "hgvs"), ("cargo truck", "cargo trucks"),
    ),
    "bus": (("bus", "buses"), ("coach", "coaches"), ("city bus", "city buses"), ("bus", "busses"),
            ("minibus", "minibuses")),
    "bicycle": (
        ("bicycle", "bicycles"), ("bike", "bikes"), ("cycle", "cycles"),
        ("push bike", "push bikes"), ("pushbike", "pushbikes"),
    ),
    "motorcycle": (
        ("motorcycle", "motorcycles"), ("motorbike", "motorbikes"), ("scooter", "scooters"),
        ("moped", "mopeds"), ("motor scooter", "motor scooters"), ("motor bike", "motor bikes"),
    ),
    "rickshaw": (
        ("rickshaw", "rickshaws"), ("auto rickshaw", "auto rickshaws"), ("tuk tuk", "tuk tuks"),
        ("three wheeler", "three wheelers"),
    ),
    "vehicle": (
        ("vehicle", "vehicles"), ("motor vehicle", "motor vehicles"),
        ("road vehicle", "road vehicles"), ("vehicle", "vehicles"),
    ),
    "dog": (("dog", "dogs"), ("puppy", "puppies"), ("canine", "canines"), ("dog", "dogs"),
            ("hound", "hounds"), ("doggy", "doggies")),
    "cat": (("cat", "cats"), ("kitten", "kittens"), ("kitty", "kitties")),
    "animal": (("animal", "animals"), ("pet", "pets"), ("animal", "animals")),
    "traffic_light": (
        ("traffic light", "traffic lights"), ("traffic signal", "traffic signals"),
        ("stoplight", "stoplights"), ("signal light", "signal lights"),
    ),
    "red_light": (
        ("red light", "red lights"), ("red traffic light", "red traffic lights"),
        ("red signal", "red signals"), ("red traffic signal", "red traffic signals"),
    ),
    "green_light": (
        ("green light", "green lights"), ("green traffic light", "green traffic lights"),
        ("green signal", "green signals"), ("green traffic signal", "green traffic signals"),
    ),
    "yellow_light": (
        ("yellow light", "yellow lights"), ("yellow traffic light", "yellow traffic lights"),
        ("amber light", "amber lights"), ("amber traffic light", "amber traffic lights"),
        ("orange traffic light", "orange traffic lights"),
    ),
    "stop_sign": (("stop sign", "stop signs"),),
    "anything": (
        ("object", "objects"), ("obstacle", "obstacles"), ("thing", "things"),
        ("road user", "road users"),
    ),
}
DOING: Final[dict[str, tuple[str, ...]]] = {
    "person": ("standing", "waiting", "walking"),
    "car": ("parked", "standing", "waiting"), "truck": ("parked", "standing", "waiting"),
    "bus": ("parked", "standing", "waiting"), "vehicle": ("parked", "standing", "waiting"),
    "bicycle": ("parked", "standing"), "motorcycle": ("parked", "standing"),
    "dog": ("standing", "waiting", "walking"), "cat": ("standing", "waiting", "walking"),
}
"""How something stands there: understood, not judged, and only where a site is named."""
LIGHT_COLOURS: Final = {
    "red_light": ("red",), "green_light": ("green",), "yellow_light": ("yellow", "amber", "orange"),
}
PLACES: Final[dict[str, tuple[str, ...]]] = {
    "left": (
        "on the left", "on the left side", "to the left", "in the left half", "at the left",
        "on the left hand side", "in the left part of the picture", "on the left of the image",
        "on the left of the frame",
        "on the left half of the frame", "on the left of the camera view",
        "in the left half of the picture",
    ),
    "right": (
        "on the right", "on the right side", "to the right", "in the right half", "at the right",
        "on the right hand side", "in the right part of the picture",
        "on the right of the image", "on the right of the frame",
        "on the right half of the frame", "on the right of the camera view",
        "in the right half of the picture",
    ),
    "top": (
        "in the upper half", "at the top", "in the top half", "in the upper part of the picture",
        "in the upper half of the image", "at the top of the picture", "above the middle",
        "in the top half of the frame", "at the top of the frame",
    ),
    "bottom": (
        "in the lower half", "at the bottom", "in the bottom half",
        "in the lower part of the picture",
        "in the lower half of the image", "at the bottom of the picture", "below the middle",
        "in the bottom half of the frame", "at the bottom of the frame",
    ),
    "middle": (
        "in the middle", "in the centre", "in the center", "in the middle of the picture",
        "in the middle of the frame", "in the centre of the frame", "in the center of the view",
        "in the centre of the image", "in the central part", "at the centre", "at the center",
    ),
    "near": (
        "near the camera", "close to the camera", "nearby", "close by", "in the foreground",
        "up close", "right in front of the camera", "near", "close", "very near", "near us",
    ),
    "far": (
        "far away", "in the distance", "in the background", "far from the camera", "far off",
        "at a distance", "a long way off", "further away",
    ),
    "top_left": ("in the upper left corner", "in the top left", "at the top left",
    "in the upper left"),
    "top_right": (
        "in the upper right corner", "in the top right", "at the top right", "in the upper right",
    ),
    "bottom_left": (
        "in the lower left corner", "in the bottom left", "at the bottom left", "in the lower left",
    ),
    "bottom_right": (
        "in the lower right corner", "in the bottom right", "at the bottom right",
        "in the lower right",
    ),
}
PLACES_HELD_OUT: Final[dict[str, tuple[str, ...]]] = {
    "left": ("on the left side of the picture", "in the left part"),
    "right": ("on the right side of the picture", "in the right part"),
    "top": ("in the upper part", "in the top part of the image"),
    "bottom": ("in the lower part", "in the bottom part of the image"),
    "middle": ("in the middle of the image", "in the central part of the picture"),
    "near": ("in the foreground of the picture", "very close to the camera"),
    "far": ("in the background of the picture", "far away from the camera"),
    "top_left": ("in the top left corner",),
    "top_right": ("in the top right corner",),
    "bottom_left": ("in the bottom left corner",),
    "bottom_right": ("in the bottom right corner",),
}
ON: Final = ("on", "in", "at", "near", "by", "in front of", "outside", "around", "inside", "along",
             "on", "in", "at")
DETERMINERS: Final = ("the", "the", "the", "the", "the", "my", "our", "this", "that", "your")
SITES: Final = (
    "street", "road", "crossing", "driveway", "junction", "intersection", "motorway", "highway",
    "lane", "crosswalk", "roadway", "carriageway", "pedestrian crossing", "zebra crossing",
    "street", "road", "crossing", "driveway", "sidewalk", "pavement", "footpath", "path",
    "sidewalk", "pavement", "walkway", "yard", "garden", "backyard", "front yard", "back garden",
    "front garden", "lawn", "garage", "porch", "door", "front door", "back door", "entrance",
    "gate", "doorway", "entry", "exit", "room", "living room", "hall", "hallway", "corridor",
    "office", "lobby", "parking lot", "car park", "parking space", "parking spot", "parking area",
    "carport", "house", "home", "building", "square", "plaza", "bridge", "tunnel", "alley",
    "bus stop", "bus lane", "platform", "station", "bike lane", "cycle lane", "bike path",
    "cycle path", "courtyard", "patio", "terrace", "deck", "balcony", "steps", "stairs", "fence",
    "curb", "kerb", "roundabout", "loading bay", "loading dock", "ramp", "shop", "store", "pool",
    "park", "playground", "stairwell", "property", "garage door", "garage entrance", "window",
    "left lane", "right lane", "lot", "shed", "corner", "street corner", "checkout", "counter",
    "letterbox", "mailbox", "roof", "forecourt", "field", "farm", "barn", "level crossing",
    "school", "warehouse", "hard shoulder", "fast lane", "corner shop", "doorstep", "kitchen",
    "basement", "compound",
)
"""Where the camera looks.  Understood, not judged: to restrict an answer, draw a zone."""
SITES_HELD_OUT: Final = ("road crossing", "street crossing", "house entrance", "garden gate",
                         "yard gate", "driveway entrance", "garden path", "parking garage")
NUMBER_WORDS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)
