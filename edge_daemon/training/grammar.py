"""The English the question encoder learns: its sentence patterns.  Their words are in lexicon.py.

A pattern's fields: {a} "a car", {s} "car", {p} "cars", {n} a number; {a2} {s2} {p2} {n2} the
second noun or number; {site} "the driveway", {on} "in the garden", {doing} "parked".
HELD_OUT patterns are never trained on: they measure paraphrase.
"""

from __future__ import annotations

from typing import Final

# One phrase per line would bury them: lists are kept as running text.
# fmt: off

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
    "are you seeing {a}", "is {a} currently visible", "is {a} in the frame", "is there {a} visible",
    "are there {p} visible", "are there any {p} visible", "can you detect {a}",
    "do you detect any {p}", "is {a} being detected", "do you notice {a}", "is {a} showing",
    "is there {a} showing", "is there {a} in there", "do you currently see {a}",
    "does the camera currently see {a}", "is the camera seeing {a}", "are there currently any {p}",
    "is there currently {a}", "is {a} on camera", "has the camera detected {a}",
    "is there one {s} or more", "one {s} or more", "is there one {s} at least",
    "is that {a}", "is this {a}", "is it {a}", "are these {p}", "are those {p}",
    "is there {a} or not",
)
LOCATED: Final = (
    "is there {a} {doing} {on}", "are there {p} {doing} {on}", "are there any {p} {doing} {on}",
    "is {a} {doing} {on}", "are {p} {doing} {on}", "do you see {a} {doing} {on}",
    "can you see any {p} {doing} {on}", "any {p} {doing} {on}", "{a} {doing} {on}",
    "is any {s} {doing} {on}", "do you see {p} {doing} {on}",
)
LOCATED_HELD_OUT: Final = (
    "have you seen {a} {doing} {on}", "does the camera show {p} {doing} {on}",
    "is there at least one {s} {doing} {on}", "can {a} be seen {doing} {on}",
)
SOMEBODY_LOCATED: Final = (
    "is anyone {doing} {on}", "is somebody {doing} {on}", "is someone {doing} {on}",
    "is anybody {doing} {on}", "is there someone {doing} {on}", "do you see anyone {doing} {on}",
    "is there anybody {doing} {on}",
)
SOMEBODY_LOCATED_HELD_OUT: Final = (
    "can you see someone {doing} {on}", "is there anyone {doing} {on}",
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
    "is anyone", "is somebody", "is someone", "has anyone been detected", "is anybody home",
    "is someone at home", "is anyone around", "is somebody around", "anyone around", "someone",
)
SOMEBODY_HELD_OUT: Final = (
    "is anybody visible", "can you see someone", "is there anybody in sight",
)

NOBODY: Final = (
    "is nobody there", "is there nobody", "nobody there", "is no one there", "is nobody in view",
    "is there no one in the picture", "is nobody visible", "is no one visible",
    "is it deserted", "is {site} deserted",
    "is no one", "is nobody", "nobody", "no one", "is there not anybody", "do you see no one",
    "do you see nobody", "is there no one", "is nobody around", "is nobody home", "no one there",
    "is nobody at home", "is everyone gone", "is everybody gone", "has everyone gone",
    "has everybody gone", "are all people gone", "is there no sign of anybody",
    "is there no sign of anyone", "not a single person", "is not anybody there",
    "is nobody here", "nobody here", "nobody {on}", "no one {on}", "is nobody {on}",
    "is there nobody {on}", "is no one {on}", "can you see nobody", "do you not see anyone",
    "do you not see anybody", "is there really nobody", "is there absolutely nobody",
)
NOBODY_HELD_OUT: Final = (
    "is there nobody in sight", "is no one here", "do you see nobody there",
    "would you say nobody is there",
)

ABSENCE: Final = (
    "no {p}", "no {s}", "is there no {s}", "are there no {p}", "is the picture free of {p}",
    "is the scene free of {p}", "without any {p}", "is there not a single {s}",
    "no {s} in sight", "no {p} in view", "no {p} visible", "is {a} absent", "are {p} absent",
    "is there not any {s}", "do you see no {p}", "do you not see any {p}",
    "are no {p} visible", "is no {s} visible", "are there zero {p}",
    "there is no {s}", "there are no {p}", "is the road free of {p}", "not one {s}",
    "is {site} free of {p}", "is {site} clear of {p}", "is {site} without {p}",
    "does the picture show no {p}", "is no {s} present", "are no {p} present",
    "are there currently no {p}",
    "is there no sign of {a}", "is there no sign of any {p}", "no sign of {a}",
    "no sign of any {p}", "no sign of {p}", "is there no trace of {a}", "no trace of {p}",
    "is it true that there is no {s}", "is it true that there are no {p}",
    "not even one {s}", "not even a single {s}", "not a single {s}", "is there not one {s}",
    "is there not even one {s}", "is not a single {s} visible", "are not any {p} visible",
    "is no {s} around", "are no {p} around", "is no {s} there", "are no {p} there",
    "no {s} there", "no {p} there", "no {p} here", "no {s} here", "no {p} anywhere",
    "no {s} anywhere", "is no {s} here", "are no {p} here", "is no {s} in the frame",
    "are no {p} in the frame", "are no {p} in sight", "are no {p} in the picture",
    "is there absolutely no {s}", "are there absolutely no {p}", "are there really no {p}",
    "is there still no {s}", "are there still no {p}", "is there really no {s}",
    "does the camera see no {p}", "does the picture contain no {p}", "does the image show no {s}",
    "does the camera see no {s}", "does the image contain no {s}", "can you see no {p}",
    "can you not see any {p}", "do you not see {a}", "can you not see {a}", "did you see no {p}",
    "do you detect no {p}", "do we see no {p}", "do we have no {p}",
    "is the scene without {p}", "is the picture without {a}", "is the scene without any {p}",
    "without {a}", "without {p}", "is the view free of {p}", "is the frame free of {p}",
    "is the zone free of {p}", "is the area free of {p}", "is the area clear of {p}",
    "is the zone clear of any {p}", "is the video free of {p}", "free of {p}", "clear of {p}",
    "is it free of {p}", "is it clear of {p}", "is {site} completely free of {p}",
    "is {site} free of any {p}", "is {site} empty of {p}", "is {site} without any {p}",
    "is {site} without {a}",
    "has no {s} appeared", "have no {p} appeared", "has no {s} been detected", "no {s} detected",
    "no {p} detected", "are no {p} detected", "is no {s} detected", "{s} absent", "{p} absent",
    "are all {p} gone", "have all {p} gone", "all {p} gone", "is {a} missing", "are {p} missing",
    "is there not {a}", "is {a} not visible", "is {a} not there", "are {p} not visible",
    "are {p} not there", "is {a} not present", "{a} not visible", "are there none of the {p}",
)
ABSENCE_HELD_OUT: Final = (
    "are there not any {p}", "is no {s} in view", "is the image free of {p}",
    "do you see not a single {s}", "no {p} to be seen",
    "would you say there are no {p}", "can you find no {s}", "is there currently no {s}",
    "is the camera view without {p}",
)

AT_LEAST: Final = (
    "at least {n} {p}", "{n} or more {p}", "no fewer than {n} {p}", "not less than {n} {p}",
    "a minimum of {n} {p}", "not fewer than {n} {p}",
    "{n} {p} or more",
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
    "is it crowded", "is there a crowd", "is the place crowded", "is {site} crowded",
    "is {site} full of people",
    "is there a crowd {on}", "is there a crowd of people", "is there a large crowd",
    "are there crowds", "is it full of people", "crowded",
    "do you see a crowd", "is the scene crowded", "is it crowded {on}",
    "is {site} busy with people", "is it crowded outside", "is it crowded here",
    "is it crowded there", "is it crowded right now", "is it crowded now",
)
CROWDED_HELD_OUT: Final = ("do you see crowds", "is the picture full of people")
JAM: Final = (
    "is there a traffic jam", "is traffic heavy", "is there heavy traffic", "is the road busy",
    "is there a lot of traffic", "is the traffic dense", "is there congestion",
    "is the road congested", "is the street full of cars", "traffic jam", "is it busy on the road",
    "is there a queue of cars", "is there much traffic", "are the lanes full", "dense traffic",
    "is {site} jammed", "is {site} congested",
    "is there a traffic jam {on}", "is there heavy traffic {on}", "is there a lot of traffic {on}",
    "is traffic heavy {on}", "is {site} full of cars", "is there congestion {on}",
    "is there a queue of cars {on}", "is there much traffic {on}",
)
JAM_HELD_OUT: Final = (
    "is the street congested", "do you see heavy traffic", "is there dense traffic",
)
TRAFFIC: Final = (
    "is there traffic", "is there any traffic", "do you see traffic", "any traffic", "traffic",
    "is there some traffic", "can you see traffic", "is there traffic {on}",
    "is there any traffic {on}", "do you see traffic {on}", "traffic {on}",
)
TRAFFIC_HELD_OUT: Final = ("can you see any traffic",)
NO_TRAFFIC: Final = (
    "is there no traffic", "no traffic", "is {site} free of traffic", "is there no traffic {on}",
    "is {site} clear of traffic", "is {site} free of vehicles", "is there no sign of traffic",
    "is {site} without traffic", "without traffic", "is there not any traffic",
    "do you see no traffic", "is there hardly any traffic", "is {site} clear of vehicles",
)
NO_TRAFFIC_HELD_OUT: Final = ("is the street free of traffic",)
EMPTY: Final = (
    "is {site} empty", "is {site} empty", "is {site} clear", "is {site} clear", "is {site} free",
    "is {site} free", "is {site} deserted", "is {site} unoccupied", "is {site} vacant",
    "is nothing {on}", "is there nothing {on}", "nothing {on}", "do you see nothing {on}",
    "is nothing blocking {site}", "is {site} not blocked", "is {site} completely empty",
    "is {site} unblocked", "is {site} all clear", "is {site} still empty",
    "is {site} currently empty", "is {site} clear now", "is {site} not occupied",
    "is the scene empty", "is the zone clear", "is the way clear", "is nothing there",
    "is the area empty", "is it empty", "is the picture empty", "nothing there",
    "is the zone empty", "is the path clear", "is nothing in the way", "is everything clear",
    "is it clear", "is the marked area empty", "is the zone free", "is the area clear",
    "is the view empty", "is nothing visible", "is there nothing in view",
)
EMPTY_HELD_OUT: Final = (
    "does {site} look empty", "would you say {site} is clear", "would you say {site} is free",
    "is there nothing to be seen {on}",
)
BLOCKED: Final = (
    "is {site} blocked", "is {site} blocked", "is {site} occupied", "is {site} in use",
    "is anything {on}", "is something {on}", "is there anything {on}", "is there something {on}",
    "is anything blocking {site}", "is something blocking {site}", "anything {on}",
    "do you see anything {on}", "is {site} obstructed", "is {site} not empty",
    "is {site} not clear",
    "is {site} not free", "is {site} being blocked", "something {on}",
    "is something in the way", "is anything there", "is something there", "is the zone occupied",
    "do you see anything", "is the area occupied", "is the way blocked", "is the path blocked",
    "anything there", "is anything visible", "is something in view", "is the zone blocked",
)
BLOCKED_HELD_OUT: Final = (
    "does {site} look blocked", "is anything in the way", "would you say {site} is occupied",
    "can you see something {on}",
)

LIGHT_IS: Final = (
    "is the light {c}", "is the traffic light {c}", "is the signal {c}", "has the light turned {c}",
    "is the traffic light showing {c}", "does the traffic light show {c}", "the light is {c}",
    "is the traffic signal {c}", "has the traffic light gone {c}",
    "has the traffic light switched to {c}",
    "did the traffic light turn {c}", "is the stoplight {c}",
    "is the signal showing {c}", "is the light showing {c}", "is the signal light {c}",
    "is the light currently {c}", "is the traffic light {c} now", "is there a {c} light showing",
    "light {c}", "did the light turn {c}", "is it a {c} light",
    "does the signal show {c}", "are the traffic lights {c}", "are the lights {c}",
    "is the traffic light {on} {c}", "is the light {on} {c}", "is the signal {on} {c}",
    "is the traffic light at {c}", "is the colour of the traffic light {c}",
    "is the color of the light {c}",
)
LIGHT_IS_HELD_OUT: Final = ("has the signal turned {c}", "is the stoplight showing {c}",
                            "has the traffic light turned {c}")

SCENE: Final[dict[str, tuple[str, ...]]] = {
    "night": (
        "is it night", "is it dark", "is it night time", "is it nighttime", "is it after dark",
        "is it dark outside", "was this taken at night", "is this a night scene", "night",
        "is it late at night", "does the picture show the night", "is it dark now", "at night",
        "is the scene dark", "is the picture dark", "is the street dark", "does it look dark",
        "is it dark now", "is it currently dark", "is it currently night", "is {site} dark",
        "is it dark {on}", "is it night now", "is it night outside", "is it dark right now",
        "is it dark", "is it night", "is it dark out", "is it dark yet", "is it night yet",
        "is it already dark", "is it already night", "is it still dark", "is it still night",
        "has it got dark", "is it getting dark", "did it get dark", "has night fallen",
        "is it pitch dark", "does it look dark outside", "does it look dark {on}",
        "does the scene look dark", "does {site} look dark", "do you see a dark scene",
        "is the image dark", "is the frame dark", "is the whole picture dark", "is the video dark",
        "is this at night", "is this by night", "is it a night scene", "is this a night picture",
        "is it night in the picture", "is it dark in the picture", "is the picture taken at night",
        "does the image show the night", "is it not day", "is it not daytime", "is it not light",
        "is there no daylight", "no daylight", "is it no longer day", "dark", "nighttime",
        "isnt it dark", "isnt it night", "dark outside", "do you see darkness", "is there darkness",
        "is it in the dark", "is {site} in the dark", "is everything dark",
    ),
    "day": (
        "is it day", "is it daytime", "is it day time", "is there daylight", "is it light outside",
        "is it bright outside", "was this taken by day", "is this a daytime scene", "daylight",
        "is it bright", "is it daylight", "in daylight", "does it look like day", "by day",
        "is the scene bright", "is it still daylight", "is it light now", "is it day now",
        "is it currently daytime", "is it still light outside", "is it daytime right now",
        "is it day", "is it daytime", "is it day outside", "is it daytime outside",
        "is it bright out", "is it light out", "is it light yet", "is it day yet",
        "is it already light", "is it already day", "is it still day", "is it still light",
        "is it still daytime", "is it getting light", "has it got light", "is it getting bright",
        "do you see daylight", "can you see daylight", "is there any daylight",
        "is daylight visible", "is it broad daylight", "does it look bright",
        "does it look bright outside",
        "does it look like daytime", "is the image bright", "is the picture bright",
        "is the street bright", "is {site} bright", "is {site} in daylight", "is the view bright",
        "is it a daytime scene", "is this a daytime picture", "is this by day",
        "is this in daylight", "is it day in the picture", "is the picture taken by day",
        "daytime", "day", "bright",
        "is it not dark", "is it not night", "is it no longer dark", "is it no longer night",
        "isnt it day", "isnt it bright", "bright outside", "is it bright {on}", "is it light {on}",
        "is it day {on}", "is everything bright", "is it not yet dark", "is it not dark yet",
    ),
    "rain": (
        "is it raining", "is there rain", "is it rainy", "do you see rain", "is the weather rainy",
        "rain", "is rain falling", "does it rain", "is it raining outside", "can you see rain",
        "is there any rain", "raining", "is it raining now", "is it currently raining",
        "is it raining right now", "is it raining {on}", "is it rainy now",
        "is it raining outside now",
        "is it raining", "is it raining", "is it raining out", "is it raining yet",
        "is it already raining", "is it still raining", "has it been raining",
        "has it started raining", "has it started to rain", "did it start to rain",
        "did it start raining", "is rain visible", "can you see any rain", "do you see any rain",
        "is it pouring", "is it pouring outside", "is it pouring {on}", "is there rainfall",
        "is there heavy rain", "is there rain outside",
        "is the picture rainy", "is the scene rainy", "is the image rainy", "is the view rainy",
        "does it look rainy",
        "does it look like rain", "does the image show rain", "does the camera see rain",
        "isnt it raining", "rainy", "rain falling", "do you notice rain", "is any rain falling",
        "does it rain outside", "does it rain {on}", "does it rain now", "is this a rainy scene",
        "is it drizzling", "is there any sign of rain", "do you detect rain", "rain outside",
    ),
    "fog": (
        "is it foggy", "is there fog", "is it misty", "is there mist", "do you see fog", "fog",
        "is the weather foggy", "can you see fog", "is there any fog", "foggy",
        "is the scene foggy",
        "is the view foggy", "mist", "is it foggy now", "is it currently foggy", "is it foggy {on}",
        "is there fog {on}", "is it misty outside", "is {site} foggy", "is it misty now",
        "is it foggy right now",
        "is it foggy", "is there fog", "is there fog outside", "is there mist outside",
        "is fog visible", "is mist visible", "can you see any fog", "do you see any fog",
        "do you see mist", "can you see mist", "is there thick fog", "is there dense fog",
        "is there heavy fog", "is the fog thick", "is the picture foggy", "is the image foggy",
        "does the image show fog", "does the camera see fog", "does it look foggy",
        "does it look misty", "does the scene look foggy", "is it still foggy",
        "is it already foggy", "is it still misty", "is {site} misty", "is {site} in fog",
        "misty", "is the scene misty",
        "isnt it foggy", "is it getting foggy", "has it got foggy", "is it foggy out",
        "is this a foggy scene", "is there any mist", "is the picture misty", "is there mist {on}",
        "is there any sign of fog", "do you detect fog", "do you notice fog", "fog outside",
        "is everything in fog", "is it misty {on}",
    ),
}
SCENE_HELD_OUT: Final[dict[str, tuple[str, ...]]] = {
    "night": ("does it look like night", "is the view dark", "would you say it is dark"),
    "day": ("is it daylight outside", "does the scene look bright", "would you say it is day"),
    "rain": ("does the picture show rain", "is it rainy outside", "would you say it is raining"),
    "fog": ("is it foggy outside", "does the picture show fog", "would you say it is foggy"),
}
SCENE_ANYWHERE: Final = (
    "right now", "now", "at the moment", "currently", "here", "there", "at present", "in the scene",
    "at this moment", "in the picture", "in the image", "just now", "on camera", "in the frame",
)
"""Ends of such questions; not "outside", of which the held-out patterns are made."""

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
    "no {p} or {p2}", "no {s} or {s2}", "not {a} or {a2}", "no {s} nor {s2}", "no {p} nor {p2}",
    "no {p} no {p2}", "no {s} no {s2}",
)
FREE_OF_BOTH: Final = (
    "is {site} free of {p} and {p2}", "is {site} clear of {p} and {p2}",
    "is {site} free of {p} or {p2}", "is the picture free of {p} and {p2}",
    "is the scene free of {p} and {p2}", "are all {p} and {p2} gone",
    "is {site} without {p} or {p2}", "is {site} without {p} and {p2}",
)
"""Whole questions, which mean neither."""
PAIR_FRAMES: Final = (
    "{x}", "is there {x}", "is there {x}", "are there {x}", "do you see {x}", "can you see {x}",
    "does the picture show {x}", "does the image contain {x}", "do we have {x}", "is {x} visible",
    "are {x} visible",
)
PAIR_FRAMES_HELD_OUT: Final = (
    "does the camera see {x}", "would you say there is {x}", "is {x} in view",
)

ANYWHERE: Final = (
    "in the picture", "in the image", "in this picture", "in the photo", "in view",
    "in the scene", "here", "in the frame", "right now", "at the moment", "currently", "now",
    "in the zone", "in the area", "in this image", "in front of the camera", "in the video",
    "anywhere", "in this frame", "in sight", "there", "outside", "at present",
    "in this scene", "on camera", "in the camera view", "in the region", "on the ground",
    "at this time", "inside the zone", "within the area", "again", "on this picture",
    "within the picture", "in the shot", "on the screen", "on screen", "at all", "somewhere",
    "around", "in the field of view", "in the marked area", "in the marked zone",
    "in this zone", "in this area", "inside the area", "within view", "on the camera",
    "in the current picture", "in the current image", "in this photo", "in the current frame",
    "in the camera image", "in the camera picture", "visible right now", "at this moment",
    "in the footage", "in the feed", "on the feed", "in the snapshot", "in frame", "on video",
    "in the live view", "on the monitor", "in the whole image",
    "in the camera frame", "just now", "please", "still", "already",
)
ANYWHERE_HELD_OUT: Final = (
    "in this shot", "in the view", "on this camera", "in this video", "in the whole picture",
    "in the picture right now", "in the frame at the moment", "in view currently",
)

OPENERS: Final = (
    "", "", "", "", "", "", "", "", "", "", "", "", "please tell me", "tell me", "please",
    "i want to know", "could you tell me", "check", "please check", "hey", "so", "question",
    "let me know", "can you tell me", "say", "well", "and", "yes or no",
    "really", "actually", "ok", "hello", "just tell me", "a quick question", "would you check",
    "do you know", "i wonder",
)
CONNECTIVES: Final = ("if", "whether")
