"""The English the question encoder learns: nouns, numbers, places and sentence patterns.

A pattern's fields: {a} "a car", {s} "car", {p} "cars", {n} a number; {a2} {s2} {p2} {n2} the
second noun or number.  HELD_OUT patterns are never trained on: they measure paraphrase.
"""

from __future__ import annotations

from typing import Final

# One phrase per line would bury them: lists are kept as running text.
# fmt: off

NOUNS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "person": (
        ("person", "people"), ("pedestrian", "pedestrians"), ("person", "persons"),
        ("human", "humans"), ("human being", "human beings"), ("passerby", "passersby"),
        ("walker", "walkers"), ("individual", "individuals"), ("pedestrian", "pedestrians"),
    ),
    "cyclist": (
        ("cyclist", "cyclists"), ("bicyclist", "bicyclists"), ("bike rider", "bike riders"),
        ("bicycle rider", "bicycle riders"), ("person on a bicycle", "people on bicycles"),
        ("person riding a bike", "people riding bikes"),
    ),
    "motorcyclist": (
        ("motorcyclist", "motorcyclists"), ("motorcycle rider", "motorcycle riders"),
        ("motorbike rider", "motorbike riders"), ("person on a motorcycle",
        "people on motorcycles"),
        ("person riding a motorbike", "people riding motorbikes"),
    ),
    "car": (
        ("car", "cars"), ("automobile", "automobiles"), ("passenger car", "passenger cars"),
        ("motor car", "motor cars"), ("car", "cars"),
    ),
    "truck": (
        ("truck", "trucks"), ("lorry", "lorries"), ("heavy truck", "heavy trucks"),
        ("hgv", "hgvs"), ("cargo truck", "cargo trucks"),
    ),
    "bus": (("bus", "buses"), ("coach", "coaches"), ("city bus", "city buses"), ("bus", "busses")),
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

PRESENCE: Final = (
    "is there {a}", "is there {a}", "are there any {p}", "are there {p}", "any {p}", "any {s}",
    "{a}", "do you see {a}", "do you see any {p}", "do you see {p}", "can you see {a}",
    "can you see any {p}", "is {a} visible", "are any {p} visible", "are {p} visible",
    "is {a} present", "are {p} present", "does the picture show {a}", "does the image show {a}",
    "does this image contain {a}", "does the picture contain any {p}", "does the camera see {a}",
    "is {a} in view", "are {p} in view", "is there at least one {s}", "is there one or more {p}",
    "can {a} be seen", "can any {p} be seen", "is there any {s}", "there is {a}", "there are {p}",
    "{p} visible", "{s} visible", "{s} present", "is any {s} visible", "is some {s} there",
    "is {a} there", "are there some {p}", "has {a} appeared", "have any {p} appeared",
    "is {a} in sight", "are any {p} in sight", "have you spotted {a}", "did you see {a}",
    "do we have {a}", "do we have any {p}", "is {a} here", "are {p} here", "look for {a}",
    "find {a}",
    "could you see any {p}", "would you say there is {a}", "is it true that there is {a}",
    "does it show any {p}", "has any {s} been detected", "is {a} detected", "{s} detected",
    "is the camera looking at {a}", "shows {a}", "contains {p}",
    "is {a}", "are {p}", "are any {p}", "isnt there {a}", "arent there any {p}",
    "is there still {a}", "is {a} anywhere", "see {a}", "do we see {a}", "does {a} appear",
    "do any {p} appear", "is {a} around", "are {p} around", "is there any sign of {a}", "spot {a}",
    "could you spot {a}", "is there possibly {a}",
)
PRESENCE_HELD_OUT: Final = (
    "have you seen any {p}", "is at least one {s} visible", "does the camera show {p}",
    "any {p} to be seen", "is one {s} or more in view", "are some {p} visible",
    "could there be {a} in the picture", "do you find {a}", "is there {a} to be seen",
)

SOMEBODY: Final = (
    "is anyone there", "is anybody there", "is somebody there", "is someone there",
    "do you see anyone", "do you see somebody", "can you see anybody", "is anyone visible",
    "is anybody in view", "is someone in the picture", "is there anyone", "is there somebody",
    "is anyone here", "somebody there", "anyone visible",
    "is anyone", "is anybody", "is someone", "is somebody", "is there someone", "is there anybody",
    "anyone", "anybody", "somebody", "do you see someone there",
)
SOMEBODY_HELD_OUT: Final = (
    "is anybody visible", "can you see someone", "is there anybody in sight",
)

NOBODY: Final = (
    "is nobody there", "is there nobody", "nobody there", "is no one there", "is nobody in view",
    "is there no one in the picture", "is nobody visible", "is no one visible",
    "is the place deserted", "is it deserted",
    "is no one", "is nobody", "nobody", "no one", "is there not anybody", "do you see no one",
    "do you see nobody",
)
NOBODY_HELD_OUT: Final = ("is there nobody in sight", "is no one here")

ABSENCE: Final = (
    "no {p}", "no {s}", "is there no {s}", "are there no {p}", "is the picture free of {p}",
    "is the scene free of {p}", "without any {p}", "is there not a single {s}",
    "no {s} in sight", "no {p} in view", "no {p} visible", "is {a} absent", "are {p} absent",
    "are {p} missing", "is there not any {s}", "do you see no {p}", "do you not see any {p}",
    "are no {p} visible", "is no {s} visible", "are there zero {p}", "is there never {a}",
    "there is no {s}", "there are no {p}", "is the road free of {p}", "not one {s}",
    "does the picture show no {p}", "is no {s} present", "are no {p} present",
)
ABSENCE_HELD_OUT: Final = (
    "are there not any {p}", "is no {s} in view", "is the image free of {p}",
    "do you see not a single {s}", "no {p} to be seen",
)

AT_LEAST: Final = (
    "at least {n} {p}", "{n} or more {p}", "no fewer than {n} {p}", "not less than {n} {p}",
    "a minimum of {n} {p}", "not fewer than {n} {p}",
)
MORE_THAN: Final = ("more than {n} {p}", "over {n} {p}", "greater than {n} {p}", "above {n} {p}")
FEWER_THAN: Final = ("fewer than {n} {p}", "less than {n} {p}", "under {n} {p}", "below {n} {p}")
AT_MOST: Final = (
    "at most {n} {p}", "no more than {n} {p}", "not more than {n} {p}", "{n} or fewer {p}",
    "a maximum of {n} {p}", "{n} {p} or fewer", "{n} or less {p}",
)
EXACTLY: Final = ("exactly {n} {p}", "just {n} {p}", "precisely {n} {p}", "only {n} {p}")
LOOSELY: Final = ("{n} {p}", "{n} {p}", "the number {n} of {p}")
BETWEEN: Final = ("between {n} and {n2} {p}", "from {n} to {n2} {p}", "{n} to {n2} {p}")
NUMBER_FRAMES: Final = (
    "{x}", "are there {x}", "are there {x}", "do you see {x}", "can you see {x}", "is there {x}",
    "are {x} visible", "does the picture show {x}", "are {x} present", "are {x} in view",
    "do we have {x}", "can {x} be seen", "{x} visible", "does the image contain {x}",
)
NUMBER_FRAMES_HELD_OUT: Final = (
    "would you say there are {x}", "are {x} in sight", "did you see {x}",
)

SEVERAL: Final = ("several {p}", "multiple {p}", "a number of {p}", "various {p}")
A_FEW: Final = ("a couple of {p}", "a pair of {p}", "more than one {s}", "some {p} not just one")
MANY: Final = ("many {p}", "lots of {p}", "a lot of {p}", "plenty of {p}", "a great number of {p}",
               "a large number of {p}")
SINGLE: Final = ("a single {s}", "only one {s}", "just one {s}", "exactly one {s}", "one {s} alone",
                 "one lone {s}")

CROWDED: Final = (
    "is it crowded", "is there a crowd", "is the place crowded", "is the street crowded",
    "is there a crowd of people", "are there crowds", "is it full of people", "crowded",
    "do you see a crowd", "is the scene crowded",
)
CROWDED_HELD_OUT: Final = ("is there a large crowd", "is the picture full of people")
JAM: Final = (
    "is there a traffic jam", "is traffic heavy", "is there heavy traffic", "is the road busy",
    "is there a lot of traffic", "is the traffic dense", "is there congestion",
    "is the road congested", "is the street full of cars", "traffic jam", "is it busy on the road",
    "is there a queue of cars", "is there much traffic", "are the lanes full", "dense traffic",
    "is the motorway jammed", "is the road jammed",
)
JAM_HELD_OUT: Final = (
    "is the street congested", "do you see heavy traffic", "is there dense traffic",
)
TRAFFIC: Final = (
    "is there traffic", "is there any traffic", "do you see traffic", "any traffic", "traffic",
    "is there some traffic", "can you see traffic", "traffic on the road",
)
TRAFFIC_HELD_OUT: Final = ("can you see any traffic",)
NO_TRAFFIC: Final = (
    "is there no traffic", "no traffic", "is the road free of traffic",
    "is there no vehicle on the road",
)
NO_TRAFFIC_HELD_OUT: Final = ("is the street free of traffic",)
EMPTY: Final = (
    "is the road empty", "is the street empty", "is the scene empty", "is the zone clear",
    "is the crossing free", "is the way clear", "is the road clear", "is nothing there",
    "is the area empty", "is it empty", "is there nothing on the road", "is the lane free",
    "is the crossing clear", "is the picture empty", "empty road", "nothing there",
    "is the zone empty", "is the junction clear", "is the driveway free", "is the path clear",
    "is the street clear", "is the street deserted", "is nothing in the way", "is everything clear",
    "is it clear", "is the zebra crossing clear", "is the zebra crossing free",
    "is the crosswalk clear", "is the intersection clear", "is the intersection empty",
    "is the motorway empty", "is the highway clear", "is the roadway clear",
    "is the carriageway clear", "is the crosswalk empty", "is the marked area empty",
    "is the lane empty",
)
EMPTY_HELD_OUT: Final = ("is the crossing empty", "is the street free", "is the driveway empty")
BLOCKED: Final = (
    "is the crossing blocked", "is the road blocked", "is something in the way",
    "is the road occupied", "is there anything on the road", "is anything there",
    "is something there", "is the lane blocked", "is the zone occupied", "do you see anything",
    "is there something on the street", "is the driveway blocked", "is the area occupied",
    "is anything blocking the road", "is something blocking the crossing",
    "is the way blocked", "is the path blocked", "is the crossing occupied", "anything there",
    "is the junction blocked", "is the crossing in use",
    "is the zebra crossing blocked", "is the crosswalk blocked", "is the intersection blocked",
    "is the roadway blocked", "is the carriageway blocked", "is anything on the road",
    "is something on the road", "is anything on the crossing",
)
BLOCKED_HELD_OUT: Final = (
    "is the street blocked", "is anything in the way", "is the lane occupied",
)

LIGHT_IS: Final = (
    "is the light {c}", "is the traffic light {c}", "is the signal {c}", "has the light turned {c}",
    "is the traffic light showing {c}", "does the traffic light show {c}", "the light is {c}",
    "is the traffic signal {c}", "has the traffic light gone {c}", "is the stoplight {c}",
    "is the light on {c}", "light {c}", "did the light turn {c}", "is it a {c} light",
    "does the signal show {c}", "are the traffic lights {c}", "are the lights {c}",
    "is the traffic light at {c}", "is the colour of the traffic light {c}",
    "is the color of the light {c}",
)
LIGHT_IS_HELD_OUT: Final = ("has the signal turned {c}", "is the light showing {c}",
                            "has the traffic light turned {c}")
LIGHT_COLOURS: Final = {
    "red_light": ("red",), "green_light": ("green",), "yellow_light": ("yellow", "amber", "orange"),
}

SCENE: Final[dict[str, tuple[str, ...]]] = {
    "night": (
        "is it night", "is it dark", "is it night time", "is it nighttime", "is it after dark",
        "is it dark outside", "was this taken at night", "is this a night scene", "night",
        "is it late at night", "does the picture show the night", "is it dark now", "at night",
        "is the scene dark", "is the picture dark", "is the street dark", "does it look dark",
    ),
    "day": (
        "is it day", "is it daytime", "is it day time", "is there daylight", "is it light outside",
        "is it bright outside", "was this taken by day", "is this a daytime scene", "daylight",
        "is it bright", "is it daylight", "in daylight", "does it look like day", "by day",
        "is the scene bright",
    ),
    "rain": (
        "is it raining", "is there rain", "is it rainy", "do you see rain", "is the weather rainy",
        "rain", "is rain falling", "does it rain", "is it raining outside", "can you see rain",
        "is there any rain", "raining",
    ),
    "fog": (
        "is it foggy", "is there fog", "is it misty", "is there mist", "do you see fog", "fog",
        "is the weather foggy", "can you see fog", "is there any fog", "foggy",
        "is the scene foggy",
        "is the view foggy", "mist",
    ),
}
SCENE_HELD_OUT: Final[dict[str, tuple[str, ...]]] = {
    "night": ("does it look like night", "is the view dark"),
    "day": ("is it daylight outside", "does the scene look bright"),
    "rain": ("does the picture show rain", "is it rainy outside"),
    "fog": ("is it foggy outside", "does the picture show fog"),
}

BOTH: Final = (
    "{a} and {a2}", "both {a} and {a2}", "{p} and {p2}", "{a} together with {a2}", "{a} with {a2}",
    "{a} as well as {a2}", "both {p} and {p2}", "{a} and also {a2}", "{s} and {s2}",
)
BUT_NO: Final = (
    "{a} but no {s2}", "{a} without {a2}", "{p} but no {p2}", "{a} and no {s2}", "{a} but not {a2}",
    "{p} without any {p2}", "{a} but not any {p2}", "{p} and no {p2}", "{s} but no {s2}",
)
EITHER: Final = (
    "{a} or {a2}", "either {a} or {a2}", "{p} or {p2}", "any {p} or {p2}", "{s} or {s2}",
    "any {s} or {s2}",
)
NEITHER: Final = (
    "neither {a} nor {a2}", "neither {p} nor {p2}", "no {s} and no {s2}", "no {p} and no {p2}",
    "no {p} or {p2}", "no {s} or {s2}",
)
PAIR_FRAMES: Final = (
    "{x}", "is there {x}", "is there {x}", "are there {x}", "do you see {x}", "can you see {x}",
    "does the picture show {x}", "does the image contain {x}", "do we have {x}", "is {x} visible",
    "are {x} visible",
)
PAIR_FRAMES_HELD_OUT: Final = (
    "does the camera see {x}", "would you say there is {x}", "is {x} in view",
)

PLACES: Final[dict[str, tuple[str, ...]]] = {
    "left": (
        "on the left", "on the left side", "to the left", "in the left half", "at the left",
        "on the left hand side", "in the left part of the picture", "on the left of the image",
        "in the left half of the picture", "left",
    ),
    "right": (
        "on the right", "on the right side", "to the right", "in the right half", "at the right",
        "on the right hand side", "in the right part of the picture", "on the right of the image",
        "in the right half of the picture", "right",
    ),
    "top": (
        "in the upper half", "at the top", "in the top half", "in the upper part of the picture",
        "in the upper half of the image", "at the top of the picture", "above the middle",
    ),
    "bottom": (
        "in the lower half", "at the bottom", "in the bottom half",
        "in the lower part of the picture",
        "in the lower half of the image", "at the bottom of the picture", "below the middle",
    ),
    "middle": (
        "in the middle", "in the centre", "in the center", "in the middle of the picture",
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

ANYWHERE: Final = (
    "", "", "", "", "in the picture", "in the image", "in this picture", "in the photo", "in view",
    "in the scene", "here", "on the street", "on the road", "in the frame", "right now",
    "at the moment", "currently", "now", "in the street", "in the zone", "in the area",
    "on the crossing", "at the crossing", "in this image", "in front of the camera", "in the video",
    "on the driveway", "at the junction", "at the intersection", "anywhere", "in this frame",
    "on the motorway", "on the highway", "on the lane", "in sight", "there", "outside",
    "at present",
    "in this scene", "on camera", "in the camera view", "on the crosswalk", "in the region",
    "on the ground", "at this time", "today", "inside the zone", "within the area", "again",
    "on this picture", "within the picture", "in the shot", "on the screen", "on screen", "at all",
    "somewhere", "in front", "around", "in the field of view", "on this street", "on this road",
    "on our street", "on the roadway", "on the carriageway", "on the pedestrian crossing",
    "on the zebra crossing", "in the marked area", "in the marked zone", "in this zone",
    "in this area", "inside the area", "in the lane", "within view", "on the camera",
    "in the current picture", "in the current image", "in the crossing", "in the intersection",
    "on the crossing now",
)
OPENERS: Final = (
    "", "", "", "", "", "", "", "", "", "", "", "", "please tell me", "tell me", "please",
    "i want to know", "could you tell me", "check", "please check", "hey", "so", "question",
    "let me know", "can you tell me", "say", "well", "and", "yes or no",
    "really", "actually", "ok", "hello", "just tell me", "a quick question", "would you check",
    "do you know", "i wonder",
)
NUMBER_WORDS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)
CONNECTIVES: Final = ("if", "whether")
