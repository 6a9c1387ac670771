"""A plan for whole runs: good answers, and among them every fault in turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from evolve.llm.contract import Outcome
from evolve.testing.llm_server_actions import Action, Cut, Drop, Finish, Plan, Request, Say, Silence
from evolve.testing.llm_server_faults import bad_json, html, overloaded, rate_limited, short_body

Reply = Callable[[Request], str]

# The first frame with text is before this one in all three formats, the last is after it.
MIDDLE = 7


@dataclass(frozen=True, slots=True)
class Mishap:
    """A fault, and the outcome in which a request that meets it has to end."""

    outcome: Outcome
    action: Action

    def with_reply(self, reply: Reply) -> Action:
        """The fault of an answer that would have said `reply`."""
        return replace(self.action, text=reply) if isinstance(self.action, Say) else self.action


MISHAPS: Mapping[str, Mishap] = {
    "rate limit with retry-after": Mishap(Outcome.RATE_LIMITED, rate_limited("0.01")),
    "500": Mishap(Outcome.OVERLOADED, overloaded(500)),
    "529": Mishap(Outcome.OVERLOADED, overloaded(529)),
    "silence": Mishap(Outcome.TIMEOUT, Silence()),
    "stall": Mishap(Outcome.TIMEOUT, Say(n_pieces=12, stall_at=MIDDLE)),
    "drip": Mishap(Outcome.TIMEOUT, Say(n_pieces=100_000, delay_seconds=0.01)),
    "cut, clean": Mishap(Outcome.CUT, Say(n_pieces=12, cut_at=MIDDLE)),
    "cut, unclean": Mishap(Outcome.TRANSPORT, Say(n_pieces=12, cut_at=MIDDLE, cut=Cut.UNCLEAN)),
    "cut, reset": Mishap(Outcome.TRANSPORT, Say(n_pieces=12, cut_at=MIDDLE, cut=Cut.RESET)),
    "reset before a word": Mishap(Outcome.TRANSPORT, Drop()),
    "short body": Mishap(Outcome.TRANSPORT, short_body()),
    "page": Mishap(Outcome.PROTOCOL, html()),
    "broken JSON": Mishap(Outcome.PROTOCOL, bad_json()),
    "junk frame": Mishap(Outcome.PROTOCOL, Say(n_pieces=12, junk_at=MIDDLE)),
    "error inside": Mishap(Outcome.OVERLOADED, Say(n_pieces=12, error_at=MIDDLE)),
    "empty": Mishap(Outcome.EMPTY, Say(content_null=True)),
    "refusal": Mishap(Outcome.REFUSED, Say(finish=Finish.REFUSAL)),
    "length": Mishap(Outcome.LENGTH, Say(finish=Finish.LENGTH)),
    "no usage": Mishap(Outcome.OK, Say(has_usage=False)),
}


def mixture(reply: Reply, *, every: int = 10) -> Plan:
    """Every so manieth request of the server meets the next mishap, the others get their reply.

    A drip ends at the client's total deadline only if the reply is long enough for it: one piece is a character, and
    comes every hundredth of a second.
    """
    mishaps = list(MISHAPS.values())

    def plan(request: Request) -> Action:
        turn, rest = divmod(request.number, every)
        return Say(reply) if rest else mishaps[(turn - 1) % len(mishaps)].with_reply(reply)

    return plan
