"""The rest of Harbor's work: everything that no initiative on the roadmap reaches."""

from __future__ import annotations

from itertools import product

from opsync.sandbox.harbor.planting import Planter, State, Work, works

EPICS: dict[str, tuple[Work, ...]] = {
    "PAY": (
        Work(
            "Ledger clean-up",
            "doing",
            below=(*works("done", "Ledger index"), *works("doing", "Ledger archive")),
        ),
        Work("Chargeback desk", "todo", below=works("todo", "Chargeback inbox", "Evidence upload")),
        Work("Quarterly audit", "done", below=works("done", "Audit export", "Audit access list")),
        Work("Currency rounding", "backlog"),
    ),
    "MOB": (
        Work(
            "Barrierefreiheit",
            "doing",
            below=(*works("done", "Größere Schrift"), *works("doing", "Vorlesefunktion")),
        ),
        Work("Neue Startseite", "todo", below=works("todo", "Kacheln", "Suche auf der Startseite")),
    ),
}
ODD_TITLES = {
    "PAY": (
        Work("\u202eהמוסכה אצוי\u202c Invoice in Hebrew", "todo"),
        Work("<script>document.title='owned'</script> in merchant names", "doing"),
        Work("Payout bank details", "todo", security="Finance only"),
    ),
    "MOB": (Work("\u200fالدفع\u200f Arabische Schaltflächen", "todo"),),
    "GRO": (Work('"><img src=x onerror=alert(1)> in coupon codes', "todo"),),
}

WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "PAY": (
        ("Retry", "Speed up", "Document", "Log", "Test", "Move", "Monitor", "Split"),
        (
            "refund jobs",
            "card statements",
            "settlement files",
            "merchant fees",
            "currency rates",
            "dispute letters",
            "invoice numbers",
            "bank holidays",
            "risk scores",
            "direct debits",
            "tax rounding",
            "payment links",
        ),
        "{0} {1}",
    ),
    "MOB": (
        ("prüfen", "beschleunigen", "neu gestalten", "testen", "übersetzen", "aufräumen"),
        (
            "Anmeldung",
            "Kassenbuch",
            "Belegdruck",
            "Kundenliste",
            "Trinkgeld",
            "Kartenleser",
            "Einstellungen",
            "Push-Nachrichten",
            "Artikelbilder",
            "Gutscheine",
        ),
        "{1} {0}",
    ),
    "GRO": (
        ("Try", "Measure", "Rewrite", "Translate", "Shorten", "Redesign", "Localise"),
        (
            "pricing FAQ",
            "sign-up form",
            "trial mails",
            "case studies",
            "landing page",
            "cookie notice",
            "partner badges",
            "help search",
            "invite dialog",
            "upgrade banner",
        ),
        "{0} the {1}",
    ),
    "SEC": (
        ("Rotate", "Review", "Harden"),
        ("signing keys", "build runners", "vendor access", "backup vault", "admin roles"),
        "{0} {1}",
    ),
}
SINGLES: dict[str, dict[State, int]] = {
    "PAY": {"doing": 12, "done": 44, "todo": 20, "backlog": 16, "dropped": 4},
    "MOB": {"doing": 9, "done": 20, "todo": 12, "backlog": 10, "dropped": 2},
    "GRO": {"doing": 9, "done": 24, "todo": 15, "backlog": 15, "dropped": 5},
    "SEC": {"doing": 4, "done": 6, "todo": 3, "backlog": 2, "dropped": 0},
}
"""Issues without parts, by team and state."""


def plant(planter: Planter) -> None:
    """All the other work, the odd titles among it."""
    for team, counts in SINGLES.items():
        items = [*ODD_TITLES.get(team, ()), *_singles(planter, team, counts)]
        if team in ("PAY", "MOB"):
            for epic in EPICS[team]:
                planter.epic(team, epic)
            planter.jira_work(team, items)
        else:
            planter.linear_work(team, items)


def _singles(planter: Planter, team: str, counts: dict[State, int]) -> list[Work]:
    verbs, things, form = WORDS[team]
    titles = [form.format(*pair) for pair in product(verbs, things)]
    planter.rng.shuffle(titles)
    states = [state for state, count in counts.items() for _ in range(count)]
    return [Work(title, state) for title, state in zip(titles[: len(states)], states, strict=True)]
