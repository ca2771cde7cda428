"""`opsync init --ask-admin` for analytics: one mail, and what differs by tool. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from opsync.cli.init.table import Place


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for in one tool: why of this person, the steps, and how it is taken back."""

    why: str
    steps: str
    undo: str


def letter(place: Place, *, english: bool) -> str:
    """The mail to who may give the keys of an analytics project."""
    tool = place.tool
    if english:
        text, request = _MAIL, _REQUESTS[tool.name]
        project = f"project {place.project}" if place.project else "our project"
    else:
        text, request = _MAIL_DE, _REQUESTS_DE[tool.name]
        project = f"Projekt {place.project}" if place.project else "unser Projekt"
    steps = request.steps.format(project=project)
    return text.format(tool=tool.title, why=request.why, steps=steps, undo=request.undo)


_MAIL = """\
Subject: Access to {tool} for our roadmap ("opsync")

Hello,

opsync shows on our roadmap how much the things that we shipped are used, before and after. It runs
on our own machine.
{why}

What it will do
- read how many users had an event or a flag on each day, and the numbers of reports that the
  roadmap links to; never who the users were
- later, once we agreed to it, put one annotation on the charts for each release, with the link of
  its initiative, and move or remove its own when the day changes. At first it only shows what it
  would write, and writes nothing.

What it will not do
- read profiles, properties of people or recordings
- change events, flags, reports or annotations that people made
- send anything to anyone but our own tools, or notify anybody

What I ask you to do
{steps}

{undo}

Thank you!
"""

_MAIL_DE = """\
Betreff: Zugang zu {tool} für unsere Roadmap („opsync“)

Hallo,

opsync zeigt auf unserer Roadmap, wie viel das genutzt wird, was wir ausgeliefert haben, vorher und
nachher. Es läuft auf unserem eigenen Rechner.
{why}

Was es tut
- lesen, wie viele Nutzer an jedem Tag ein Ereignis oder ein Flag hatten, und die Zahlen der
  Berichte, auf die die Roadmap verweist; nie, wer die Nutzer waren
- später, wenn wir uns einig sind, zu jeder Veröffentlichung eine Anmerkung mit dem Link der
  Initiative in die Diagramme setzen und seine eigene verschieben oder entfernen, wenn sich der Tag
  ändert. Am Anfang zeigt es nur, was es schreiben würde, und schreibt nichts.

Was es nicht tut
- Profile, Eigenschaften von Personen oder Aufzeichnungen lesen
- Ereignisse, Flags, Berichte oder Anmerkungen ändern, die Menschen angelegt haben
- etwas an andere als unsere eigenen Werkzeuge senden oder jemanden benachrichtigen

Worum ich dich bitte
{steps}

{undo}

Vielen Dank!
"""

_REQUESTS = {
    "posthog": Request(
        "It signs in with a personal API key of mine and sees no more than I do. Two things may "
        "need you:",
        """\
1. If our organization does not let members use personal API keys: allow it in Settings →
   Organization.
2. If I do not see {project}: Settings → Project → Access control → add me.

I make the key myself, for this project only, with query:read, project:read, event_definition:read,
feature_flag:read, experiment:read, insight:read and annotation:read, and annotation:write once it
may write.""",
        "The key can be revoked at any time: Settings → Personal API keys.",
    ),
    "amplitude": Request(
        "It needs the keys of the project, which only managers and admins of it may make.",
        """\
1. Settings → Organization settings → Projects → {project} → General → Secret Key: generate one.
   Name: opsync.
2. If we use Experiment, also a key at Experiment → Management API → Create Management
   Key, with which it lists flags.
3. Hand me the API key, the secret key and the project's id from the same page through our password
   manager, not by mail.""",
        "The secret key can be deleted at any time, in the same place.",
    ),
    "mixpanel": Request(
        "It needs a service account, which only owners and admins may make.",
        """\
1. Settings → Organization Settings → Service Accounts → Add Service Account. Name: opsync.
   Projects: {project}. Role: Consumer to look only, Analyst for annotations too.
2. Hand me its username and its secret through our password manager, not by mail. The secret shows
   only once.""",
        "The service account can be deleted at any time, in the same place.",
    ),
}

_REQUESTS_DE = {
    "posthog": Request(
        "Es meldet sich mit einem persönlichen API-Schlüssel von mir an und sieht nicht mehr als "
        "ich.\nZwei Dinge brauchen vielleicht dich:",
        """\
1. Falls unsere Organisation Mitgliedern keine persönlichen API-Schlüssel erlaubt: sie unter
   Settings → Organization erlauben.
2. Falls ich {project} nicht sehe: mich unter Settings → Project → Access control hinzufügen.

Den Schlüssel lege ich selbst an, nur für dieses Projekt, mit query:read, project:read,
event_definition:read, feature_flag:read, experiment:read, insight:read und annotation:read, und mit
annotation:write, sobald es schreiben darf.""",
        "Er lässt sich jederzeit widerrufen: Settings → Personal API keys.",
    ),
    "amplitude": Request(
        "Es braucht die Schlüssel des Projekts, die nur Manager und Admins anlegen können.",
        """\
1. Settings → Organization settings → Projects → {project} → General → Secret Key: erzeugen.
   Name: opsync.
2. Falls wir Experiment nutzen, auch einen Schlüssel unter Experiment → Management API → Create
   Management Key; damit werden Flags aufgezählt.
3. Mir den API-Schlüssel, den Secret Key und die Nummer des Projekts von derselben Seite über
   unseren Passwortmanager geben, nicht per Mail.""",
        "Der Secret Key lässt sich jederzeit löschen, an derselben Stelle.",
    ),
    "mixpanel": Request(
        "Es braucht ein Dienstkonto (service account), das nur Owner und Admins anlegen können.",
        """\
1. Settings → Organization Settings → Service Accounts → Add Service Account. Name: opsync.
   Projekte: {project}. Rolle: Consumer nur zum Ansehen, Analyst auch für Anmerkungen.
2. Mir Benutzername und Secret über unseren Passwortmanager geben, nicht per Mail. Das Secret wird
   nur einmal gezeigt.""",
        "Das Dienstkonto lässt sich jederzeit löschen, an derselben Stelle.",
    ),
}
