"""Explores a model: every state within bounds, shortest trace first; random walks; and whether what is healed comes good.

A model is an object with

    initial()       a state: nested tuples of small numbers and strings, hashable
    steps(state)    (label, state) for everything that can happen next
    violation(s)    the invariant that does not hold in s and why, or None
    canonical(s)    a representative of all states that are s with other names for nodes (s itself, where it has none)
    heal(s)         the states to which s is repaired when all faults end; healed states take no faults in steps()
    settled(s)      whether a healed state is as it should be
"""
import random
import time
from collections import deque
from functools import lru_cache
from typing import NamedTuple, Optional


class Found(NamedTuple):
    """What an exploration came to. outcome: holds (the whole space), bounded (ran into a bound), violated."""
    outcome: str
    states: int
    depth: int
    seconds: float
    why: str = ""
    trace: tuple = ()


class Model:
    """What most models share."""
    rare = {}              # kinds of steps that random runs take less often, and how much less

    def canonical(self, state):
        return state

    def violation(self, state) -> Optional[str]:
        return None


def keys(model):
    """The number of a state: one for all that are alike. Found again by the state as it is, since most steps lead to what was seen."""
    if type(model).canonical is Model.canonical:
        return hash
    known = {}

    def key(state):
        raw = hash(state)
        if raw not in known:
            known[raw] = hash(model.canonical(state))
        return known[raw]

    return key


def exhaust(model, most_states=10_000_000) -> Found:
    """Breadth first, so that the first violation has the shortest trace."""
    began = time.monotonic()
    first, key = model.initial(), keys(model)
    parents = {key(first): None}
    frontier, depth = [first], 0
    while frontier:
        following = []
        for state in frontier:
            here = key(state)
            for _, after in model.steps(state):
                there = key(after)
                if there in parents:
                    continue
                parents[there] = here
                why = model.violation(after)
                if why:
                    return Found("violated", len(parents), depth + 1, time.monotonic() - began, why, trace(model, parents, there))
                following.append(after)
            if len(parents) > most_states:
                return Found("bounded", len(parents), depth, time.monotonic() - began)
        frontier = following
        depth += bool(frontier)
    return Found("holds", len(parents), depth, time.monotonic() - began)


def trace(model, parents, last) -> tuple:
    """The labels that lead to a state. Walked again from the start, so that a node keeps its name all along."""
    path = [last]
    while parents[path[-1]] is not None:
        path.append(parents[path[-1]])
    state, labels, key = model.initial(), [], keys(model)
    for wanted in reversed(path[:-1]):
        label, state = next((l, s) for l, s in model.steps(state) if key(s) == wanted)
        labels.append(label)
    return tuple(labels)


def walk(model, runs, length, seed) -> Found:
    """Random runs. Each run likes and dislikes other kinds of steps, so that rare orders come up too."""
    began, chance = time.monotonic(), random.Random(seed)
    taken = deepest = 0
    for _ in range(runs):
        state, labels, liking = model.initial(), [], {}
        for _ in range(length):
            possible = list(model.steps(state))
            if not possible:
                break
            label, state = choose(possible, liking, model.rare, chance)
            labels.append(label)
            taken += 1
            why = model.violation(state)
            if why:
                labels, why = shortened(model, labels, why)
                return Found("violated", taken, len(labels), time.monotonic() - began, why, tuple(labels))
        deepest = max(deepest, len(labels))
    return Found("bounded", taken, deepest, time.monotonic() - began)


def shortened(model, labels, why):
    """The steps without those that the violation does not need."""
    at = len(labels) - 1
    while at >= 0:
        fewer = labels[:at] + labels[at + 1:]
        found = replay(model, fewer)
        if found:
            labels, why = fewer[:found[0]], found[1]
        at = min(at, len(labels)) - 1
    return labels, why


def replay(model, labels):
    """How many of these steps lead to a violation and to which, or None."""
    state = model.initial()
    for count, wanted in enumerate(labels, 1):
        state = next((after for label, after in model.steps(state) if label == wanted), None)
        if state is None:
            return None
        why = model.violation(state)
        if why:
            return count, why
    return None


@lru_cache(maxsize=None)
def kind_of(label):
    """The label without the nodes in it."""
    return " ".join(word for word in label.split() if len(word) > 2 and word.isalpha())


def choose(possible, liking, rare, chance):
    kinds = {}
    for step in possible:
        kinds.setdefault(kind_of(step[0]), []).append(step)
    for kind in kinds:
        if kind not in liking:
            liking[kind] = rare.get(kind, 1) * 2 ** chance.uniform(-3, 3)
    kind = chance.choices(list(kinds), [liking[kind] for kind in kinds])[0]
    return chance.choice(kinds[kind])


def comes_good(model, most_states=10_000_000) -> Found:
    """Whether from every reachable state, healed, a settled one can be reached whatever happens on the way.

    That is liveness for a scheduler that is fair to every step. The trace leads to the state that was healed in vain.
    """
    began = time.monotonic()
    first, key = model.initial(), keys(model)
    parents, reached, frontier, depth = {key(first): None}, [], [first], 0
    while frontier:
        following = []
        for state in frontier:
            reached.append(state)
            here = key(state)
            for _, after in model.steps(state):
                there = key(after)
                if there not in parents:
                    parents[there] = here
                    why = model.violation(after)
                    if why:
                        return Found("violated", len(parents), depth + 1, time.monotonic() - began, why, trace(model, parents, there))
                    following.append(after)
            if len(parents) > most_states:
                return Found("bounded", len(parents), depth, time.monotonic() - began)
        frontier = following
        depth += bool(frontier)

    before, good, stack, origin = {}, [], [], {}
    for state in reached:
        for healed in model.heal(state):
            there = key(healed)
            if there not in before:
                before[there] = []
                origin[there] = key(state)
                stack.append(healed)
    while stack:
        state = stack.pop()
        here = key(state)
        if model.settled(state):
            good.append(here)
        for _, after in model.steps(state):
            there = key(after)
            if there not in before:
                before[there] = []
                stack.append(after)
                origin[there] = origin[here]
            before[there].append(here)

    saved, work = set(good), deque(good)
    while work:
        for earlier in before[work.popleft()]:
            if earlier not in saved:
                saved.add(earlier)
                work.append(earlier)
    states = len(parents) + len(before)
    lost = [origin[state] for state in before if state not in saved]
    if lost:
        order = {key(state): at for at, state in enumerate(reached)}
        shortest = trace(model, parents, min(lost, key=order.get))
        return Found("violated", states, len(shortest), time.monotonic() - began,
                     "live: healed here, it can come to where nothing settles it any more", shortest)
    return Found("holds", states, depth, time.monotonic() - began)


def settles(model, most_states=3_000_000) -> Found:
    """Whether all ways lead to a settled state. The trace leads into a circle, and once around it."""
    began, key = time.monotonic(), keys(model)
    first = model.initial()
    after, before, known, stack = {}, {}, {key(first): first}, [first]
    while stack:
        state = stack.pop()
        here = key(state)
        following = () if model.settled(state) else tuple(key(s) for _, s in model.steps(state))
        after[here] = len(following)
        for (_, s), there in zip(() if model.settled(state) else model.steps(state), following):
            before.setdefault(there, []).append(here)
            if there not in known:
                known[there] = s
                stack.append(s)
        if len(known) > most_states:
            return Found("bounded", len(known), 0, time.monotonic() - began)

    # A state is sure when all its successors are.
    work = [here for here, state in known.items() if model.settled(state)]
    sure = set(work)
    while work:
        for earlier in before.get(work.pop(), ()):
            after[earlier] -= 1
            if not after[earlier]:
                sure.add(earlier)
                work.append(earlier)
    if key(first) in sure:
        return Found("holds", len(known), 0, time.monotonic() - began)
    labels = around(model, key, sure)
    return Found("violated", len(known), len(labels), time.monotonic() - began, "live: it can go on like this for ever", labels)


def around(model, key, sure) -> tuple:
    """The shortest way to a state that can come back to itself, and once around; or to where nothing can happen."""
    first = model.initial()
    ways, order = {key(first): ()}, deque([first])
    while order:
        state = order.popleft()
        here = key(state)
        circle = back(model, key, sure, state)
        if circle is not None:
            return ways[here] + circle
        for label, after in model.steps(state):
            there = key(after)
            if there not in ways and there not in sure:
                ways[there] = ways[here] + (label,)
                order.append(after)
    return ()


def back(model, key, sure, start):
    """The shortest way from a state to itself; no steps at all from one that has none."""
    target, known, order = key(start), set(), deque([(start, ())])
    while order:
        state, way = order.popleft()
        steps = list(model.steps(state))
        if not steps and not way:
            return ()
        for label, after in steps:
            there = key(after)
            if there == target:
                return way + (f"{label} - and so on again",)
            if there not in known and there not in sure:
                known.add(there)
                order.append((after, way + (label,)))
    return None
