"""What is explored: the wording of the rules that holds, and simpler ones that a model must refute."""
from typing import NamedTuple


class Wording(NamedTuple):
    name: str
    rule: str            # of docs/failover.md
    says: str            # in one sentence, what is worded otherwise
    flags: frozenset     # what the model asks for; empty for the wording that holds


GOOD = Wording("good", "", "the rules as they are worded in docs/failover.md", frozenset())


def broken(name, rule, says):
    return Wording(name, rule, says, frozenset([name]))


class Run(NamedTuple):
    """One exploration, and what it must come to.

    kind: holds (the whole space, no violation), refuted (a violation is found), live (all that is healed comes good), stuck
    (something healed does not), walks (random runs, no violation).
    """
    kind: str
    model: type
    wording: Wording
    tier: str = "short"  # short: in the test suite too; full: only on request
    bounds: dict = {}
    walks: tuple = ()    # runs, length, seed


def bits(mask) -> int:
    return bin(mask).count("1")


def members(mask, count):
    return [i for i in range(count) if mask >> i & 1]


def put(items, at, value) -> tuple:
    return items[:at] + (value,) + items[at + 1:]
