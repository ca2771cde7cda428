"""One seed's story: people work, things go wrong, processes die, and in the end all heals."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import httpx

from opsync.report import PassReport
from opsync.sandbox.vendor import Faults
from tests.simulation.commands import Opsync, OwnClock, TookBack
from tests.simulation.company import START_AT, Place, Touch, Twins, owned
from tests.simulation.faults import Expiring, Weather, shrink
from tests.simulation.line import Asked, Call, line_to
from tests.simulation.loop import Died, SeededLoop, Time, run
from tests.simulation.people import WORDS, People
from tests.simulation.promises import (
    PROJECTS,
    check_always,
    check_healed,
    columns_known,
    held_places,
    is_blind,
    place_of,
    unknown,
    was_lied_to,
    wrong,
)
from tests.simulation.tally import Tally

ZONES = ("Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "UTC")
VENDORS = ("jira-main", "linear", "notion")
CONVERGES_IN = 3
DAY_S = 86_400.0
HOUR_S = 3_600.0
MORE = (b'"isLast":false', b'"has_more":true', b'"hasNextPage":true')
UNDO_STEPS = 300
"""An undo mostly takes so many steps at most."""
EVERYTHING = {"removals": 1_000, "creates": 10_000, "rewrites": 1_000, "vanished": 1_000}

Act = tuple[float, Callable[[], None]]
"""What people do while opsync runs, and after how many seconds."""


@dataclass
class Episode:
    """Everything of one seed. `play` it once; `told` has what happened, in order."""

    seed: int
    folder: Path
    told: list[str] = field(default_factory=list)
    rounds: ClassVar[tuple[int, int]] = (6, 9)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.ends = random.Random(f"undo {self.seed}")
        """Decides about undos that die. What else happens does not depend on it."""
        self.time = Time()
        self.tally = Tally(self.seed)
        start = self.rng.choice(START_AT)
        zone = self.rng.choice(ZONES)
        self.twins = Twins.build(self.folder, self.time, start, self.seed, zone)
        self.proposes = self.rng.random() < 0.25
        if self.proposes:
            self.twins.real.raw["rollup"][0]["mode"] = "propose"
            self.twins.real.raw["links"]["mode"] = "propose"
        self.clock = OwnClock(self.time, start)
        self.weather = Weather()
        self.line = line_to(self.twins.real, self.time, self._draw())
        self.line.next_fault = self.weather
        self.line.fired = self._fired
        self.line.on_answer = self._looked_at
        self.mid_listing: dict[str, bool] = {}
        self.people = People(self.twins, self._draw(), self._fired, self.time, self.told)
        self.usual_steps = 400
        self.last_written: int | None = None
        self.wrote_before = False
        self.knows_its_own = True
        if zone != "UTC":
            self._fired("F26")
        if self.rng.random() < 0.5:
            self.clock.wrong_by_s = self.rng.uniform(-600, 600)
            self._fired("F27")

    def _draw(self) -> random.Random:
        return random.Random(self.rng.random())

    def _fired(self, number: str) -> None:
        self.tally.fired[number] += 1

    def _tell(self, text: str) -> None:
        self.told.append(f"{self.time.now:9.1f} {text}")

    def _looked_at(self, call: Call, answer: httpx.Response) -> httpx.Response:
        """See whether more of a listing is to come."""
        if call.reads and hasattr(answer, "_content"):
            body = answer.content.replace(b": ", b":")
            self.mid_listing[call.vendor] = any(mark in body for mark in MORE)
        return answer

    # The story

    def play(self) -> Tally:
        """All of it. Raises AssertionError where a promise is broken."""
        for number in range(self.rng.randint(*self.rounds)):
            for _ in range(self.rng.randint(0, 3)):
                self._people_work()
            if number > 0:
                self._something_by_hand()
            lift = self._spoil()
            self._command()
            lift()
            self.weather.clear()
            self.tally.checks += check_always(self.twins)
            self._pass_time()
        self._heal()
        self.tally.virtual_s = self.time.now
        self.tally.calls = self.line.requests
        self.tally.writes = sum(self.line.writes.values())
        self.tally.edits = self.people.edits
        self.tally.hands = self.people.hands
        self.tally.loose = len(self.twins.blind)
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

    def _something_by_hand(self) -> None:
        """What people do to opsync's things, or have opsync do."""
        luck = self.rng.random()
        if luck < 0.35:
            self._hand()
        elif luck < 0.42 and self.last_written is not None:
            self._undo(self.last_written)
        elif luck < 0.45:
            self._lose_store()

    def _hand(self) -> None:
        """A person changes something of opsync's."""
        if not self.knows_its_own:
            return  # a fresh store could not tell a person's text in one of its columns
        begun = unknown(self.twins.real.store_path)
        place = self.people.touch()
        if place is None:
            return
        self.twins.blind.discard(place)
        if place[0] in begun:
            self.twins.blind.add(place)
        if self.twins.touched[place].value is None:
            self._fired("F36")

    def _lose_store(self) -> None:
        """The store is gone, and with it what people decided. What stands is as it should be, or
        is nobody's from now on: opsync cannot know whether a person wrote it. Only a person's words
        in one of its columns are none of its own."""
        self._tell("the store is lost")
        self._fired("lost store")
        self.twins.real.lose_store()
        stands = owned(self.twins.real)
        theirs = {
            place
            for place, touch in self.twins.touched.items()
            if place[0] == "notion"
            and place not in self.twins.blind
            and WORDS in (touch.value or "")
            and touch.value == stands.get(place)
        }
        for place in stands.keys() - theirs:
            self.twins.touched[place] = Touch(stands[place], self.time.now, stands[place])
        self.twins.blind |= self.twins.touched.keys() - theirs
        self.twins.nobodys |= owned(self.twins.real).keys()
        self.knows_its_own = False
        self.last_written = None

    def _undo(self, number: int) -> None:
        """A person takes back what a run wrote, and again where that dies: it stays so."""
        calm, self.line.calm = self.line.calm, True
        before = owned(self.twins.real)
        if self.ends.random() < 0.5:
            self._undo_dies(number, self.ends.randint(1, UNDO_STEPS))
        found = self._process("undo", partial(self._opsync().undo, number))
        self.line.calm = calm
        assert isinstance(found, TookBack)
        self._tell(f"undo of #{number}: {len(found.places)} put back")
        self._fired("undo")
        after = owned(self.twins.real)
        # What stood so already is held as well.
        places = held_places(self.twins.real, f"undo of run {number}")
        places |= {place_of(self.twins.real, change) for change in found.places}
        places |= {
            place for place in before.keys() | after.keys() if before.get(place) != after.get(place)
        }
        for place in places:
            was = before.get(place, "")
            self.twins.touched[place] = Touch(after.get(place), self.time.now, was, undone=True)
            self.twins.blind.discard(place)
            if place[1] in PROJECTS:
                self.twins.blind.add(place)
        self.last_written = None

    def _undo_dies(self, number: int, at: int) -> None:
        """The same, by a process that dies at a step, if it comes so far."""
        opsync = Opsync(self.twins.real, self.line, self.clock, self.ends.random())
        result, steps = run(opsync.undo(number), self.time, self.ends, dies_at=at)
        self.tally.runs += 1
        if not isinstance(result, Died):
            return
        self._tell(f"undo of #{number} died at step {steps}")
        self._fired("undo died")
        self.tally.crashes += 1
        self._fired("F45")
        for arrive in self.line.lost():
            if self.ends.random() < 0.5:
                self.time.now += self.ends.uniform(0, 2)
                run(arrive(), self.time, random.Random(0))
        self.knows_its_own &= columns_known(self.twins)
        self.time.now += self.ends.uniform(30, 300)

    # What goes wrong

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
                self.line.next_fault = Expiring(self.weather, name, rng.randint(1, 6), faults)
            case "F17" if name == "linear" or rng.random() < 0.5:
                faults.refuse_token = True
            case "F17":
                faults.deny = {rng.choice(("PAY", "MOB")) if name != "notion" else real.source.id}
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
            if vendor.faults.deny:
                self.people.disturb()  # what was hidden comes back
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

    # Processes

    def _opsync(self) -> Opsync:
        return Opsync(self.twins.real, self.line, self.clock, self.rng.random())

    def _command(self) -> None:
        """A sync, and where values wait for approval mostly an apply after it."""
        options = {"full": self.rng.random() < 0.15, "write": self.rng.random() < 0.93}
        alive = self._run(f"sync {options}", partial(self._opsync().sync, options))
        if alive and self.proposes and self.rng.random() < 0.7:
            self._run("apply", self._opsync().apply)

    def _run(self, name: str, main: Callable[[], Coroutine[Any, Any, object]]) -> bool:
        """One process, which may die, while people go on. False where it died."""
        rng = self.rng
        dies_at = None
        if rng.random() < 0.22:
            dies_at = rng.randint(1, int(self.usual_steps * 1.1))
        mark = len(self.line.log)
        agenda = self._agenda()
        report = self._process(name, main, dies_at=dies_at, agenda=agenda)
        for _, act in agenda:
            act()
        self._window(mark)
        answers = self.line.log[mark:]
        if self.wrote_before and any(one.reads and "opsync" in one.answer for one in answers):
            self._fired("F42")
        self.wrote_before = True
        if isinstance(report, Died):
            self.tally.crashes += 1
            self._fired("F45")
            self._late_arrivals()
            # A column that it may have made, with a person's text in it by now, would be theirs.
            self.knows_its_own &= columns_known(self.twins)
            self.time.now += rng.uniform(30, 300)
            return False
        if isinstance(report, PassReport):
            self.wrote_before = report.applied > 0
            self.last_written = report.run if report.applied else self.last_written
            self._check_report(report)
            whole = not report.failed and not any(i.trouble for i in report.instances)
            # Where values wait for approval, their places were not looked at yet.
            waits = self.proposes and (name == "apply" or report.plan.proposed)
            shown = not any(one.faults.deny for one in self.twins.real.vendors.values())
            self.knows_its_own |= whole and shown and report.applied_mode and not waits
        return True

    def _agenda(self) -> list[Act]:
        """What people do while it runs."""
        rng = self.rng
        acts: list[Act] = [
            (rng.uniform(0, 6), self._work_beside) for _ in range(rng.choice((0, 0, 1, 2)))
        ]
        if rng.random() < 0.2:
            acts.append((rng.uniform(0, 6), self._hand_beside))
        return acts

    def _work_beside(self) -> None:
        disturbed = self.people.disturbed_at
        if self.people.work() and any(self.mid_listing.values()):
            self._fired("F21" if self.people.disturbed_at != disturbed else "F20")

    def _hand_beside(self) -> None:
        before = dict(self.twins.touched)
        self._hand()
        if self.twins.touched != before:
            self._fired("F38")

    def _process(
        self,
        name: str,
        main: Callable[[], Coroutine[Any, Any, object]],
        *,
        dies_at: int | None = None,
        agenda: list[Act] | None = None,
    ) -> object:
        """One process to its end or its death (Died)."""
        left = agenda if agenda is not None else []

        def prepare(loop: SeededLoop) -> None:
            for entry in list(left):
                loop.call_later(entry[0], partial(_do, entry, left))

        self.tally.runs += 1
        result, steps = run(main(), self.time, self._draw(), dies_at=dies_at, prepare=prepare)
        if isinstance(result, Died):
            self._tell(f"run:    {name} died at step {steps}")
            return result
        self.usual_steps = steps
        if isinstance(result, PassReport):
            self._tell(f"run:    {name} {_summary(result)}")
        return result

    def _late_arrivals(self) -> None:
        """What a dead process had sent may still arrive."""
        for arrive in self.line.lost():
            if self.rng.random() < 0.5:
                self.time.now += self.rng.uniform(0, 2)
                run(arrive(), self.time, random.Random(0))

    def _window(self, mark: int) -> None:
        """Excuse what a person did between opsync's last look at a place and its write there, and
        what a tool's listing left out."""
        log: list[Asked] = self.line.log[mark:]
        for place, touch in self.twins.touched.items():
            if not log or place in self.twins.blind:
                continue
            between = touch.at >= log[0].at and is_blind(self.twins, place, touch.at, log)
            if between or was_lied_to(self.twins, place, touch.at, self.line.log, mark):
                self.twins.blind.add(place)

    # Promises

    def _check_report(self, report: PassReport) -> None:
        self.tally.checks += 1
        for one in report.instances:
            assert not one.trouble or report.exit_code, f"{one.instance} failed, and all is well?"

    def _heal(self) -> None:
        """Everything works again: at most three runs, and all is as it should be."""
        self._tell("heal")
        self.line.calm = True
        self.line.shrink = lambda _v, _r, body: body
        self.time.now += 1.1 * DAY_S + abs(self.clock.wrong_by_s) + self.clock.behind_s
        self._wait_for_a_day()
        wanted: dict[Place, str] = {}
        left: list[str] = []
        for number in range(1, CONVERGES_IN + 1):
            self._sync_whole()
            self.tally.checks += check_always(self.twins)
            wanted = wanted or self._wanted()
            left = wrong(self.twins, wanted, self.people.disturbed_at)
            self.time.now += 2 * HOUR_S
            # What a fresh store finds that nothing asks for is proposed for removal one run later.
            finds = number == 1 and self.proposes and self.tally.fired["lost store"]
            if not left and not finds:
                self.tally.healed_in = number
                break
        assert not left, f"not as it should be after {CONVERGES_IN} runs: " + "\n  ".join(left)
        self._rest()

    def _wait_for_a_day(self) -> None:
        """Begin where all that follows is of one day: some values change with the day alone."""
        local = self.clock.now().astimezone(ZoneInfo(self.twins.real.time_zone))
        hour = local.hour + local.minute / 60
        if hour + 2 * (CONVERGES_IN + 1) >= 24:
            self.time.now += (24.5 - hour) * HOUR_S

    def _rest(self) -> None:
        """One more run, which has nothing to do."""
        before = dict(self.line.writes)
        report = self._process("sync", partial(self._opsync().sync, {}))
        assert isinstance(report, PassReport)
        assert self.line.writes == before, "a run with nothing new sent writes"
        asked = {one.change.slot.target for one in report.plan.proposed if one.change.over_edit}
        # The day of a change is asked about beside a change that may replace an edit.
        alone = [
            one.change.slot
            for one in report.plan.proposed
            if not one.change.over_edit
            and (
                one.change.slot.surface != "delivery_changed" or one.change.slot.target not in asked
            )
        ]
        assert [*(one.change.slot for one in report.plan.changes), *alone] == []
        self.tally.checks += 2 + check_always(self.twins) + check_healed(self.twins)

    def _sync_whole(self) -> None:
        """One run, with what it asks a person for."""
        report = self._process("sync", partial(self._opsync().sync, {}))
        assert isinstance(report, PassReport)
        if asks_leave(report):
            allowed = {"allow": EVERYTHING}
            self._process("sync, allowed", partial(self._opsync().sync, allowed))
        if self.proposes:
            self._process("apply", self._opsync().apply)

    def _wanted(self) -> dict[Place, str]:
        """What one undisturbed first run over people's things alone makes."""
        time = Time(self.time.now)
        line = line_to(self.twins.people, time, random.Random(0))
        line.calm = True
        alone = Opsync(self.twins.people, line, self.clock, 0.0)
        result, _ = run(alone.sync({"allow": EVERYTHING}), time, random.Random(0))
        assert isinstance(result, PassReport)
        assert result.failed == 0, result
        return owned(self.twins.people)


def _do(entry: Act, left: list[Act]) -> None:
    left.remove(entry)
    entry[1]()


def asks_leave(report: PassReport) -> bool:
    """Whether a run asks a person to let more happen than usual."""
    return bool(report.allowing) or any("--allow-vanished" in i.hint for i in report.instances)


def _summary(report: PassReport) -> str:
    done = sorted({outcome.kind.value for _, outcome in report.outcomes})
    troubles: Mapping[str, str] = {i.instance: i.trouble for i in report.instances if i.trouble}
    return (
        f"#{report.run} exit {report.exit_code}, wrote {report.applied} of {report.planned}"
        f" {done} {dict(troubles)}"
    )
