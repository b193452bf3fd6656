"""Classes of words, and the sequences of them that training questions use."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Final

from edge_daemon.engine.wording import Wording
from edge_daemon.training import grammar
from edge_daemon.training.advice import ADVICE, NOTES
from edge_daemon.training.concepts import CONCEPTS, LIGHTS, SCENES
from edge_daemon.training.questions import draw

if TYPE_CHECKING:
    from collections.abc import Iterable

_DRAWS: Final = 30_000
_OFTEN: Final = 2  # a sequence drawn less often was not learned

# fmt: off
# ruff: noqa: SIM905 - one word per line would bury them
FILLERS: Final = tuple(
    "a an the this that my our your any some current whole currently again still really"
    " actually just already always please also".split()
)
_SILENT: Final = tuple(
    "is are was were be been being has have had do does did can could would you we i me us it there"
    " here see seen seeing saw show shows showing look looking detect detected notice spot spotted"
    " find found appear appeared appears contain contains visible present view sight picture image"
    " photo video frame footage feed snapshot shot screen camera monitor scene possibly true sign"
    " tell let know say well want check isnt arent at all now".split()
)
_VIEWS: Final = tuple(
    "picture image photo video frame footage feed snapshot shot screen camera monitor scene view"
    " sight zone area region".split()
)
_PHRASES: Final[dict[str, str]] = {
    "amount": "at least,no fewer than,no less than,not less than,not fewer than,minimum of,"
              "more than,over,greater than,above,fewer than,less than,under,below,at most,"
              "no more than,not more than,maximum of,exactly,precisely,only,number",
    "bound": "or more,or fewer,or less",
    "several": "several,multiple,number of,various,couple of,pair of,many,lots of,lot of,"
               "plenty of,great number of,large number of,single,one or more,one lone,"
               "not just one,much",
    "none": "no,zero,not single,not one,not,never",
    "nobody": "no one,nobody,nobody home,no one home",
    "thing": "anyone,anybody,someone,somebody,anybody home,anyone home,someone home",
    "turned": "turn,turned,gone,switched to",
    "anything": "anything,something",
    "colour": "red,green,yellow,amber,orange",
    "lamp": "light,lights,signal,signals,stoplight,stoplights,traffic light,traffic lights,"
            "traffic signal,traffic signals,signal light,signal lights",
    "in": "in,on,at,by,inside,along,within,to,in front of",
    "out": "outside,around",
    "fog": "fog,foggy,mist,misty",
    "rain": "rain,rainy,raining",
    "near": "near,close to,close by,near us,nearby,up close,very near,in foreground,"
            "right in front of camera,very close to camera,near camera,close to camera",
    "far": "far away,far off,in distance,in background,at distance,long way off,further away,"
           "far from camera,far away from camera",
    "level": "upper,lower,top,bottom,above middle,below middle",
    "side": "left,right",
    "middle": "middle,centre,center,central",
    "part": "half,part,side,corner,hand side",
    "joined": "and,together with,with,as well as,and also",
    "clear": "clear,free,empty,deserted,unoccupied,vacant,unblocked,all clear,completely empty,"
             "totally free,look empty",
    "blocked": "blocked,occupied,obstructed,in use,in way,look blocked",
    "night": "late at night,at night,by night,night,nighttime,night time,after dark,dark",
    "day": "it light,day,daytime,day time,daylight,by day,bright,in daylight",
    "jam": "traffic jam,queue of cars",
    "busy": "crowded,congested,jammed",
    "": "field of view,look like,looks like,if,whether,to be seen,right now,at moment,"
        "in front of camera,at present,at this time,"
        "yes or no,quick question,in live view,on ground,at this moment,in there,all over,"
        "going to,any sign of,is it true,would you say",
}
# fmt: on


@cache
def make_wording() -> Wording:
    """What the grammar as it is now can say, from the same questions every time."""
    rng, counted = Random(1), Counter[str]()
    empty = Wording(fillers=list(FILLERS), classes=_classes(), sequences=[], advice={}, notes={})
    for _ in range(_DRAWS):
        _, text = draw(rng, rng.choice(CONCEPTS + SCENES))
        counted.update(classes for classes, _ in empty.runs(text.split()))
    learned = sorted(run for run, n in counted.items() if n >= _OFTEN)
    return empty.model_copy(
        update={"sequences": learned, "advice": dict(ADVICE), "notes": dict(NOTES)}
    )


def _classes() -> dict[str, str]:
    """Class of each phrase; later ones win."""
    found = dict.fromkeys(map(_bare, _SILENT), "")
    found |= dict.fromkeys(_bares((*grammar.ANYWHERE, *grammar.OPENERS)), "")
    found |= dict.fromkeys((*grammar.NUMBER_WORDS, *map(str, range(21))), "number")
    for kind, phrases in _PHRASES.items():
        found |= dict.fromkeys(phrases.split(","), kind)
    for preposition in ("in", "on", "of", "within", "inside"):
        for view in _VIEWS:
            found[f"{preposition} {view}"] = found[f"{preposition} camera {view}"] = ""
            found[f"{preposition} marked {view}"] = ""
    for site in _bares(grammar.SITES):
        found |= {site: "site"} | {f"{end} {site}": "site" for end in ("front", "back")}
    found |= dict.fromkeys(_bares(("zone", "marked area", "area", "way", "parking")), "site")
    for words in grammar.DOING.values():
        found |= dict.fromkeys(words, "stands")
    for concept in CONCEPTS:
        if concept not in LIGHTS:  # "red light" is a colour and a light
            kind = concept if concept == "traffic_light" else "thing"
            found |= dict.fromkeys(_bares(n for pair in grammar.NOUNS[concept] for n in pair), kind)
    found.pop("", None)
    return found


def _bares(phrases: Iterable[str]) -> list[str]:
    return [_bare(phrase) for phrase in phrases]


def _bare(phrase: str) -> str:
    return " ".join(word for word in phrase.split() if word not in FILLERS)
