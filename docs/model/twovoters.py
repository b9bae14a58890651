"""R15: two voters, strict. A standby that may promote itself; a third voter that comes and goes; an operator who decides.

No clocks: a standby may promote itself at any time once its receiver is gone, which is more than R15 allows it. Links need no state of
their own, since a step that needs a link may simply not happen. An election by vote is one step; changes of set and membership are
taken apart. A WAL is the tuple of the terms in which its entries were written.
"""
from typing import NamedTuple, Optional

from explore import Model
from wording import GOOD, Run, bits, broken, members, put

P, S, W = 0, 1, 2          # the first primary, the standby, a witness that is no voter at first
PAIR, THREE = 0b011, 0b111
BY_OPERATOR = 1000         # the term that an operator's decision takes
LONGEST = 6                # entries of WAL; what a change of the set needs besides the writes that are counted

RULE = "R15"


def runs():
    def refuted(name, says, rule=RULE, **bounds):
        return Run("refuted", TwoVoters, broken(name, rule, says), bounds=bounds)

    yield Run("holds", TwoVoters, GOOD, bounds=dict(writes=1))
    yield Run("holds", TwoVoters, GOOD, bounds=dict(decisions=1, writes=0))
    yield Run("live", TwoVoters, GOOD, bounds=dict(terms=1, writes=0))
    yield Run("holds", TwoVoters, GOOD, "full", {})
    yield Run("holds", TwoVoters, GOOD, "full", dict(changes=1, writes=1))
    yield Run("holds", TwoVoters, GOOD, "full", dict(decisions=1, changes=1, writes=0))
    yield Run("holds", TwoVoters, GOOD, "full", dict(three=True, changes=2, writes=1, crashes=0, terms=1))
    yield Run("live", TwoVoters, GOOD, "full", dict(writes=1))
    yield refuted("also-outside-the-set", "the exception does not ask whether the node is in the remembered set")
    yield refuted("loosens-alone", "a primary without its standby empties the set on its own")
    yield refuted("third-voter-by-new-majority", "a third voter counts once a majority of the new membership remembered it", changes=1)
    yield refuted("remembers-before-postgresql", "a set that grows is remembered before it is in force", "R9")
    yield refuted("after-a-restart-too", "the exception holds for a standby that has not streamed since its agent started", decisions=1)
    yield refuted("in-spite-of-a-later-holder", "the exception holds for a node that heard of a holder of a later term than its set's", decisions=1)
    yield refuted("unsure-sole-holder", "the exception holds for the holder of an empty set that only it remembers", changes=1)
    yield refuted("operator-trusts-silence", "an operator goes on without a standby that is silent, not known to be off", "R18", decisions=1)
    yield refuted("operator-overrules-a-majority", "an operator goes on with one of three voters, and the others are off, but not for good", "R18",
                  decisions=1, changes=1, writes=0)
    yield refuted("membership-without-set", "a membership is remembered without the set that goes with it", "R13",
                  three=True, changes=2, crashes=0, terms=1)
    yield Run("stuck", TwoVoters, broken("not-for-the-sole-holder", RULE, "no exception for the holder of an empty set whose server died"),
              bounds=dict(terms=1, writes=0))


class Voters(NamedTuple):
    term: int
    change: int
    who: int               # mask
    before: int            # the membership before it, 0 once it is confirmed


class Set(NamedTuple):
    term: int
    change: int
    who: int               # mask of members; one acknowledgement is enough, there is one at most
    holder: int


class Node(NamedTuple):
    up: bool
    term: int              # the highest of a holder that it heard of, or that it took itself
    voters: Voters
    set: Set
    log: tuple = ()
    primary: int = 0       # the term in which it is writable
    force: int = 0         # the set in force in PostgreSQL, of a primary
    flushed: int = 0       # what its standby has acknowledged to it
    acked: int = 0         # what it has acknowledged to clients
    source: Optional[tuple] = None    # (node, term) that it streams from
    sole: bool = False     # it knows that its empty set is what counts: nobody else was asked, or a majority remembers it
    ran: bool = True       # its agent has run since it last streamed or was primary


class State(NamedTuple):
    nodes: tuple
    terms: int             # how many more elections
    writes: int
    crashes: int
    changes: int           # of the membership, and of the set to none (another mode)
    decisions: int         # of an operator
    acked: tuple           # (term, WAL) of what clients were told
    promoted: tuple        # (term, WAL) of those who were promoted
    alone: int = -1        # healed, with this node alone up; -2: healed, all up
    wrong: Optional[str] = None


class TwoVoters(Model):
    def __init__(self, wording, terms=2, writes=2, crashes=1, changes=0, decisions=0, three=False):
        self.says = wording.flags.__contains__
        self.three = three
        self.bounds = (terms, writes, crashes, changes, decisions)

    def initial(self):
        voters, set_ = Voters(1, 1, THREE if self.three else PAIR, 0), Set(1, 1, 1 << S, P)
        witness = Node(True, 1, voters, set_) if self.three else Node(True, 0, Voters(0, 0, 0, 0), Set(0, 0, 0, -1), ran=False)
        return State((
            Node(True, 1, voters, set_, log=(1,), primary=1, force=1 << S, flushed=1, acked=1),
            Node(True, 1, voters, set_, log=(1,), source=(P, 1)),
            witness), *self.bounds, ((1, (1,)),), ((1, (1,)),))

    def violation(self, state):
        return state.wrong

    def steps(self, state):
        for i in (P, S):
            node = state.nodes[i]
            if not node.up:
                if state.alone in (-1, -2):
                    yield f"boot {name(i)}", change(state, i, up=True)
                continue
            yield from (self.as_primary(state, i, node) if node.primary else self.as_standby(state, i, node))
            yield from self.elections(state, i, node)
            yield from self.faults(state, i, node)
        yield from self.remembering(state)

    # --- a primary

    def as_primary(self, state, i, node):
        other = S if i == P else P
        barrier = node.force != node.set.who and node.acked == len(node.log)
        if (state.writes or barrier) and len(node.log) < LONGEST:
            fewer = state._replace(writes=max(0, state.writes - 1))
            yield f"write at {name(i)}", change(fewer, i, log=node.log + (node.primary,))
        if node.acked < len(node.log) and (not node.force or node.flushed > node.acked):
            yield f"acknowledge at {name(i)}", self.acknowledge(state, i, node)
        yield from self.set_changes(state, i, node, other)
        yield from self.membership_changes(state, i, node)

    def acknowledge(self, state, i, node):
        count = node.acked + 1
        told, term = node.log[:count], node.primary
        wrong = next((f"I3: term {term} acknowledges {told}, which term {t} was promoted without"
                      for t, log in state.promoted if t > term and log[:count] != told), state.wrong)
        acked = tuple(a for a in state.acked if a[0] != term) + ((term, told),)
        return change(state, i, acked=count)._replace(acked=tuple(sorted(acked)), wrong=wrong)

    def set_changes(self, state, i, node, other):
        own, standby = node.set, state.nodes[other]
        mine = own.term == node.primary and own.holder == i
        streams = standby.up and standby.source == (i, node.primary) and standby.log == node.log
        grown = Set(node.primary, own.change + 1 if mine else 1, 1 << other, i)
        if not node.force and streams and mine:
            if self.says("remembers-before-postgresql"):
                if not own.who:
                    yield f"remember set at {name(i)}", change(state, i, set=grown, sole=False)
                else:
                    yield f"set in force at {name(i)}", change(state, i, force=1 << other)
            else:
                yield f"set in force at {name(i)}", change(state, i, force=1 << other)
        # After a commit of its own term was acknowledged under the set in force, that set is remembered.
        barrier = node.acked == len(node.log) and node.log[-1] == node.primary and node.flushed == len(node.log)
        if node.force and own.who != node.force and barrier and mine:
            yield f"remember set at {name(i)}", change(state, i, set=grown, sole=False)
        if own.who and own.who == node.force and mine and state.changes:
            fewer = state._replace(changes=state.changes - 1)
            yield f"remember no set at {name(i)}", change(fewer, i, set=own._replace(change=own.change + 1, who=0), sole=False)
        heard = sum(1 << v for v in range(3) if state.nodes[v].set == own)
        if node.force and not own.who and mine and majority(heard, node.voters.who) and not node.voters.before:
            yield f"set no more in force at {name(i)}", change(state, i, force=0, sole=True)
        if self.says("loosens-alone") and node.force:
            yield f"loosen at {name(i)}", change(state, i, force=0, set=grown._replace(who=0))

    def membership_changes(self, state, i, node):
        own = node.voters
        if state.changes and not own.before and own.who in (PAIR, THREE) and node.set.term == node.primary:
            more = state._replace(changes=state.changes - 1)
            own = Voters(node.primary, own.change + 1 if own.term == node.primary else 1, own.who ^ 1 << W, own.who)
            yield f"{'add' if own.who >> W & 1 else 'remove'} w at {name(i)}", change(more, i, voters=own)
        elif own.before:
            heard = sum(1 << v for v in range(3) if state.nodes[v].voters[:3] == own[:3])
            if majority(heard, own.who) and (majority(heard, own.before) or self.says("third-voter-by-new-majority")):
                yield f"membership confirmed at {name(i)}", change(state, i, voters=own._replace(before=0))

    def remembering(self, state):
        """A renewal of a primary reaches a voter: membership and set in one."""
        for i in (P, S):
            node = state.nodes[i]
            if not node.up or not node.primary:
                continue
            for v in members(node.voters.who | node.voters.before, 3):
                voter = state.nodes[v]
                stale = voter.set < node.set or voter.voters < node.voters or voter.voters[:3] == node.voters[:3] != voter.voters
                if v == i or not voter.up or voter.term > node.primary or not stale:
                    continue
                keep = self.says("membership-without-set") and voter.voters < node.voters
                after = self.superseded(state, v, node.primary)
                yield f"renewal of {name(i)} reaches {name(v)}", change(
                    after, v, term=node.primary, voters=node.voters, set=voter.set if keep else node.set, sole=False)

    # --- a standby

    def as_standby(self, state, i, node):
        other = S if i == P else P
        source = state.nodes[other]
        if source.up and source.primary and source.primary >= node.term:
            if node.source != (other, source.primary):
                common = shared(node.log, source.log)
                after = change(state, i, source=(other, source.primary), term=source.primary, log=source.log[:common], ran=True)
                yield f"{name(i)} attaches", change(after, other, flushed=common)
            elif len(node.log) < len(source.log):
                after = change(state, i, log=source.log[:len(node.log) + 1], ran=True)
                yield f"{name(i)} receives", change(after, other, flushed=len(node.log) + 1)
        if node.source:
            yield f"{name(i)} cuts its receiver", change(state, i, source=None)
        elif self.may_promote_itself(i, node) and state.terms:
            alone = Set(node.term + 1, 1, 0, i)
            after = change(state._replace(terms=state.terms - 1), i, term=node.term + 1, set=alone, sole=True)
            yield f"{name(i)} promotes itself", self.promote(after, i, node.term + 1, 0)

    def may_promote_itself(self, i, node):
        if node.voters.who != PAIR or not (node.ran or self.says("after-a-restart-too")):
            return False
        if node.set.term < node.term and not self.says("in-spite-of-a-later-holder"):
            return False
        if node.set.who >> i & 1 or self.says("also-outside-the-set"):
            return True
        sole = node.sole or self.says("unsure-sole-holder")
        return not node.set.who and node.set.holder == i and sole and not self.says("not-for-the-sole-holder")

    def promote(self, state, i, term, force):
        log = state.nodes[i].log
        wrong = next((f"I3: {name(i)} is promoted in term {term} with {log}; term {t} had acknowledged {told}"
                      for t, told in state.acked if t < term and log[:len(told)] != told), state.wrong)
        if any(t == term for t, _ in state.promoted):
            wrong = f"I2: term {term} has two holders"
        after = state._replace(promoted=tuple(sorted(state.promoted + ((term, log),))), wrong=wrong)
        return change(after, i, primary=term, force=force, log=log + (term,), acked=len(log), flushed=0, source=None, ran=True)

    # --- by vote

    def elections(self, state, i, node):
        if not state.terms or node.primary:
            return
        for answers in (0b011, 0b101, 0b110, 0b111, 1 << i):
            who = members(answers, 3)
            if i not in who or any(not state.nodes[v].up for v in who):
                continue
            term = 1 + max(state.nodes[v].term for v in who)
            voters = max(state.nodes[v].voters for v in who)
            newest = max(state.nodes[v].set for v in who)
            elected = majority(answers, voters.who) and (not voters.before or majority(answers, voters.before))
            safe = answers & newest.who or newest.holder in who
            behind = any(rank(state.nodes[v].log) > rank(node.log) for v in who if v != W)
            if elected and safe and not behind and term < BY_OPERATOR:
                yield f"{name(i)} is elected by {'+'.join(map(name, who))}", self.elect(state, i, who, term, voters, newest)

    def elect(self, state, i, who, term, voters, newest):
        after = state._replace(terms=state.terms - 1)
        inherited = Set(term, 1, newest.who, i)
        voters = voters._replace(term=term, change=1)
        for v in who:
            after = self.superseded(after, v, term)
            after = change(after, v, term=term, set=inherited, voters=voters, source=None, sole=False)
        return self.promote(after, i, term, 1 << (S if i == P else P))

    def superseded(self, state, v, term):
        node = state.nodes[v]
        if node.primary and node.primary < term:
            return change(state, v, primary=0, force=0, flushed=0, acked=0)
        return state

    # --- faults and the operator

    def faults(self, state, i, node):
        if state.crashes:
            fewer = state._replace(crashes=state.crashes - 1)
            down = dict(primary=0, force=0, flushed=0, acked=0, source=None)
            yield f"host {name(i)} dies", change(fewer, i, up=False, ran=False, **down)
            if node.primary:
                yield f"server {name(i)} dies", change(fewer, i, **down)
        other = state.nodes[S if i == P else P]
        pair = node.voters.who == PAIR and not node.voters.before or self.says("operator-overrules-a-majority")
        if state.decisions and pair and (not other.up or self.says("operator-trusts-silence")):
            yield f"operator goes on with {name(i)} alone", self.decided(state._replace(decisions=state.decisions - 1), i, node)

    def decided(self, state, i, node):
        """What the other node had acknowledged is given up, and the operator was told so."""
        term = BY_OPERATOR
        after = change(state._replace(acked=()), i, term=term, voters=Voters(term, 1, 1 << i, 0), set=Set(term, 1, 0, i))
        if not node.primary:
            return self.promote(after, i, term, 0)
        after = after._replace(promoted=after.promoted + ((term, node.log),))
        return change(after, i, primary=term, force=0, log=node.log + (term,))

    # --- healing

    def heal(self, state):
        healed = state._replace(crashes=0, changes=0, decisions=0, terms=2, writes=0)
        yield healed._replace(alone=-2)
        for i in (P, S):
            node, other = healed.nodes[i], S if i == P else P
            gone = change(healed, other, up=False, primary=0, force=0, flushed=0, acked=0, source=None, ran=False)
            if node.up and node.ran and node.set.holder == i and not node.set.who and node.sole and node.voters.who == PAIR:
                yield gone._replace(alone=i)

    def settled(self, state):
        if state.alone >= 0:
            return state.nodes[state.alone].primary > 0
        for i in (P, S):
            node, other = state.nodes[i], state.nodes[S if i == P else P]
            if node.primary and other.source == (i, node.primary) and other.log == node.log and not other.primary:
                return True
        return False


def name(i):
    return "psw"[i]


def change(state, i, **fields):
    return state._replace(nodes=put(state.nodes, i, state.nodes[i]._replace(**fields)))


def majority(heard, who):
    return bits(heard & who) * 2 > bits(who)


def rank(log):
    return (log[-1] if log else 0, len(log))


def shared(one, other):
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count
