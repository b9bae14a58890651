"""R6, R7, R11: who stands when, and that somebody is elected in the end, whatever the order of things. Nothing fails here but patience.

Time is discrete; in a tick each node looks once, in any order, and asks all others; requests for votes arrive in any order before the tick ends. A
node may hesitate a few times. The question is not whether there is a way to a holder, but whether all ways lead there.
"""
from typing import NamedTuple, Optional

from explore import Model
from wording import GOOD, Run, bits, broken, members, put

RULE = "R7"
TTL = 3


def runs():
    equal = dict(data=(2, 2, 2, 2), hesitations=1)
    witness = dict(data=(2, 2, 1, 0), ineligible=0b1010, parted=((2, 0), (2, 1)), hesitations=2)
    parted = dict(data=(3, 2, 1), resigned=0, parted=((1, 0),), hesitations=2)
    alone = dict(data=(3, 2, 0), resigned=0, parted=((1, 0),), ineligible=0b100, hesitations=2)
    for shape in (equal, witness, parted, alone):
        yield Run("settles", Election, GOOD, bounds=shape)
    yield Run("settles", Election, GOOD, "full", dict(equal, hesitations=5))
    yield Run("settles", Election, GOOD, "full", dict(data=(2, 2, 2, 2, 2), hesitations=4))
    yield Run("settles", Election, GOOD, "full", dict(data=(3, 2, 2, 1), resigned=0, parted=((1, 0),), hesitations=4))
    yield Run("starves", Election, broken("who-is-ahead-is-free", "R6", "who has newer data counts as free before a candidacy"), bounds=witness)
    yield Run("starves", Election, broken("nobody-waits", RULE, "all stand as soon as they can, not the best first"), bounds=equal)
    yield Run("starves", Election, broken("waits-while-nobody-is-free", RULE, "the wait for the better goes on while no majority is free"), bounds=equal)
    yield Run("starves", Election, broken("waits-through-promises", RULE, "the wait for the better goes on through a promise to another"), "full", equal)
    yield Run("starves", Election, broken("waits-no-more", RULE, "who has waited for the better once does not wait again after a round without majority"), bounds=equal)
    yield Run("starves", Election, broken("never-times-out", "R11", "who has parted from newer data waits for them for ever"), bounds=alone)


class Node(NamedTuple):
    data: int
    to: int = -1           # to whom it has promised
    promise: int = 0
    waited: int = 0        # ticks, for those that are better
    looked: bool = False   # in this tick
    votes: int = 0         # mask; of a candidate
    to_ask: int = 0        # mask; of a candidate


class State(NamedTuple):
    nodes: tuple
    hesitations: int
    rescue: int            # ticks until the resigned holder starts its server again
    elected: Optional[int] = None


class Election(Model):
    def __init__(self, wording, data, ineligible=0, resigned=None, parted=(), hesitations=0):
        self.says = wording.flags.__contains__
        self.count, self.ineligible, self.resigned, self.parted = len(data), ineligible, resigned, parted
        self.start = State(tuple(Node(d) for d in data), hesitations, 0 if resigned is None else 2 * TTL)

    def initial(self):
        return self.start

    def settled(self, state):
        return state.elected is not None

    def stands_at_all(self, state, i):
        return not self.ineligible >> i & 1 and not (i == self.resigned and state.rescue)

    def steps(self, state):
        if state.elected is not None:
            return
        due = [i for i in range(self.count) if not state.nodes[i].looked and self.stands_at_all(state, i)]
        for i in due:
            yield from self.looks(state, i, state.nodes[i])
            if state.hesitations:
                yield f"{i} hesitates", change(state._replace(hesitations=state.hesitations - 1), i, looked=True)
        asking = [i for i in range(self.count) if state.nodes[i].to_ask]
        for i in asking:
            for v in members(state.nodes[i].to_ask, self.count):
                yield self.asked(state, i, v)
        if not due and not asking:
            yield "tick", self.tick(state)

    def tick(self, state):
        nodes = tuple(n._replace(looked=False, votes=0, promise=max(0, n.promise - 1), to=n.to if n.promise > 1 else -1) for n in state.nodes)
        rescue = state.rescue if self.says("never-times-out") else max(0, state.rescue - 1)
        return state._replace(nodes=nodes, rescue=rescue)

    # --- a node looks, and asks whether it would be voted for

    def looks(self, state, i, node):
        if node.to not in (-1, i):
            yield f"{i} has promised to {node.to}", change(state, i, looked=True)
            return
        ahead = [v for v, other in enumerate(state.nodes) if other.data > node.data]
        free = [v for v, other in enumerate(state.nodes) if other.to in (-1, i)]
        if len(free) * 2 <= self.count and not self.says("waits-while-nobody-is-free"):
            yield self.no_majority(state, i)
            return
        better = sum(1 for v, other in enumerate(state.nodes) if v != i and self.stands_at_all(state, v) and (-other.data, v) < (-node.data, i))
        if node.waited < better and not self.says("nobody-waits"):
            yield f"{i} lets {better} stand first", change(state, i, looked=True, waited=node.waited + 1)
            return
        source = max(ahead, key=lambda v: state.nodes[v].data, default=None)
        if source is not None and (i, source) not in self.parted:
            yield f"{i} fetches from {source}", change(state, i, looked=True, data=state.nodes[source].data)
        elif source is not None and (state.rescue or self.says("never-times-out")):
            yield f"{i} has parted from {source}", change(state, i, looked=True)
        else:
            would = [v for v in free if v not in ahead or self.says("who-is-ahead-is-free")]
            if len(would) * 2 <= self.count:
                yield self.no_majority(state, i)
                return
            others = ((1 << self.count) - 1) & ~(1 << i)
            yield f"{i} stands", change(state, i, looked=True, to=i, promise=TTL, votes=1 << i, to_ask=others)

    def no_majority(self, state, i):
        """The wait for the better ones begins anew when a majority is free."""
        waited = state.nodes[i].waited if self.says("waits-no-more") else 0
        return f"{i} finds no majority free", change(state, i, looked=True, waited=waited)

    def asked(self, state, i, v):
        node, voter = state.nodes[i], state.nodes[v]
        after = change(state, i, to_ask=node.to_ask & ~(1 << v))
        if voter.to not in (-1, i) or voter.data > node.data:
            return f"{v} refuses {i}", after
        after = change(after, v, to=i, promise=TTL, waited=voter.waited if self.says("waits-through-promises") else 0)
        votes = node.votes | 1 << v
        after = change(after, i, votes=votes)
        return f"{v} votes for {i}", after._replace(elected=i) if bits(votes) * 2 > self.count else after


def change(state, i, **fields):
    return state._replace(nodes=put(state.nodes, i, state.nodes[i]._replace(**fields)))
