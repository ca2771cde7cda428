"""Proposes pairs that look as if they belonged together, though nobody says so. Pure.

`Matcher` takes the initiatives, then lets the work pass by; `choose` picks what a person is asked
about. Titles decide, or a key in a title or a branch; labels, people and dates only add.
"""

from opsync.suggest.choosing import Pair, choose, pair_of, suggest
from opsync.suggest.matching import Matcher
from opsync.suggest.side import Limits, Named, Side
from opsync.suggest.words import keys_in

__all__ = ["Limits", "Matcher", "Named", "Pair", "Side", "choose", "keys_in", "pair_of", "suggest"]
