"""What team Payments does: Jira project PAY, in English, with epics and points."""

from __future__ import annotations

from opsync.sandbox.harbor.planting import Planter, Work, works

BLOCKER = "PAY-99"
"""An open issue outside all initiatives that stands in the way of one inside."""
TWINS = ("PAY-143", "PAY-144")
"""The issues that another tool mirrors into Linear: one done, one in progress."""

CHECKOUT_CORE = Work(
    "Checkout core",
    "doing",
    key="PAY-100",
    below=(
        Work("Session token for returning buyers", "done", key="PAY-101"),
        Work("Address lookup in one field", "done", key="PAY-102"),
        Work("Rate limit on the pay button", "done", key="PAY-103"),
        Work(
            "Wallet buttons",
            "doing",
            key="PAY-104",
            below=(
                Work("Wallet capability check", "done", key="PAY-105"),
                Work("Wallet sheet opens in place", "done", key="PAY-106"),
                Work("Wallet receipts", "todo", key="PAY-107"),
            ),
        ),
        Work("Basket total on the server", "done", key="PAY-108"),
        Work("Idempotent charge request", "done", key="PAY-109"),
        Work("Strong authentication fallback", "doing", key="PAY-110", flagged=True),
        Work("Stored card consent text", "todo", key="PAY-111", blocked_by=(BLOCKER,)),
        Work("Charge outcome page", "done", key="PAY-112"),
        Work(
            "Tokenise cards",
            "doing",
            key="PAY-118",
            assignee="Ana Reyes",
            status="In Progress",
            description="Card numbers are swapped for tokens before they reach the basket.",
        ),
    ),
)
INSTANT_PAYOUTS = Work(
    "Instant payouts core",
    "done",
    key="PAY-60",
    done_days=19,
    below=(
        Work(
            "Payout rail adapter",
            "done",
            below=works("done", "Rail handshake", "Rail retries", "Rail reconciliation"),
        ),
        *works(
            "done",
            "Payout limits per merchant",
            "Payout fee preview",
            "Payout ledger entries",
            "Payout failure mails",
            "Balance lock while paying out",
            "Payout audit trail",
        ),
        Work("Payout flag for all merchants", "done", done_days=19),
    ),
)
SSO = Work(
    "SSO back end",
    "done",
    key="PAY-70",
    done_days=16,
    below=(
        *works(
            "done",
            "SAML metadata import",
            "SAML assertion checks",
            "Session lifetime by policy",
            "Role mapping from groups",
            "Login audit events",
            "Domain proof by DNS record",
            "Break-glass password login",
        ),
        Work("Turn on for all team plans", "done", done_days=16),
    ),
)
PARTNER_API = Work(
    "Partner API gateway",
    "doing",
    key="PAY-88",
    below=(
        *works("done", "Partner keys", "Partner sandbox accounts"),
        Work(
            "Partner webhooks",
            "doing",
            below=(
                *works("done", "Webhook signing", "Webhook retries"),
                *works("doing", "Webhook log for partners"),
            ),
        ),
        Work(
            "Partner quotas",
            "doing",
            below=(*works("done", "Quota counters"), *works("doing", "Quota dashboard")),
        ),
        Work(
            "Partner refunds",
            "doing",
            description="Depends on PAY-100 for the charge model.",
        ),
        *works("todo", "Partner changelog"),
    ),
)
METERED_BILLING = Work(
    "Metered billing",
    "doing",
    key="PAY-140",
    below=(
        *works("done", "Usage events intake", "Usage price book"),
        Work("Usage counters per day", "done", key=TWINS[0]),
        Work("Invoice lines from usage", "doing", key=TWINS[1]),
        Work(
            "Usage alerts",
            "doing",
            below=works("doing", "Alert at 80 % of plan", "Alert on sudden growth"),
        ),
        *works("todo", "Usage export for finance"),
    ),
)
RULE_ENGINE = Work(
    "Rule engine",
    "doing",
    key="PAY-160",
    below=(
        *works("done", "Rule language", "Rule versions", "Rule dry run"),
        Work(
            "Rule editor",
            "doing",
            below=(*works("done", "Rule editor checks"), *works("doing", "Rule editor history")),
        ),
        *works("done", "Rule hit counters"),
        *works("doing", "Rule alerts to the desk"),
    ),
)


def plant(planter: Planter) -> None:
    """All of Payments' work that belongs to an initiative."""
    blocker = Work("Legal review of stored cards", "todo", key=BLOCKER)
    planter.jira_work("PAY", (blocker,))
    epics = (CHECKOUT_CORE, INSTANT_PAYOUTS, SSO, PARTNER_API, METERED_BILLING, RULE_ENGINE)
    # Keys that the world names are taken before any other issue draws its number.
    for epic in epics:
        planter.epic("PAY", epic)
    planter.jira.put_remote_link(
        planter.jira.issue("PAY-100").id,
        {"object": {"url": "https://wiki.harbor.example/checkout", "title": "Checkout brief"}},
        touch=False,
    )
