"""Classes of words, and the sequences of them that training questions use."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Final

from edge_daemon.engine.wording import Wording
from edge_daemon.training import grammar, lexicon
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
    "a an the this that these those my our your any some current whole currently again still really"
    " actually just already please also absolutely".split()
)
_SILENT: Final = tuple(
    "is are have has do does did can could would it there here now seen spotted found"
    " detected appear appeared appears visible present showing possibly isnt arent picture image"
    " photo video frame footage feed snapshot shot screen camera monitor scene view sight".split()
)
_VIEWS: Final = tuple(
    "picture image photo video frame footage feed snapshot shot screen camera monitor scene view"
    " sight zone area region".split()
)
# "you see a dog" says nothing beside "a dog"; "the dog sees" does.
_SEERS: Final = tuple("you we it camera picture image photo video frame scene".split())
_SEES: Final = tuple(
    "see seen seeing have notice detect spot spotted find found show shows contain contains".split()
)
_IMPERATIVES: Final = tuple("see,look for,find,spot,shows,contains,there is,there are".split(","))
_SHARPNESS: Final = tuple("clear sharp blurred dirty".split())
_WHOSE: Final = tuple("my our your his her their mine".split())
_PHRASES: Final[dict[str, str]] = {
    "amount": "at least,no fewer than,no less than,not less than,not fewer than,minimum of,"
              "more than,over,greater than,above,fewer than,less than,under,below,at most,"
              "no more than,not more than,maximum of,exactly,precisely,only,number",
    "bound": "or more,or fewer,or less",
    "several": "several,multiple,number of,various,couple of,pair of,many,lots of,lot of,"
               "plenty of,great number of,large number of,single,one or more,one lone,"
               "not just one,much",
    "none": "no,zero,not single,not one,not,none of,not even one,not even single,you not see,"
            "not see",
    "nobody": "no one,nobody,nobody home,no one home,everyone gone,everybody gone",
    "thing": "anyone,anybody,someone,somebody,anybody home,anyone home,someone home",
    "turned": "turn,turned,gone,switched to",
    "missing": "missing,absent",
    "anything": "anything,something",
    "colour": "red,green,yellow,amber,orange",
    "lamp": "light,lights,signal,signals,stoplight,stoplights,traffic light,traffic lights,"
            "traffic signal,traffic signals,signal light,signal lights",
    "in": "in,on,at,by,inside,along,within,to,in front of",
    "out": "outside,around",
    "fog": "fog,foggy,mist,misty,thick fog,dense fog,heavy fog,fog thick,getting foggy,got foggy,"
           "in fog",
    "rain": "rain,rainy,raining,pouring,drizzling,rainfall,rain falling,heavy rain,been raining,"
            "started raining,started to rain,start to rain,start raining,raining out,raining yet",
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
    "blocked": "blocked,being blocked,occupied,obstructed,in use,in way,look blocked",
    "night": "late at night,at night,by night,night,nighttime,night time,after dark,dark,darkness,"
             "getting dark,got dark,get dark,night fallen,pitch dark,dark out,dark yet,in dark,"
             "night yet,not day,not daytime,not light,not it light,no daylight,no longer day,"
             "it not light,it not day,it not daytime,it no longer day",
    "day": "it light,day,daytime,day time,daylight,by day,bright,in daylight,it light out,"
           "it light yet,day yet,bright out,broad daylight,getting light,got light,getting bright,"
           "not dark,not night,no longer dark,no longer night,not yet dark,not dark yet,"
           "taken by day",
    "jam": "traffic jam,queue of cars",
    "busy": "crowded,congested,jammed",
    "": "field of view,it look,scene look,look like,it look like,scene look like,to be seen,"
        "be seen,there be,being detected,been detected,been seen,been spotted,sign of,trace of,"
        "or not,was taken,picture taken,camera looking at,camera see,camera seeing,right now,"
        "at moment,"
        "in front of camera,at present,at this time,"
        "in live view,on ground,at this moment,in there,all over,"
        "is it true,would you say",
}
# fmt: on


@cache
def make_wording() -> Wording:
    """What the grammar as it is now can say, from the same questions every time."""
    rng, counted = Random(1), Counter[str]()
    empty = Wording(
        fillers=list(FILLERS), classes=_classes(), sequences=[], advice={}, notes={},
        openers=_openers(), barred=_barred(),
    )  # fmt: skip
    for _ in range(_DRAWS):
        _, text = draw(rng, rng.choice(CONCEPTS + SCENES))
        counted.update(classes for classes, _ in empty.runs(text.split()))
    learned = sorted(run for run, n in counted.items() if n >= _OFTEN)
    return empty.model_copy(
        update={"sequences": learned, "advice": dict(ADVICE), "notes": dict(NOTES)}
    )


def _openers() -> list[str]:
    """What may stand before a question, with its articles and without."""
    said = {opener for opener in grammar.OPENERS if opener} | {"yes or no"}
    said |= {_bare(opener) for opener in said}
    asked = {f"{opener} {word}" for opener in said for word in (*grammar.CONNECTIVES, "that")}
    return sorted((said | asked | set(_IMPERATIVES)) - {""})


def _barred() -> list[str]:
    """Words in a row whose classes say less than they do.

    Whose something is; how sharp a picture is; pictures of things; lamps and panes of houses.
    """
    mine = [f"{it} {whose}" for it in ("is that", "is this", "is it", "are these", "are those")
            for whose in _WHOSE]  # fmt: skip
    views = [view for view in _VIEWS if view not in ("zone", "area", "region", "sight")]
    sharp = [f"{view} {how}" for view in views for how in _SHARPNESS]
    shown = [f"{view} of {of}" for view in views for of in ("a", "an", "my", "our", "your")]
    lamps = [
        f"{some} {lamp}" for some in ("a", "any", "some", "there") for lamp in ("light", "lights")
    ]
    panes = ["rain on", *(f"window {how}" for how in ("foggy", "misty", "dark", "bright"))]
    return sorted((*mine, *sharp, *shown, *lamps, *panes))


def _classes() -> dict[str, str]:
    """Class of each phrase; later ones win."""
    found = dict.fromkeys(map(_bare, _SILENT), "")
    found |= dict.fromkeys((f"{who} {sees}" for who in _SEERS for sees in _SEES), "")
    found |= dict.fromkeys(_bares(grammar.ANYWHERE), "")
    found |= dict.fromkeys((*lexicon.NUMBER_WORDS, *map(str, range(21))), "number")
    for kind, phrases in _PHRASES.items():
        found |= dict.fromkeys(phrases.split(","), kind)
    for preposition in ("in", "on", "of", "within", "inside"):
        for view in _VIEWS:
            found[f"{preposition} {view}"] = found[f"{preposition} camera {view}"] = ""
            found[f"{preposition} marked {view}"] = ""
    for site in _bares(lexicon.SITES):
        found |= {site: "site"} | {f"{end} {site}": "site" for end in ("front", "back")}
    found |= dict.fromkeys(_bares(("zone", "marked area", "area", "way", "parking")), "site")
    for words in lexicon.DOING.values():
        found |= dict.fromkeys(words, "stands")
    for concept in CONCEPTS:
        if concept not in LIGHTS:  # "red light" is a colour and a light
            kind = concept if concept == "traffic_light" else "thing"
            found |= dict.fromkeys(_bares(n for pair in lexicon.NOUNS[concept] for n in pair), kind)
    found.pop("", None)
    return found


def _bares(phrases: Iterable[str]) -> list[str]:
    return [_bare(phrase) for phrase in phrases]


def _bare(phrase: str) -> str:
    return " ".join(word for word in phrase.split() if word not in FILLERS)
