"""What team Mobile does: Jira project MOB, in German, without estimates."""

from __future__ import annotations

from opsync.sandbox.harbor.planting import Planter, Work, works

OFFLINE = Work(
    "Offline-Modus",
    "doing",
    key="MOB-20",
    below=(
        *works(
            "done",
            "Lokale Datenbank anlegen",
            "Warteschlange für Zahlungen",
            "Offline-Hinweis in der Kopfzeile",
            "Belege lokal speichern",
        ),
        Work(
            "Abgleich nach Verbindungsaufbau",
            "doing",
            below=(
                *works("done", "Reihenfolge der Buchungen", "Doppelte Buchungen erkennen"),
                *works("doing", "Abgleich im Hintergrund"),
            ),
        ),
        Work(
            "Kartenleser ohne Netz",
            "doing",
            below=(
                *works("done", "Leser koppeln", "Limit ohne Netz"),
                *works("doing", "Leser-Firmware prüfen"),
            ),
        ),
        Work(
            "Tagesabschluss offline",
            "doing",
            below=(
                *works("done", "Kassenbericht offline"),
                *works("doing", "\u200fتقرير\u200f Bericht auf Arabisch", "Abschluss nachreichen"),
            ),
        ),
        *works("todo", "Speicherplatz freigeben"),
    ),
)
DARK_MODE = Work(
    "Dunkelmodus",
    "done",
    key="MOB-60",
    done_days=33,
    below=(
        *works(
            "done",
            "Farben als Variablen",
            "Dunkle Symbole",
            "Kontrast prüfen",
            "Umschalter in den Einstellungen",
        ),
        *works("dropped", "Dunkle Startanimation", "Dunkle Widgets", "Dunkle Druckansicht"),
    ),
)


def plant(planter: Planter) -> None:
    """All of Mobile's work that belongs to an initiative, and the epic it took over."""
    for epic in (OFFLINE, DARK_MODE):
        planter.epic("MOB", epic)
    planter.jira.move_issue("PAY-88", "MOB", "MOB-41")
