"""Which status names say that all is well, in many languages. Pure."""

from __future__ import annotations

import re

FINE = frozenset(
    {
        *("on track", "ontrack", "ok", "okay", "good", "green", "healthy", "fine", "all good"),
        *("im plan", "auf kurs", "nach plan", "planmäßig", "gut", "grün"),
        *("en bonne voie", "dans les temps", "sur la bonne voie", "bien", "vert"),
        *("en buen camino", "en plazo", "según lo previsto", "verde", "bueno"),
        *("no prazo", "no caminho certo", "conforme planejado", "bom"),
        *("in linea", "in orario", "nei tempi", "bene"),
        *("op schema", "op koers", "goed", "groen"),
        *("zgodnie z planem", "na dobrej drodze", "zielony"),
        *("по плану", "в графике", "в норме", "хорошо", "зелёный", "зеленый"),
        *("順調", "緑", "良好", "正常", "正常进行", "顺利", "进展顺利", "進展順利", "绿色"),
        *("순조로움", "정상", "양호"),
        *("🟢", "🟩", "💚"),
    }
)
"""Status names that say that all is well, folded as by `_folded`."""

_BESIDE = re.compile(r"[\s_/–—-]+")
_MARKS = "🟢🟩💚"


def says_fine(name: str) -> bool:
    """Whether a status of this name says that all is well, in any of many languages."""
    folded = _folded(name)
    return folded in FINE or folded.strip(f"{_MARKS} ") in FINE


def _folded(name: str) -> str:
    return _BESIDE.sub(" ", name.casefold()).strip(" .!:()")
