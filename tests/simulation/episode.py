"""One seed's story: people work, things go wrong, processes die, and in the end all heals."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from opsync.engine.session import open_session
from opsync.model import Limits
from opsync.report import PassReport
from opsync.runtime import Runtime
from opsync.sandbox.vendor import Faults
from tests.simulation.company import (
    START_AT,
    Company,
    Place,
    Twins,
    asleep,
    doubled,
    human,
    owned,
)
from tests.simulation.faults import Weather, shrink
from tests.simulation.line import Asked, Call, Line, reads_by_method, reads_by_query
from tests.simulation.loop import Died, SeededLoop, Time, run
from tests.simulation.people import People
from tests.simulation.tally import Tally
from tests.support.clock import FakeClock

ZONES = ("Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "UTC")
VENDORS = ("jira-main", "linear", "notion")
CONVERGES_IN = 3
DAY_S = 86_400.0
MORE = (b'"isLast":false', b'"has_more":true', b'"hasNextPage":true')


class OwnClock(FakeClock):
    """The clock of opsync's machine, which may be wrong."""

    def __init__(self, time: Time, start: datetime) -> None:
        super().__init__(start)
        self.time = time
        self.wrong_by_s = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.time.now + self.wrong_by_s)

    def monotonic(self) -> float:
        return 1000.0 + self.time.now

    async def sleep(self, delay_s: float) -> None:
        import asyncio

        await asyncio.sleep(delay_s)


@dataclass
class Episode:
    """Everything of one seed. `play` it once."""

    seed: int
    folder: Path
    told: list[str] = field(default_factory=list)
    """What happened, in order."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.time = Time()
        self.tally = Tally(self.seed)
        start = self.rng.choice(START_AT)
        zone = self.rng.choice(ZONES)
        self.twins = Twins.build(self.folder, self.time, start, self.seed, zone)
        self.clock = OwnClock(self.time, start)
        self.weather = Weather()
        self.line = self._line(self.twins.real)
        self.line.next_fault = self.weather
        self.line.fired = self._fired
        self.line.on_answer = self._looked_at
        self.mid_listing: dict[str, bool] = {}
        self.people = People(
            self.twins, random.Random(self.rng.random()), self._fired, lambda: self.time.now
        )
        self.people.told = self.told
        self.loose: set[Place] = set()
        self.usual_steps = 400
        self.wrote_before = False
        if zone != "UTC":
            self._fired("F26")
        if self.rng.random() < 0.5:
            self.clock.wrong_by_s = self.rng.uniform(-600, 600)
            self._fired("F27")

    def _line(self, company: Company) -> Line:
        line = Line(self.time, random.Random(self.rng.random()))
        line.hosts = dict(company.net.hosts)
        line.names = {
            "harbor.atlassian.net": "jira-main",
            "api.linear.app": "linear",
            "api.notion.com": "notion",
        }
        line.reads = {
            "jira-main": reads_by_method,
            "linear": reads_by_query,
            "notion": reads_by_method,
        }
        return line

    def _fired(self, number: str) -> None:
        self.tally.fired[number] += 1

    def _tell(self, text: str) -> None:
        self.told.append(f"{self.time.now:9.1f} {text}")

    def _looked_at(self, call: Call, answer: httpx.Response) -> httpx.Response:
        """See whether more of a listing is to come."""
        if call.reads and hasattr(answer, "_content"):
            self.mid_listing[call.vendor] = any(
                mark in answer.content.replace(b": ", b":") for mark in MORE
            )
        return answer

    # The story

    def play(self) -> Tally:
        """All of it. Raises AssertionError where a promise is broken."""
        rounds = self.rng.randint(7, 11)
        for number in range(rounds):
            for _ in range(self.rng.randint(0, 3)):
                self._people_work()
            if number > 0 and self.rng.random() < 0.35:
                self._hand()
            lift = self._spoil()
            self._run_once()
            lift()
            self.weather.clear()
            self._check()
            self._pass_time()
        self._heal()
        self.tally.virtual_s = self.time.now
        self.tally.calls = self.line.requests
        self.tally.writes = sum(self.line.writes.values())
        self.tally.edits = self.people.edits
        self.tally.hands = self.people.hands
        self.tally.loose = len(self.loose)
        return self.tally

    def _pass_time(self) -> None:
        """Minutes mostly, sometimes hours, seldom days."""
        span = self.rng.choices((90.0, 600.0, 5_000.0, 2 * DAY_S), (4, 4, 3, 1))[0]
        self.time.now += self.rng.uniform(0.5, 1.0) * span
        if self.rng.random() < 0.05:
            self.clock.wrong_by_s += self.rng.choice((-DAY_S, -120.0, 300.0, DAY_S))
            self._fired("F27")

    def _people_work(self) -> None:
        if self.rng.random() < 0.15:
            self._fired("F19")
            for _ in range(4):
                self.people.move_something()
            return
        self.people.work()

    def _hand(self) -> None:
        """A person changes something of opsync's."""
        unknown = self._unknown()
        place = self.people.touch()
        if place is None:
            return
        self.loose.discard(place)
        if place[0] in unknown:
            self.loose.add(place)
        if self.twins.touched[place].value is None:
            self._fired("F36")

    def _unknown(self) -> set[str]:
        """The tools at which a write was begun whose outcome opsync does not know."""
        path = self.twins.real.store_path
        if not path.exists():
            return set()
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT target FROM ledger WHERE intent IS NOT NULL")
            return {str(row[0]).split(":")[0].split("-")[0] for row in rows}

    def _spoil(self) -> Callable[[], None]:
        """Have things go wrong in the next run. Returns what ends those that last."""
        rng = self.rng
        for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))):
            one = self.weather.arm(rng, VENDORS)
            self._tell(f"armed:  {one.fault.number} at {one.vendor} after {one.wait}")
        size = rng.choice((1, 2, 3, 3, 1000))
        self.line.shrink = shrink(size) if size < 1000 else (lambda _v, _r, body: body)
        if rng.random() < 0.4:
            return lambda: None
        return self._condition(rng)

    def _condition(self, rng: random.Random) -> Callable[[], None]:
        """Something that a vendor has for the length of a run."""
        real = self.twins.real
        name = rng.choice(VENDORS)
        vendor = real.vendors[name]
        number = rng.choice(("F09", "F15", "F17", "F17", "F18", "F24", "F40"))
        faults = Faults()
        match number:
            case "F09":
                faults.outage = True
            case "F15":
                left = rng.randint(1, 6)
                self.line.next_fault = _Expiring(self.weather, name, left, vendor.faults)
            case "F17" if rng.random() < 0.5:
                faults.refuse_token = True
            case "F17":
                denied = {"jira-main": ["PAY", "MOB"], "linear": [], "notion": [real.source.id]}
                faults.deny = set(rng.sample(denied[name], 1)) if denied[name] else set()
                faults.refuse_token = not denied[name]
                self.people.disturb()
            case "F18":
                faults.deny = set(rng.sample(self._ids(name), 2))
                self.people.disturb()
            case "F24":
                real.jira.search_lag = timedelta(seconds=rng.uniform(2, 120))
            case _:
                faults.read_only = True
        self._fired(number)
        self._tell(f"lasts:  {number} at {name}")
        vendor.faults = faults

        def lift() -> None:
            vendor.faults = Faults()
            real.jira.search_lag = timedelta(0)
            self.line.next_fault = self.weather

        return lift

    def _ids(self, name: str) -> list[str]:
        real = self.twins.real
        if name == "jira-main":
            return sorted(str(one) for one in real.jira.issues)
        if name == "linear":
            return sorted(real.linear.issues)
        return sorted(page.id for page in real.pages())

    # One process

    def _run_once(self) -> None:
        rng = self.rng
        dies_at = None
        if rng.random() < 0.22:
            dies_at = rng.randint(1, int(self.usual_steps * 1.1))
        options: dict[str, Any] = {"full": rng.random() < 0.15, "write": rng.random() < 0.93}
        mark = len(self.line.log)
        agenda = self._agenda()
        report = self._process(options, dies_at=dies_at, agenda=agenda)
        for _, act in agenda:
            act()
        self._window(mark)
        answers = self.line.log[mark:]
        if self.wrote_before and any(one.reads and "opsync" in one.answer for one in answers):
            self._fired("F42")
        if report is None:
            self.tally.crashes += 1
            self._fired("F45")
            self._late_arrivals()
            self.time.now += rng.uniform(30, 300)
            self.wrote_before = True
            return
        self.wrote_before = report.applied > 0
        self._check_report(report, answers)

    def _agenda(self) -> list[tuple[float, Callable[[], None]]]:
        """What people do while it runs."""
        acts: list[tuple[float, Callable[[], None]]] = []
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            acts.append((self.rng.uniform(0, 6), self._work_beside))
        if self.rng.random() < 0.2:
            acts.append((self.rng.uniform(0, 6), self._hand_beside))
        return acts

    def _work_beside(self) -> None:
        disturbed = self.people.disturbed_at
        if not self.people.work():
            return
        if any(self.mid_listing.values()):
            self._fired("F21" if self.people.disturbed_at != disturbed else "F20")

    def _hand_beside(self) -> None:
        before = dict(self.twins.touched)
        self._hand()
        if self.twins.touched != before:
            self._fired("F38")

    def _process(
        self,
        options: Mapping[str, Any],
        *,
        dies_at: int | None = None,
        agenda: list[tuple[float, Callable[[], None]]] | None = None,
    ) -> PassReport | None:
        """One `opsync sync`; None where it died."""
        left = agenda if agenda is not None else []

        def prepare(loop: SeededLoop) -> None:
            for entry in list(left):

                def act(entry: tuple[float, Callable[[], None]] = entry) -> None:
                    left.remove(entry)
                    entry[1]()

                loop.call_later(entry[0], act)

        self.tally.runs += 1
        result, steps = run(
            self._sync(self.twins.real, self.line, options),
            self.time,
            random.Random(self.rng.random()),
            dies_at=dies_at,
            prepare=prepare,
        )
        if isinstance(result, Died):
            self._tell(f"run:    died at step {steps} {dict(options)}")
            return None
        self.usual_steps = steps
        done = {o.kind.value for _, o in result.outcomes}
        troubles = [(i.instance, i.trouble) for i in result.instances if i.trouble]
        self._tell(
            f"run:    #{result.run} {dict(options)} exit {result.exit_code}, wrote"
            f" {result.applied} of {result.planned} {sorted(done)} {troubles}"
        )
        return result

    async def _sync(
        self, company: Company, line: Line, options: Mapping[str, Any]
    ) -> PassReport:
        runtime = Runtime(clock=self.clock, rng=random.Random(self.rng.random()))
        config = company.config()
        allow = dict(options.get("allow") or {})
        limits: Limits = config.limits.raised(**allow)
        given = {key: value for key, value in options.items() if key != "allow"}
        async with open_session(config, "sync", runtime=runtime, transport=line) as session:
            return await session.sync("sync", limits=limits, **given)

    def _late_arrivals(self) -> None:
        """What a dead process had sent may still arrive."""
        for arrive in self.line.lost():
            if self.rng.random() < 0.5:
                self.time.now += self.rng.uniform(0, 2)
                run(_awaited(arrive), self.time, random.Random(0))

    def _window(self, mark: int) -> None:
        """Excuse what a person did between opsync's last look at a place and its write there: no
        vendor offers a conditional write for these."""
        log = self.line.log[mark:]
        if not log:
            return
        for place, touch in self.twins.touched.items():
            if touch.at < log[0].at:
                continue
            marks = self._marks(place)
            vendor = next(name for name in VENDORS if name.startswith(place[0]))
            own = [one for one in log if one.vendor == vendor]
            if _blind(own, touch.at, marks):
                self.loose.add(place)

    def _marks(self, place: Place) -> tuple[str, ...]:
        """How requests and answers name what a place is on."""
        real = self.twins.real
        tool, item, _ = place
        if tool == "notion":
            return (item, item.replace("-", ""))
        if tool == "jira":
            number = real.jira._keys[item]
            return (f"/issue/{number}/", f'"{number}"', f"/issue/{item}/")
        issue = real.linear.aliases.get(item)
        found = issue or next(p for p in real.linear.projects.values() if p.name == item)
        return (found.id, *(one.id for one in getattr(found, "attachments", ())))

    # Promises

    def _check_report(self, report: PassReport, answers: list[Asked]) -> None:
        self.tally.checks += 1
        for instance in report.instances:
            if instance.trouble:
                assert report.exit_code != 0, f"{instance.instance} failed and the run says done"

    def _check(self) -> None:
        """What holds after each run, whatever happened."""
        self.tally.checks += 3
        theirs, real = human(self.twins.people), human(self.twins.real)
        assert real == theirs, f"people's things changed: {_difference(theirs, real)}"
        found, still = owned(self.twins.real), asleep(self.twins.real)
        for place, touch in self.twins.touched.items():
            if place[:2] in still:
                continue
            if place not in self.loose and touch.value is not None:
                stands = found.get(place)
                assert stands == touch.value, f"{place}: {touch.value!r} became {stands!r}"
        for name, vendor in self.twins.real.vendors.items():
            assert vendor.over_budget == 0, f"{name} was asked more than it allows"

    def _heal(self) -> None:
        """Everything works again: at most three runs, and all is as it should be."""
        self._tell("heal")
        self.line.calm = True
        self.line.shrink = lambda _v, _r, body: body
        self.time.now += 1.05 * DAY_S
        wanted: dict[Place, str] = {}
        wrong: list[str] = []
        for number in range(1, CONVERGES_IN + 1):
            options: dict[str, Any] = {"full": number == 1}
            report = self._process(options)
            assert report is not None
            if report.allowing:
                allow = {"removals": 1000, "creates": 10_000, "rewrites": 1000}
                again = self._process(options | {"allow": allow})
                assert again is not None
            self._check()
            if not wanted:
                wanted = self._wanted()
            wrong = self._wrong(wanted)
            if not wrong:
                self.tally.healed_in = number
                break
            self.time.now += 2 * 3600.0
        assert not wrong, f"not as it should be after {CONVERGES_IN} runs: " + "\n  ".join(wrong)
        assert doubled(self.twins.real) == []
        self.time.now += 2 * 3600.0
        before = dict(self.line.writes)
        report = self._process({})
        assert report is not None
        assert self.line.writes == before, "a run with nothing new sent writes"
        assert [one.change.slot for one in report.plan.changes] == []
        self._check()
        self.tally.checks += 4
        with closing(sqlite3.connect(self.twins.real.store_path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            intents = connection.execute("SELECT count(*) FROM ledger WHERE intent IS NOT NULL")
            assert intents.fetchone() == (0,), "a write is still of unknown outcome"

    def _wanted(self) -> dict[Place, str]:
        """What one undisturbed first run over people's things alone makes."""
        line = self._line(self.twins.people)
        line.calm = True
        result, _ = run(
            self._sync(self.twins.people, line, {"allow": {"creates": 10_000}}),
            Time(self.time.now),
            random.Random(0),
        )
        assert not isinstance(result, Died)
        assert result.failed == 0, result
        return owned(self.twins.people)

    def _wrong(self, wanted: Mapping[Place, str]) -> list[str]:
        found, still = owned(self.twins.real), asleep(self.twins.real)
        wrong = []
        for place in sorted(wanted.keys() | found.keys() | self.twins.touched.keys()):
            if place[:2] in still:
                continue
            stands, should = found.get(place), wanted.get(place)
            touch = self.twins.touched.get(place)
            allowed = {should}
            if touch is not None:
                allowed = {touch.value}
                disturbed = touch.value is None and self.people.disturbed_at >= touch.at
                if place in self.loose or disturbed or touch.of_a_link:
                    allowed.add(should)
            if stands not in allowed:
                wrong.append(f"{place}: {stands!r} stands, and not {allowed}")
        return wrong


class _Expiring:
    """Has a token die after some requests."""

    def __init__(self, weather: Weather, vendor: str, left: int, faults: Faults) -> None:
        self.weather = weather
        self.vendor = vendor
        self.left = left
        self.faults = faults

    def __call__(self, call: Call) -> Any:
        if call.vendor == self.vendor:
            self.left -= 1
            if self.left < 0:
                call.line.hosts[call.request.url.host]
                self.faults.refuse_token = True
        return self.weather(call)


async def _awaited(act: Callable[[], Any]) -> None:
    await act()


def _blind(log: list[Asked], at: float, marks: tuple[str, ...]) -> bool:
    """Whether the first write to something after a moment rests on a look from before it."""
    for number, write in enumerate(log):
        if write.reads or write.answered_at < at or not any(m in write.request for m in marks):
            continue
        looks = [
            one.at
            for one in log[:number]
            if one.reads and one.answered_at <= write.at and any(m in one.answer for m in marks)
        ]
        return write.at <= at or not looks or max(looks) <= at
    return False


def _difference(theirs: Mapping[Place, str], real: Mapping[Place, str]) -> str:
    told = [
        f"{place}: {theirs.get(place)} -> {real.get(place)}"
        for place in sorted(theirs.keys() | real.keys())
        if theirs.get(place) != real.get(place)
    ]
    return "\n  ".join(told[:6])
