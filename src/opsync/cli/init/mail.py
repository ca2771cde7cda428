"""`opsync init --ask-admin`: the mail to whoever may make the connections. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from opsync.cli.init.mail_analytics import letter
from opsync.cli.init.options import Options, names_an_id, site

Language = Literal["en", "de"]


def letters(options: Options, language: Language) -> list[str]:
    """One mail for each tool that the options name; for Notion if they name none, since only
    there an administrator is always needed."""
    english = language == "en"
    found = []
    if options.jira:
        found.append(_jira(options) if english else _jira_de(options))
    if options.linear:
        found.append(_LINEAR if english else _LINEAR_DE)
    place = options.place
    if place is not None:
        found.append(letter(place, english=english))
    if options.notion or not (options.any_tool or place):
        found.append(
            _notion(options, _place, _NOTION)
            if english
            else _notion(options, _place_de, _NOTION_DE)
        )
    return found


def _notion(options: Options, place: Callable[[str], str], text: str) -> str:
    named = [one if names_an_id(one) else f'"{one}"' for one in options.databases]
    return text.format(place=place(", ".join(named)))


def _place(named: str) -> str:
    return f"the database {named}" if named else "the roadmap's database"


def _place_de(named: str) -> str:
    return f"die Datenbank {named}" if named else "die Datenbank der Roadmap"


_NOTION = """\
Subject: A Notion connection for our roadmap ("opsync")

Hello,

I would like to show on our roadmap in Notion how far the work in our issue trackers really is. The
tool for it is called opsync; it runs on our own machine. It needs an internal connection, which
only a workspace owner can make. It takes about three minutes.

What it will do
- read the pages of the one database that you share with it, and nothing else
- write columns of its own there: Delivery, Delivery %, Delivery health, Work, Delivery changed,
  and Adoption if use is measured. At first it only shows what it would write, and writes nothing.

What it will not do
- change or delete pages, or columns that people made
- read comments or other pages
- send anything to anyone but our own tools, or notify anybody

What I ask you to do
1. Open https://www.notion.so/profile/integrations as a workspace owner.
2. New connection. Name: opsync. Workspace: ours. Type: internal.
3. Capabilities: Read content and Update content (to look only, Read content is enough for now),
   user information with email addresses, by which an owner in Notion and an assignee in the other
   tools are known as one person. Nothing else.
4. Open {place} in Notion → •••
   (top right) → Connections → opsync → Confirm.
5. Copy the connection's secret (it begins with ntn_) and hand it to me through our password
   manager, not by mail.

It can be taken back at any time: the same page, Delete connection. What opsync wrote are columns of
its own, which can be deleted like any others.

Thank you!
"""

_NOTION_DE = """\
Betreff: Eine Notion-Verbindung für unsere Roadmap („opsync“)

Hallo,

ich möchte auf unserer Roadmap in Notion zeigen, wie weit die Arbeit in unseren Ticketsystemen
wirklich ist. Das Werkzeug dafür heißt opsync und läuft auf unserem eigenen Rechner. Es braucht eine
interne Verbindung, die nur ein Workspace-Inhaber anlegen kann. Das dauert etwa drei Minuten.

Was es tut
- die Seiten der einen Datenbank lesen, die du freigibst, und sonst nichts
- dort eigene Spalten schreiben: Delivery, Delivery %, Delivery health, Work, Delivery changed, und
  Adoption, wenn Nutzung gemessen wird. Am Anfang zeigt es nur, was es schreiben würde, und schreibt
  nichts.

Was es nicht tut
- Seiten oder Spalten, die Menschen angelegt haben, ändern oder löschen
- Kommentare oder andere Seiten lesen
- etwas an andere als unsere eigenen Werkzeuge senden oder jemanden benachrichtigen

Worum ich dich bitte
1. Als Workspace-Inhaber https://www.notion.so/profile/integrations öffnen.
2. Neue Verbindung (New connection). Name: opsync. Workspace: unserer. Typ: intern (Internal).
3. Fähigkeiten (Capabilities): Read content und Update content (nur zum Ansehen genügt vorerst Read
   content), dazu Angaben zu Personen mit E-Mail-Adresse: daran ist zu erkennen, dass ein Owner in
   Notion und ein Bearbeiter in den anderen Werkzeugen dieselbe Person sind. Sonst nichts.
4. In Notion {place} öffnen → •••
   (oben rechts) → Connections → opsync → bestätigen.
5. Das Geheimnis der Verbindung (es beginnt mit ntn_) kopieren und mir über unseren Passwortmanager
   geben, nicht per Mail.

Das lässt sich jederzeit zurücknehmen: auf derselben Seite, Verbindung löschen. Was opsync schreibt,
sind eigene Spalten, die sich wie alle anderen löschen lassen.

Vielen Dank!
"""


def _jira(options: Options) -> str:
    return _JIRA.format(site=site(options.jira), projects=", ".join(options.jira_project) or "…")


def _jira_de(options: Options) -> str:
    return _JIRA_DE.format(site=site(options.jira), projects=", ".join(options.jira_project) or "…")


_JIRA = """\
Subject: Access to Jira for our roadmap ("opsync")

Hello,

opsync shows on our roadmap how far the work in Jira really is. It signs in with an API token of my
own account and sees no more than I do. Two things may need you:

1. If our organization does not let people make API tokens: admin.atlassian.com → Security → the
   policy for API tokens → Allow, for my account.
2. If I do not see the projects on the roadmap ({projects}) at
   {site}:
   Project settings → Access → add my account. For opsync's links also Project settings →
   Permissions → Link issues.

What it will do: read issues, statuses and links. Later, once we agreed to it, add links to issues
and epics (scope write:jira-work).
What it will not do: change a status or a field, comment, delete anything that it did not make, or
notify anybody.

The token has an end date and can be revoked at any time: id.atlassian.com → Security → API tokens.

Thank you!
"""

_JIRA_DE = """\
Betreff: Zugang zu Jira für unsere Roadmap („opsync“)

Hallo,

opsync zeigt auf unserer Roadmap, wie weit die Arbeit in Jira wirklich ist. Es meldet sich mit einem
API-Token meines eigenen Kontos an und sieht nicht mehr als ich. Zwei Dinge brauchen vielleicht
dich:

1. Falls unsere Organisation keine API-Token erlaubt: admin.atlassian.com → Security → die
   Richtlinie für API-Token → Allow, für mein Konto.
2. Falls ich die Projekte der Roadmap ({projects}) nicht sehe auf
   {site}:
   Projekteinstellungen → Zugriff → mein Konto hinzufügen. Für die Verknüpfungen von opsync
   außerdem Projekteinstellungen → Berechtigungen → Link issues.

Was es tut: Vorgänge, Status und Verknüpfungen lesen. Später, wenn wir uns einig sind, Verknüpfungen
an Vorgängen und Epics anlegen (Scope write:jira-work).
Was es nicht tut: Status oder Felder ändern, kommentieren, etwas löschen, das es nicht angelegt hat,
oder jemanden benachrichtigen.

Das Token läuft ab und lässt sich jederzeit widerrufen: id.atlassian.com → Security → API tokens.

Vielen Dank!
"""

_LINEAR = """\
Subject: A Linear API key for our roadmap ("opsync")

Hello,

opsync shows on our roadmap how far the work in Linear really is. It signs in with a personal API
key of mine and sees no more than I do. Our workspace may not let members make keys; then I ask you
for this, as an administrator:

1. Linear → Settings → Administration → API → let members create API keys.
2. I make mine at Settings → Account → Security & access → Personal API keys, with Read only and
   limited to the teams on the roadmap.

What it will do: read issues, projects and initiatives. Later, once we agreed to it, add links to
issues and projects (then the key needs Write).
What it will not do: change a status, comment, post updates, delete anything that it did not make,
or notify anybody.

The key can be revoked at any time, by me and by you, in the same places.

Thank you!
"""

_LINEAR_DE = """\
Betreff: Ein API-Schlüssel für Linear für unsere Roadmap („opsync“)

Hallo,

opsync zeigt auf unserer Roadmap, wie weit die Arbeit in Linear wirklich ist. Es meldet sich mit
einem persönlichen API-Schlüssel von mir an und sieht nicht mehr als ich. Vielleicht erlaubt unser
Workspace den Mitgliedern keine Schlüssel; dann bitte ich dich als Administrator darum:

1. Linear → Settings → Administration → API → Mitgliedern API-Schlüssel erlauben.
2. Ich lege meinen unter Settings → Account → Security & access → Personal API keys an, nur mit Read
   und beschränkt auf die Teams der Roadmap.

Was es tut: Vorgänge, Projekte und Initiativen lesen. Später, wenn wir uns einig sind, Verknüpfungen
an Vorgängen und Projekten anlegen (dann braucht der Schlüssel Write).
Was es nicht tut: Status ändern, kommentieren, Updates schreiben, etwas löschen, das es nicht
angelegt hat, oder jemanden benachrichtigen.

Der Schlüssel lässt sich jederzeit widerrufen, von mir und von dir, an denselben Stellen.

Vielen Dank!
"""
