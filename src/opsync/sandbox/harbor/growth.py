"""What teams Growth (Linear GRO) and Security (Linear SEC, private) do for initiatives."""

from __future__ import annotations

from dataclasses import dataclass

from opsync.sandbox.harbor.payments import TWINS
from opsync.sandbox.harbor.planting import Planter, Work, works
from opsync.sandbox.linear.objects import Project

MIRROR_FOOTER = "\n\n---\nMirrored from {key} by Tandem Sync. Edit it there."
SCOPE_DAYS = 7
"""Churn survey grew within so many days; the first addition is exactly that old."""
HOSTILE_KEY = "GRO-50"

CHECKOUT_WEB = (
    Work("Pay button in the basket", "done", key="GRO-40"),
    Work("Order summary", "done", key="GRO-41"),
    Work("Guest checkout", "done", key="GRO-42"),
    Work(
        "Card form",
        "doing",
        key="GRO-44",
        status="In Progress",
        description="Uses the tokens of PAY-118 instead of raw numbers.",
    ),
    Work(
        "Express lane",
        "doing",
        key="GRO-45",
        below=(
            Work("Express lane layout", "done", key="GRO-46"),
            Work("Express lane copy", "doing", key="GRO-47"),
            Work("Express lane on tablets", "todo", key="GRO-48", blocked_by=("GRO-47",)),
        ),
    ),
    Work("Error states of the card form", "todo", key="GRO-49"),
)
INSTANT_PAYOUTS = (
    *works("done", "Payout page", "Payout status chip", "Payout onboarding hint"),
    Work("Payout announcement", "done", done_days=20),
)
SSO = (
    *works(
        "done",
        "Team settings for SSO",
        "SSO set-up guide",
        "Test connection button",
        "SSO errors people understand",
        "Login page by domain",
        "Invite flow with SSO",
        "Seat sync preview",
        "SSO plan badge",
    ),
    Work("SSO admin mails", "done", below=works("done", "Certificate expiry mail", "Welcome mail")),
)
DARK_WEB = (
    *works("done", "Dark dashboard", "Dark charts", "Dark mails"),
    *works("dropped", "Dark marketing pages", "Dark embeds"),
    Work("Dark chart colours", "dropped", status="Duplicate"),
)
CHURN_SURVEY = (
    *works("done", "Survey goals", "Survey audience", "Question set one", "Survey mail"),
    Work(
        "Survey page",
        "doing",
        below=(*works("done", "Survey layout", "Survey answers store"), *works("doing", "Scales")),
    ),
    Work(
        "Survey results",
        "doing",
        below=works("doing", "Answers by plan", "Answers by country"),
    ),
    *works("doing", "Survey reminder"),
    Work(
        "Exit interview",
        "doing",
        created_days=SCOPE_DAYS,
        below=(
            Work("Interview script", "doing", created_days=SCOPE_DAYS),
            Work("Interview calendar", "doing", created_days=5),
            Work("Interview consent", "doing", created_days=5),
        ),
    ),
    Work("Win-back offer test", "doing", created_days=4),
    Work("Cancel reasons list", "todo", created_days=3),
    Work("Survey in French", "doing", created_days=2),
)
DATA_RESIDENCY = (
    *works("done", "EU storage bucket", "EU read replica"),
    Work(
        "Move merchants to the EU",
        "doing",
        below=(
            *works("done", "Merchant move list"),
            *works("doing", "Merchant move job"),
        ),
    ),
    Work(
        "EU only backups",
        "doing",
        below=(
            *works("doing", "Backup keys in the EU"),
            Work("Backup charge records", "doing", description="This depends on PAY-100."),
        ),
    ),
    *works("doing", "Residency badge"),
)
HOSTILE = Work("<script>alert('harbor')</script> Consent banner", "doing", key=HOSTILE_KEY)
REFERRAL = (
    *works("doing", "Referral link", "Referral reward rules"),
    *works("todo", "Referral mail", "Referral fraud check"),
    *works("backlog", "Referral leaderboard"),
)
FRAUD_SIGNALS = (
    *works("done", "Device fingerprint", "Velocity signal"),
    Work("Stolen card feed", "doing", below=works("doing", "Feed parser", "Feed alerts")),
)


@dataclass(frozen=True, slots=True)
class Projects:
    """The Linear projects that roadmap pages name."""

    checkout: Project
    payouts: Project
    sso: Project
    pricing: Project
    dark: Project
    fraud: Project
    churn: Project
    residency: Project


def plant(planter: Planter) -> Projects:
    """All of Growth's and Security's work that belongs to an initiative, and the one that could."""

    def project(
        name: str, items: tuple[Work, ...], *, team: str = "GRO", status: str = "started"
    ) -> Project:
        made = planter.project(name, teams=[team], status=status)
        planter.linear_work(team, items, made)
        return made

    # Keys that the world names are taken before any other issue draws its number.
    checkout = project("Checkout web", CHECKOUT_WEB)
    planter.linear_work("GRO", (HOSTILE,))
    project("Referral program", REFERRAL, status="planned")
    return Projects(
        checkout=checkout,
        payouts=project("Payouts web", INSTANT_PAYOUTS, status="completed"),
        sso=project("SSO settings", SSO, status="completed"),
        pricing=project("Pricing page", _pricing(planter)),
        dark=project("Dark mode web", DARK_WEB, status="completed"),
        fraud=project("Fraud signals", FRAUD_SIGNALS, team="SEC"),
        churn=project("Churn survey", CHURN_SURVEY),
        residency=project("EU residency", DATA_RESIDENCY),
    )


def _pricing(planter: Planter) -> tuple[Work, ...]:
    """Three issues of its own, and two that another tool copied from Jira."""
    mirrors = []
    for key, state in zip(TWINS, ("done", "doing"), strict=True):
        original = planter.jira.issue(key)
        mirrors.append(
            Work(
                original.summary,
                "done" if state == "done" else "doing",
                description=f"As in Jira.{MIRROR_FOOTER.format(key=key)}",
                attachments=((f"{key}: {original.summary}", planter.jira_url(key)),),
            )
        )
    own = (
        *works("done", "Price calculator"),
        Work("Plan comparison", "doing", below=works("doing", "Usage slider", "Plan footnotes")),
    )
    return (*own, *mirrors)
