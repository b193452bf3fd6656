"""What to ask instead of what is never understood, word by word."""

from __future__ import annotations

from typing import Final

_PERSON = "ask for a person: age, sex and identity are not told apart"
_CAR = "ask for a car, a truck or a vehicle"
_PICTURE = "each picture is judged alone, so movement and acts are not seen: ask what is there"
_OPEN = "doors, gates and windows are not judged: ask who or what is in a zone drawn there"
_LOOKS = "clothes, things carried and looks are not judged: ask for a person, a car, a dog"
_COLOUR = "colours are judged of traffic lights only: leave the colour out"
_COUNT = "ask for YES or NO: 'at least 3 cars', 'no dog', 'a person on the left'"

NOTES: Final[dict[str, str]] = {
    "site": "the whole picture counts: draw a zone to ask about that place only",
    "stands": "moving or not, it counts",
}
"""By class of words: what is understood but not judged, where no zone is drawn."""

ADVICE: Final[dict[str, str]] = {
    word: advice
    for words, advice in (
        ("child children kid kids boy boys girl girls baby toddler man men woman women lady guy"
         " stranger burglar thief neighbour neighbor mailman postman wife husband son daughter"
         " worker policeman", _PERSON),
        ("van vans taxi taxis cab cabs pickup pickups suv suvs ambulance police jeep limousine",
         _CAR),
        ("moving driving running sitting lying riding playing fighting barking sleeping fallen"
         " falling crossing speeding turning reversing stopped leaving arriving entering going"
         " coming carrying holding", _PICTURE),
        ("open closed shut locked unlocked ajar", _OPEN),
        ("wearing helmet hat umbrella bag backpack uniform mask jacket shirt", _LOOKS),
        ("red green yellow amber orange white black blue grey gray silver brown pink", _COLOUR),
        ("parked standing waiting walking", "say where: 'a car parked on the driveway'"),
        ("how where what which who whose when why", _COUNT),
        ("blocking", "ask 'is the driveway blocked?', or 'is there a car?' in a zone drawn there"),
        ("light lights", "ask for a traffic light, or whether the light is red, yellow, green"),
    )
    for word in words.split()
}  # fmt: skip
