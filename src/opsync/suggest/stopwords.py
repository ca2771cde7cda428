"""Words that say nothing about what work is, in the languages of the tools' users."""

from __future__ import annotations

_BY_LANGUAGE = {
    "English": (
        "a an and are as at be by can for from has have how in into is it its no not of on or our "
        "so that the their them then there this to via vs was we when where which while will with "
        "you your etc"
    ),
    "German": (
        "als am an auf aus bei bis das dem den der des die durch ein eine einem einen einer es "
        "fur im in ist mit nach nicht noch oder ohne sich sind uber um und vom von vor zu zum zur"
    ),
    "French": (
        "au aux avec ce ces dans de du elle en est et il la le les leur ne nos notre ou par pas "
        "pour que qui sa sans se ses son sur un une"
    ),
    "Spanish": (
        "al como con de del el en es esta este la las lo los mas no o para pero por se sin sobre "
        "su sus un una y"
    ),
    "Portuguese": (
        "a ao as com como da das de do dos e em foi mas na nas no nos o os para pelo pela por que "
        "se sem ser seu sua um uma"
    ),
    "Italian": (
        "al alla che con da dal dalla degli dei del della delle di e gli i il in la le nel nella "
        "non per piu sono sul tra un una"
    ),
    "Dutch": (
        "aan bij dat de een en het in met naar niet om ook op of te tot uit van voor wordt zijn"
    ),
}

STOP_WORDS = frozenset(word for words in _BY_LANGUAGE.values() for word in words.split())
"""As `fold` leaves them: without accents."""
