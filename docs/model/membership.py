"""R13: voters come and go while holders change. What a majority is depends on whom one asks.

No clocks: a holder that could still be acknowledged by a majority, as it counts, after a later term was affirmed, is the violation. An
election is one step; renewals reach voters one by one, or not.
"""
from typing import NamedTuple, Optional

from explore import Model
from wording import GOOD, Run, Wording, bits, broken, members, put

RULE = "R13"


def runs():
    def refuted(name, says, rule=RULE, also=(), **bounds):
        wording = broken(name, rule, says)
        return Run("refuted", Membership, wording._replace(flags=wording.flags | set(also)), bounds=bounds)

    newest_alone = ["by-new-majority-alone", "not-by-the-one-before"]
    yield Run("holds", Membership, GOOD, bounds=dict(voters=3, spare=1, terms=2, changes=1))
    yield Run("holds", Membership, GOOD, bounds=dict(voters=2, spare=2, terms=1, changes=2, losses=1))
    yield Run("live", Membership, GOOD, bounds=dict(voters=3, spare=1, terms=1, changes=1))
    yield Run("holds", Membership, GOOD, "full", dict(voters=3, spare=1, terms=2, changes=2))
    yield Run("holds", Membership, GOOD, "full", dict(voters=2, spare=2, terms=2, changes=2, losses=1))
    yield Run("holds", Membership, GOOD, "full", dict(voters=4, spare=1, terms=2, changes=2))
    yield Run("live", Membership, GOOD, "full", dict(voters=3, spare=1, terms=1, changes=2))
    alone = Wording("newest-alone", RULE, "a second line, not the first: majorities of the newest alone", frozenset(newest_alone))
    yield Run("holds", Membership, alone, "full", dict(voters=3, spare=1, terms=2, changes=2))
    yield refuted("by-its-own-membership", "a candidate counts by the membership that it remembers itself", terms=2, changes=2)
    yield refuted("two-at-once", "two voters are changed at once, by majorities of the newest membership alone", also=newest_alone,
                  voters=3, spare=2, terms=1, changes=1)
    yield refuted("next-before-confirmed", "a change begins before the one before it is confirmed", voters=5, spare=0, terms=1, changes=3)
    yield refuted("not-affirmed-first", "a new holder changes the membership before it has affirmed it in its term, by majorities of the newest alone",
                  also=newest_alone, voters=4, spare=0, terms=2, changes=2)
    yield refuted("strangers-count", "answers of voters that were removed count", voters=4, spare=0, terms=2, changes=1)
    yield refuted("empty-state-answers", "a voter that lost its state answers under its old number", "R1", terms=2, changes=0, losses=1)


class Voters(NamedTuple):
    """As much of the membership as one remembers: before is the one before, 0 once this one is confirmed."""
    term: int
    change: int
    who: int
    before: int

    def key(self):
        return self.term, self.change, not self.before


NONE = Voters(0, 0, 0, 0)


class Node(NamedTuple):
    term: int = 0
    voters: Voters = NONE
    holds: int = 0         # the term that it holds
    affirmed: bool = False  # a majority has acknowledged its membership in its term
    heard: int = 0         # who acknowledged the membership as it is now
    lost: bool = False     # its state directory


class State(NamedTuple):
    nodes: tuple
    terms: int
    changes: int
    losses: int
    elected: tuple = (1,)
    affirmed: int = 1      # the highest term that was affirmed: its holder may be primary
    wrong: Optional[str] = None
    healed: bool = False


class Membership(Model):
    def __init__(self, wording, voters=3, spare=1, terms=2, changes=1, losses=0):
        self.says = wording.flags.__contains__
        self.count = voters + spare
        who = (1 << voters) - 1
        first = Voters(1, 1, who, 0)
        nodes = tuple(Node(1, first) if i < voters else Node() for i in range(self.count))
        self.start = State(put(nodes, 0, nodes[0]._replace(holds=1, affirmed=True, heard=who)), terms, changes, losses)

    def initial(self):
        return self.start

    def canonical(self, state):
        """Nodes in an order of what they know; some states that are alike remain two, which costs time only."""
        order = sorted(range(self.count), key=lambda i: signature(state, i))
        if order == list(range(self.count)):
            return state
        place = [0] * self.count
        for new, old in enumerate(order):
            place[old] = 1 << new
        moved = {}

        def mask(old):
            if old not in moved:
                moved[old] = sum(place[i] for i in members(old, self.count))
            return moved[old]

        nodes = []
        for i in order:
            n = state.nodes[i]
            v = n.voters
            nodes.append(n._replace(voters=Voters(v.term, v.change, mask(v.who), mask(v.before)), heard=mask(n.heard)))
        return state._replace(nodes=tuple(nodes))

    def violation(self, state):
        if state.wrong:
            return state.wrong
        for node in state.nodes:
            if node.holds and node.holds == node.term < state.affirmed:
                could = sum(1 << v for v, n in enumerate(state.nodes) if n.term <= node.term and (not n.lost or self.says("empty-state-answers")))
                if self.effective(could, node.voters):
                    return f"I1: term {node.term} can still be renewed, though term {state.affirmed} was affirmed"
        return None

    def effective(self, heard, voters):
        if not majority(heard, voters.who):
            return False
        return not voters.before or self.says("by-new-majority-alone") or majority(heard, voters.before)

    def steps(self, state):
        for i, node in enumerate(state.nodes):
            if node.lost and not self.says("empty-state-answers"):
                continue
            if node.holds and node.holds == node.term:
                yield from self.renewals(state, i, node)
                yield from self.changes(state, i, node)
            if state.terms and node.voters.who:
                yield from self.elections(state, i)
            if state.losses and node.voters.who:
                yield f"{i} loses its state", change(state._replace(losses=state.losses - 1), i, Node(lost=True))

    # --- a holder

    def renewals(self, state, i, node):
        for v in members(node.voters.who | node.voters.before, self.count):
            other = state.nodes[v]
            takes = other.term <= node.term and (not other.lost or self.says("empty-state-answers"))
            if v == i or not takes or other.voters == node.voters and node.heard >> v & 1:
                continue
            after = change(state, v, other._replace(term=node.term, voters=node.voters, holds=0, affirmed=False, heard=0, lost=False))
            yield f"{v} acknowledges {i}", change(after, i, node._replace(heard=node.heard | 1 << v))
        unsure = node.voters.before or not node.affirmed
        if unsure and self.effective(node.heard, node.voters):
            after = change(state, i, node._replace(voters=node.voters._replace(before=0), affirmed=True))
            yield f"{i} has it confirmed", after._replace(affirmed=max(state.affirmed, node.term))

    def changes(self, state, i, node):
        own = node.voters
        sure = node.affirmed or self.says("not-affirmed-first")
        sure = sure and (not own.before or self.says("next-before-confirmed") or self.says("not-affirmed-first") and own.change == 1)
        if not state.changes or not sure:
            return
        fewer = state._replace(changes=state.changes - 1)
        fresh = [v for v in range(self.count) if not state.nodes[v].voters.who and not state.nodes[v].lost]
        for v in members(own.who, self.count) + fresh:
            if v == i or bits(own.who ^ 1 << v) == 0:
                continue
            who = own.who ^ 1 << v
            what = f"{i} {'removes' if own.who >> v & 1 else 'adds'} {v}"
            if self.says("two-at-once"):
                others = [o for o in fresh if o > v] if v in fresh else []
                for o in others:
                    yield f"{what} and {o}", self.changed(fewer, i, node, who | 1 << o)
            yield what, self.changed(fewer, i, node, who)

    def changed(self, state, i, node, who):
        own = node.voters
        voters = Voters(node.term, own.change + 1, who, own.who)
        return change(state, i, node._replace(voters=voters, heard=1 << i))

    # --- elections

    def elections(self, state, i):
        for answers in range(1 << self.count):
            if not answers >> i & 1:
                continue
            who = members(answers, self.count)
            if any(state.nodes[v].lost and not self.says("empty-state-answers") for v in who):
                continue
            newest = state.nodes[i].voters if self.says("by-its-own-membership") else max((state.nodes[v].voters for v in who), key=Voters.key)
            if not newest.who >> i & 1:
                continue
            if self.elected(answers, newest):
                yield f"{i} is elected by {'+'.join(map(str, who))}", self.elect(state, i, who, newest)

    def elected(self, answers, newest):
        if self.says("strangers-count"):
            return bits(answers) * 2 > bits(newest.who)
        if self.says("not-by-the-one-before"):
            return majority(answers, newest.who)
        return self.effective(answers, newest)

    def elect(self, state, i, who, newest):
        term = 1 + max(state.nodes[v].term for v in who)
        wrong = f"I2: term {term} has two holders" if term in state.elected else state.wrong
        after = state._replace(terms=state.terms - 1, elected=tuple(sorted(state.elected + (term,))), wrong=wrong)
        for v in who:
            after = change(after, v, after.nodes[v]._replace(term=term, holds=0, affirmed=False, heard=0, lost=False))
        voters = Voters(term, 1, newest.who, newest.before or newest.who)
        return change(after, i, after.nodes[i]._replace(voters=voters, holds=term, heard=1 << i))

    # --- healing

    def heal(self, state):
        yield state._replace(terms=state.terms + 1, changes=0, losses=0, healed=True)

    def settled(self, state):
        for node in state.nodes:
            if node.holds == node.term == state.affirmed and not node.voters.before:
                return all(state.nodes[v].voters == node.voters for v in members(node.voters.who, self.count))
        return False


def signature(state, i):
    n = state.nodes[i]
    v = n.voters
    return (n.term, n.holds, n.affirmed, n.lost, v.term, v.change, bits(v.who), bits(v.before), v.who >> i & 1, v.before >> i & 1,
            bits(n.heard), sum((o.voters.who >> i & 1) << 4 * min(o.voters.change, 3) for o in state.nodes),
            sum((o.heard >> i & 1) << 3 * o.holds for o in state.nodes))


def change(state, i, node):
    return state._replace(nodes=put(state.nodes, i, node))


def majority(heard, who):
    return bits(heard & who) * 2 > bits(who)
