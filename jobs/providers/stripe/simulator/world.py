"""The simulator's world: its Clock, its book, what is scheduled, what was told to the hook.
Who does what and when is in payments, payouts and bank; this module only keeps time and order."""

import base64
import copy
import heapq
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import msgspec

from config import House
from domain.kernel.time import berlin, berlin_date, is_target_day
from jobs.providers.stripe.simulator.faults import Behaviour, Faults
from jobs.providers.stripe.simulator.store import Json, Store

API_VERSION = "2026-10-28.endive"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_CHARS = 24
STATEMENT_HOUR, PAYOUT_HOUR = 6, 18
CALLS_KEPT = 100_000  # the times of the latest requests, for who measures

Act: TypeAlias = Callable[["World", Json], None]


class ClockError(Exception):
    """The Clock was asked to do what it cannot; the text is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSettings:
    """What the simulator takes from Kontor's settings."""

    var: Path
    house: House
    api_key: str
    webhook_secret: str
    hook_url: str

    @property
    def credentials(self) -> tuple[str, str]:
        """Both ways in which Stripe takes its key."""
        basic = base64.b64encode(f"{self.api_key}:".encode()).decode()
        return f"Bearer {self.api_key}", f"Basic {basic}"


class World:
    """One lock for everything: callers hold `lock` around every read and write."""

    def __init__(self, settings: WorldSettings, acts: dict[str, Act]) -> None:
        self.settings = settings
        self.store = Store(settings.var / "simulator" / "book.sqlite")
        self.lock = threading.RLock()
        self.told = threading.Condition(self.lock)
        self.silent = False
        self.calls: deque[float] = deque(maxlen=CALLS_KEPT)
        self._acts = acts
        self._load()

    def _load(self) -> None:
        self.meta: Json = self.store.get("meta", "meta") or {"now": None, "counters": {}}
        saved = self.store.get("meta", "faults")
        self.faults = msgspec.convert(saved, Faults) if saved else Faults()
        self._agenda = [(a["at"], n, a["id"]) for n, a in enumerate(self.store.all("action"))]
        self._agenda_seq = len(self._agenda)
        heapq.heapify(self._agenda)

    @property
    def started(self) -> bool:
        return self.meta["now"] is not None

    @property
    def now(self) -> datetime:
        if not self.started:
            raise ClockError("The sandbox Clock has not been set yet.")
        return datetime.fromisoformat(self.meta["now"])

    @property
    def unix(self) -> int:
        return int(self.now.timestamp())

    def count(self, name: str) -> int:
        value: int = self.meta["counters"].get(name, 0) + 1
        self.meta["counters"][name] = value
        return value

    def new_id(self, prefix: str) -> str:
        """Like Stripe's, but the same in every run: a hash of how many there were before."""
        number = self.count(prefix)
        value = int.from_bytes(sha256(f"kontor sandbox {prefix} {number}".encode()).digest())
        letters = []
        for _ in range(_ID_CHARS):
            value, digit = divmod(value, len(_ALPHABET))
            letters.append(_ALPHABET[digit])
        return f"{prefix}_{''.join(letters)}"

    def behaviour(self, payment_method: str) -> Behaviour:
        saved = self.store.get("behaviour", payment_method)
        return msgspec.convert(saved, Behaviour) if saved else Behaviour()

    def put(self, kind: str, body: Json) -> Json:
        self.store.put(kind, body["id"], body)
        return body

    def schedule(self, act: str, at: datetime, **args: object) -> None:
        action = {"id": self.new_id("act"), "act": act, "at": at.isoformat(), **args}
        self.put("action", action)
        self._agenda_seq += 1
        heapq.heappush(self._agenda, (action["at"], self._agenda_seq, action["id"]))

    def emit(self, event_type: str, obj: Json) -> None:
        """An event with a snapshot of the object, and its delivery to the hook."""
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.unix,
            "data": {"object": public(obj)},
            "livemode": False,
            "pending_webhooks": 0 if self.silent else 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        self.put("event", event)
        faults = self.faults.webhooks
        if self.silent or faults.lost:
            return
        at = self.now + timedelta(minutes=faults.delay_minutes)
        for copy_number in range(1 + faults.duplicate):
            number = self.count("delivery")
            order = int.from_bytes(sha256(f"{number}".encode()).digest()[:6])
            self.put(
                "delivery",
                {
                    "id": f"{event['id']}-{copy_number}",
                    "event": event["id"],
                    "at": at.isoformat(),
                    "order": order if faults.shuffle else number,
                    "attempts": 0,
                    "state": "waiting",
                },
            )

    def commit(self) -> None:
        """Makes everything since the last commit last, and wakes who delivers."""
        self.store.put("meta", "meta", self.meta)
        self.store.put("meta", "faults", msgspec.to_builtins(self.faults))
        self.store.commit()
        self.told.notify_all()

    def reset(self) -> None:
        self.store.clear()
        self._load()
        self.commit()

    def start(self, now: datetime) -> None:
        """The first Clock time; the recurring work begins after it."""
        self.meta["now"] = now.isoformat()
        self._plan_payout()
        self._plan_statement()

    def _plan_payout(self) -> None:
        self.meta["payout_at"] = _next_hour(self.now, PAYOUT_HOUR, every_day=True).isoformat()

    def _plan_statement(self) -> None:
        at = _next_hour(self.now, STATEMENT_HOUR, every_day=False)
        self.meta["statement_at"] = at.isoformat()

    def advance(self, to: datetime) -> None:
        """Does all that is due up to `to`, in the order of time, then stands at `to`."""
        if not self.started:
            self.start(to)
        if to < self.now:
            raise ClockError(f"The Clock stands at {self.meta['now']} and does not go back.")
        while (due := self._next_work()) is not None and due[0] <= to:
            self._work(*due)
        self.meta["now"] = to.isoformat()

    def next_at(self) -> datetime | None:
        """The next moment at which something happens by itself, delayed webhooks included."""
        if not self.started:
            return None
        idle_payout = not any(t["_payout"] is None for t in self.store.all("balance_transaction"))
        times = [datetime.fromisoformat(self.meta["statement_at"])]
        if not idle_payout:
            times.append(datetime.fromisoformat(self.meta["payout_at"]))
        if self._agenda:
            times.append(datetime.fromisoformat(self._agenda[0][0]))
        waiting = (d for d in self.store.all("delivery") if d["state"] == "waiting")
        times += [at for d in waiting if (at := datetime.fromisoformat(d["at"])) > self.now]
        return min(times)

    def _next_work(self) -> tuple[datetime, str, str] | None:
        """(time, act, id of its action or ""), agenda first when times are equal."""
        work = [
            (datetime.fromisoformat(self.meta["payout_at"]), "run_payout", ""),
            (datetime.fromisoformat(self.meta["statement_at"]), "write_statement", ""),
        ]
        if self._agenda:
            at, _, action_id = self._agenda[0]
            work.insert(0, (datetime.fromisoformat(at), "", action_id))
        return min(work, key=lambda one: one[0])

    def _work(self, at: datetime, act: str, action_id: str) -> None:
        self.meta["now"] = at.isoformat()
        if action_id:
            heapq.heappop(self._agenda)
            action = self.store.get("action", action_id) or {}
            self.store.drop("action", action_id)
            self._acts[action["act"]](self, action)
            return
        self._acts[act](self, {})
        if act == "run_payout":
            self._plan_payout()
        else:
            self._plan_statement()


def _next_hour(after: datetime, hour: int, *, every_day: bool) -> datetime:
    """The first `hour` o'clock in Berlin after `after`, on a TARGET day unless every day."""
    day = berlin_date(after)
    while berlin(day, hour) <= after or not (every_day or is_target_day(day)):
        day += timedelta(days=1)
    return berlin(day, hour)


def public(obj: Json) -> Json:
    """The object as Stripe shows it: without what the simulator notes for itself."""
    return copy.deepcopy({name: value for name, value in obj.items() if name[0] != "_"})
