"""R8, R9, R12, and of R3 the going on in a later term: synchronous sets, their changes, and elections over them.

No clocks and no leases: any node may stand at any time, a primary acknowledges whatever its set allows. A grant, a flush reply or a
request to remember takes effect at some later step or never. A WAL is the tuple of the terms whose promotion began its timeline, entry by
entry; one writer per timeline, so equal tuples are equal WAL.
"""
from typing import NamedTuple, Optional

import setchanges
from explore import Model
from wording import GOOD, Run, bits, broken, members, put

RULE = "R9"

# Beginnings of what takes too many steps to be found from the start.
TWO_FORKS = ("1 stands", "2 votes for 1", "3 votes for 1", "1 wins with {0,2,3}", "2 remembers for 1", "3 remembers for 1",
             "1 is primary in term 2", "write at 1", "2 stands", "3 votes for 2", "0 votes for 2", "2 wins with {0,1,3}", "3 remembers for 2",
             "0 remembers for 2", "1 remembers for 2", "2 is primary in term 3", "3 attaches to 2", "0 attaches to 2")
GOES_ON = ("0 stands as the holder it is", "2 votes for 0", "0 is elected again", "2 remembers for 0", "0 is primary in term 2",
           "2 attaches to 0")
FAILED_OVER = ("1 stands", "2 votes for 1", "3 votes for 1", "1 wins with {0,2,3}", "2 remembers for 1", "0 remembers for 1",
               "1 is primary in term 2", "0 attaches to 1", "0 receives from 1")
LOOSENS = ("0 puts ANY 1 (2) in force", "walsenders of 0 have read the set", "0 writes a barrier", "2 receives from 0", "acknowledge at 0",
           "0 remembers ANY 1 (2)", "3 remembers for 0", "4 remembers for 0", "0 knows that a majority remembers",
           "0 remembers ANY 1 (1,2)", "agent 0 restarts", "write at 0")


def runs():
    def refuted(name, says, rule=RULE, walks=(), also=(), tier="short", **bounds):
        wording = broken(name, rule, says)
        return Run("refuted", SyncSet, wording._replace(flags=wording.flags | set(also)), tier, bounds, walks)

    yield Run("holds", SyncSet, GOOD, bounds=dict(terms=2, entries=2))
    yield Run("live", SyncSet, GOOD, bounds=dict(data=2, witnesses=1, terms=2, entries=2, changes=1))
    yield Run("walks", SyncSet, GOOD, bounds=dict(terms=5, entries=9, crashes=3, changes=3, wipes=1, affirms=1), walks=(150, 120, 1))
    yield Run("holds", SyncSet, GOOD, "full", dict(terms=3, entries=3))
    yield Run("holds", SyncSet, GOOD, "full", dict(terms=2, entries=3, crashes=1))
    yield Run("holds", SyncSet, GOOD, "full", dict(terms=2, entries=3, changes=1))
    yield Run("holds", SyncSet, GOOD, "full", dict(terms=2, entries=2, wipes=1))
    yield Run("holds", SyncSet, GOOD, "full", dict(terms=3, entries=2, affirms=1))
    for faults in (dict(crashes=1), dict(changes=1), dict(affirms=1), dict(wipes=1)):
        yield Run("live", SyncSet, GOOD, "full", dict(faults, terms=2, entries=2))
    for seed, shape in enumerate((dict(), dict(k=2), dict(data=4), dict(data=4, k=2), dict(witnesses=2), dict(data=4, witnesses=1, k=2),
                                  dict(data=2, witnesses=1))):
        yield Run("walks", SyncSet, GOOD, "full", dict(shape, terms=5, entries=9, crashes=3, changes=4, wipes=1, affirms=2), (2500, 140, seed))
    small, five = dict(data=2, witnesses=1), dict(data=3, witnesses=2)
    yield refuted("no-position-check", "a voter does not compare positions", "R8")
    yield refuted("no-cut", "a voter's receiver goes on after its vote", "R8")
    yield refuted("returns-to-the-old-term", "after its vote a standby may attach to the holder of an earlier term", "R8")
    yield refuted("state-not-on-disk", "a voter that restarts has forgotten term and set", "R1", crashes=1)
    yield refuted("any-majority", "an election does not ask for members of the set", **five)
    yield refuted("by-its-own-set", "a candidate counts over the set that it remembers itself", **small, changes=1)
    yield refuted("no-barrier", "a set counts as in force as soon as PostgreSQL was told", **small, changes=2)
    yield refuted("walsenders-not-awaited", "the barrier does not wait until every walsender has read the new set", **small, entries=3, changes=2)
    yield refuted("order-reversed", "what loosens goes to PostgreSQL first, what tightens is remembered first", **small, changes=1)
    yield refuted("replaced-by-any", "a set that cannot become effective is replaced by one that does not cover what is remembered",
                  data=4, witnesses=1, k=2, terms=3, entries=1, changes=1, beginning=FAILED_OVER, tier="full")
    yield refuted("replaces-unsure", "a set is replaced by one that covers what the holder remembers, though a majority may not",
                  **five, entries=3, changes=3, crashes=1, beginning=LOOSENS, tier="full")
    yield refuted("first-set-of-its-own", "a new primary remembers the set it is about to have, not the one it inherited", **five, terms=3,
                  walks=(3000, 60, 3))
    yield refuted("position-after-a-restart", "the position is what the server says after a restart", "R8", crashes=1)
    yield refuted("ordered-by-timeline-number", "data are ordered by the number of their timeline, then position", "R7",
                  data=4, k=2, terms=4, entries=3, beginning=TWO_FORKS)
    yield refuted("any-identity", "the data of a member count whatever became of them", "R12", wipes=1)
    yield refuted("identity-when-remembered", "a member is remembered with the identity that its data have then, not with that before the barrier", "R12",
                  **small, changes=2, wipes=1)
    yield refuted("wiped-holder-counts", "the answer of a set's holder replaces the members also when its data were made anew", crashes=1, wipes=1)
    yield refuted("running-holder-counts", "the answer of a set's holder replaces the members also when its server runs on")
    yield refuted("goes-on-beside-a-later-holder", "a primary goes on in a later term though a holder between is known", "R3",
                  **five, terms=3, entries=1, affirms=1, walks=(3000, 60, 3))
    yield refuted("ordered-by-newest-line", "data are ordered by the newest line of the history that they reach, and names carry no term", "R7",
                  also=["no-stamps"], terms=3, entries=3, affirms=1, beginning=GOES_ON)


class Set(NamedTuple):
    term: int
    change: int
    ids: tuple             # of the data of each data node, 0 for one that is no member
    k: int
    holder: int
    holder_id: int

    def who(self):
        return sum(1 << i for i, identity in enumerate(self.ids) if identity)


class Candidate(NamedTuple):
    term: int
    votes: int             # mask
    newest: Set            # of what the voters remember
    identities: tuple      # of the data of those who answered, 0 for who did not or has none to show
    told: int = 0          # highest term whose holder a voter has heard of


class Node(NamedTuple):
    up: bool
    term: int
    set: Set
    log: tuple = ()
    identity: int = 1
    holder_of: int = 0     # the highest term whose holder it has heard of
    source: int = -1       # node that it streams from
    stamp: int = 0         # the term in the name by which it streams
    primary: int = 0       # the term in which it is writable
    force: tuple = ()      # (who, k): sets in force, the one that the slowest walsender reads first
    flushed: tuple = ()    # what each node has acknowledged to it, of a primary
    acked: int = 0
    change: Optional[setchanges.Change] = None
    sure: bool = True      # it knows that a majority remembers its set, as a primary
    candidate: Optional[Candidate] = None
    doubtful: bool = False  # its server restarted and does not know where its WAL ends
    affirmed: tuple = (0, 0)  # newest line without promotion that it knows: term, length of WAL at which it begins


class State(NamedTuple):
    nodes: tuple
    crashes: int
    changes: int
    wipes: int
    affirms: int
    healed: bool = False
    acked: tuple = ((1, (1,)),)
    promoted: tuple = ((1, (1,)),)
    wrong: Optional[str] = None


class SyncSet(Model):
    rare = {"stands": 0.1, "host dies": 0.2, "agent restarts": 0.2, "data are made anew": 0.2}

    def __init__(self, wording, data=3, witnesses=0, k=1, terms=2, entries=2, crashes=0, changes=0, wipes=0, affirms=0,
                 beginning=()):
        self.says = wording.flags.__contains__
        self.data, self.count = data, data + witnesses
        self.terms, self.entries = terms, entries
        self.most = self.count // 2 + 1
        first = Set(1, 1, (0,) + (1,) * (data - 1), k, 0, 1)
        self.first = first
        everyone = ((1 << data) - 1) & ~1
        nodes = [Node(True, 1, first, (1,), holder_of=1, primary=1, force=((everyone, k),), flushed=(1,) * data, acked=1)]
        nodes += [Node(True, 1, first, (1,), holder_of=1, source=0, stamp=1) for _ in range(data - 1)]
        nodes += [Node(True, 1, first, holder_of=1) for _ in range(witnesses)]
        self.start = State(tuple(nodes), crashes, changes, wipes, affirms)
        for wanted in beginning:
            self.start = next(after for label, after in self.steps(self.start) if label == wanted)

    def initial(self):
        return self.start

    def violation(self, state):
        return state.wrong

    def rank(self, node):
        """How far the data of a node go, in the order in which candidates are compared."""
        log = node.log[:-1] if node.doubtful and self.says("position-after-a-restart") else node.log
        if not log:
            return 0, 0
        if self.says("ordered-by-timeline-number"):
            return len(set(log)), len(log)
        term, start = node.affirmed
        if self.says("ordered-by-newest-line") and term > log[-1] and len(log) > start:
            return term, len(log)
        return log[-1], len(log)

    def steps(self, state):
        for i, node in enumerate(state.nodes):
            if not node.up:
                yield f"boot {i}", set_node(state, i, node._replace(up=True, doubtful=len(node.log) > 1))
                continue
            if node.doubtful and not self.says("position-after-a-restart"):
                yield f"{i} has replayed its WAL", set_node(state, i, node._replace(doubtful=False))
            if node.primary:
                yield from self.as_primary(state, i, node)
            yield from setchanges.steps(self, state, i, node)
            if state.healed:
                yield from self.elected_at_once(state, i)
                later = max(n.primary for n in state.nodes)
                if 0 < node.primary < later:
                    yield f"{i} hears of the holder of term {later}", set_node(state, i, self.fenced(node)._replace(term=later, holder_of=later))
                if i < self.data and not node.primary:
                    yield from self.as_standby(state, i, node)
                continue
            yield from self.standing(state, i, node)
            if node.candidate and node.candidate.term == node.term:
                yield from self.voting(state, i, node)
            if i < self.data and not node.primary and not node.candidate and not (node.change and node.change.elected):
                yield from self.as_standby(state, i, node)
            yield from self.faults(state, i, node)

    # --- a primary and its standbys

    def as_primary(self, state, i, node):
        if len(node.log) < self.entries:
            yield f"write at {i}", set_node(state, i, node._replace(log=node.log + (self.timeline(node),)))
        following = node.acked + 1
        if following <= len(node.log):
            for who, k in node.force:
                if sum(1 for m in members(who, self.data) if node.flushed[m] >= following) >= k:
                    yield f"acknowledge at {i}", self.acknowledge(state, i, node, following)
                    break
        if len(node.force) > 1:
            yield f"walsenders of {i} have read the set", set_node(state, i, node._replace(force=node.force[1:]))

    def timeline(self, node):
        """The term whose promotion began the timeline that it writes on."""
        return node.log[-1] if node.log[-1] <= node.primary and node.affirmed[0] == node.primary else node.primary

    def acknowledge(self, state, i, node, count):
        told = node.log[:count]
        wrong = next((f"I1: term {node.primary} acknowledges {told}, which term {t} was promoted without"
                      for t, log in state.promoted if t > node.primary and log[:count] != told), state.wrong)
        acked = tuple(sorted([a for a in state.acked if a[0] != node.primary] + [(node.primary, told)]))
        return set_node(state, i, node._replace(acked=count))._replace(acked=acked, wrong=wrong)

    def as_standby(self, state, i, node):
        source = state.nodes[node.source] if node.source >= 0 else None
        if source and source.up and source.primary and len(node.log) < len(source.log) and source.log[:len(node.log)] == node.log:
            after = set_node(state, i, node._replace(log=source.log[:len(node.log) + 1], doubtful=False))
            if node.stamp == source.primary or self.says("no-stamps"):
                source = source._replace(flushed=put(source.flushed, i, len(node.log) + 1))
            yield f"{i} receives from {node.source}", set_node(after, node.source, source)
        for p in range(self.data):
            source = state.nodes[p]
            if p == i or not source.primary or not source.up or (node.source, node.stamp) == (p, source.primary):
                continue
            if source.primary < node.term and not self.says("returns-to-the-old-term"):
                continue
            common = shared(node.log, source.log)
            flushed = source.flushed if source.flushed[i] >= common and not node.doubtful else put(source.flushed, i, common)
            after = set_node(state, p, source._replace(flushed=flushed))
            yield f"{i} attaches to {p}", set_node(after, i, node._replace(
                source=p, stamp=source.primary, term=max(node.term, source.primary), holder_of=max(node.holder_of, source.primary),
                log=node.log[:common], affirmed=source.affirmed))

    def fenced(self, node):
        return node._replace(primary=0, force=(), flushed=(), acked=0, change=None)

    # --- elections

    def standing(self, state, i, node):
        if node.term >= self.terms or not node.log:
            return
        if node.primary:
            if state.affirms and node.candidate is None:
                term = 1 + max(other.term for other in state.nodes)
                if term <= self.terms:
                    yield f"{i} stands as the holder it is", self.stand(state._replace(affirms=state.affirms - 1), i, node, term)
        elif not node.change or node.term > node.change.term:
            yield f"{i} stands", self.stand(state, i, node, node.term + 1)

    def stand(self, state, i, node, term):
        own = Candidate(term, 1 << i, node.set, self.shown((0,) * self.data, i, node), node.holder_of)
        return set_node(state, i, node._replace(term=term, candidate=own, change=None, source=-1))

    def shown(self, identities, i, node):
        if i >= self.data or node.doubtful and not self.says("position-after-a-restart"):
            return identities
        return put(identities, i, node.identity)

    def voting(self, state, i, node):
        own = node.candidate
        for v, voter in enumerate(state.nodes):
            if v == i or not voter.up or voter.term >= own.term:
                continue
            if v < self.data and self.rank(voter) > self.rank(node) and not self.says("no-position-check"):
                continue
            heard = own._replace(votes=own.votes | 1 << v, newest=max(own.newest, voter.set) if not self.says("by-its-own-set") else own.newest,
                                 identities=self.shown(own.identities, v, voter), told=max(own.told, voter.holder_of))
            voter = voter._replace(term=own.term, candidate=None, change=None)
            if not self.says("no-cut"):
                voter = voter._replace(source=-1)
            if voter.primary and not self.says("running-holder-counts"):
                voter = self.fenced(voter)
            after = set_node(state, v, voter)
            yield f"{v} votes for {i}", set_node(after, i, node._replace(candidate=heard))
        if bits(own.votes) >= self.most:
            yield from self.won(state, i, node, own)

    def won(self, state, i, node, own):
        newest = own.newest
        if node.primary:
            # It goes on without promotion, unless the term that it holds is not the newest that had a holder.
            if own.told <= node.primary or self.says("goes-on-beside-a-later-holder"):
                inherited = newest._replace(term=own.term, change=1, holder=i, holder_id=node.identity)
                change = setchanges.Change("elected", node.force[-1], own.term, 1 << i, elected=True)
                yield f"{i} is elected again", set_node(state, i, node._replace(candidate=None, set=inherited, change=change))
            return
        if not self.enough(own, newest):
            return
        for who in self.first_sets(i, newest):
            k = min(max(newest.k, 1), bits(who))
            if not self.says("first-set-of-its-own") and not setchanges.covers((who, k), newest, i):
                continue
            inherited = newest._replace(term=own.term, change=1, holder=i, holder_id=node.identity)
            if self.says("first-set-of-its-own"):
                inherited = inherited._replace(ids=tuple(1 if who >> m & 1 else 0 for m in range(self.data)), k=k)
            change = setchanges.Change("elected", (who, k), own.term, 1 << i, elected=True)
            yield f"{i} wins with {mask_name(who)}", set_node(state, i, node._replace(candidate=None, set=inherited, change=change))

    def enough(self, own, newest):
        """n - k + 1 members with the data that the set knows, or its holder."""
        if self.says("any-majority"):
            return True
        same = [m for m in range(self.data) if newest.ids[m] and own.identities[m] and
                (own.identities[m] == newest.ids[m] or self.says("any-identity"))]
        if len(same) >= bits(newest.who()) - newest.k + 1:
            return True
        holder = own.identities[newest.holder]
        return holder == newest.holder_id or bool(holder) and self.says("wiped-holder-counts")

    def first_sets(self, i, newest):
        others = ((1 << self.data) - 1) & ~(1 << i)
        return sorted({others, others & ~(1 << newest.holder), newest.who() & ~(1 << i)} - {0})

    def promote(self, state, i, term, force):
        """In a new term: promoted, or going on where it was primary before."""
        node = state.nodes[i]
        goes_on = node.primary > 0
        wrong = next((f"I3: {i} holds term {term} with {node.log}; term {t} had acknowledged {told}"
                      for t, told in state.acked if t < term and node.log[:len(told)] != told), state.wrong)
        if any(t == term for t, _ in state.promoted):
            wrong = f"I2: term {term} has two holders"
        promoted = tuple(sorted(state.promoted + ((term, node.log),)))
        if goes_on:
            node = node._replace(affirmed=(term, len(node.log)))
        else:
            node = node._replace(force=(force,), flushed=(0,) * self.data, acked=len(node.log), affirmed=(0, 0), log=node.log + (term,))
        node = node._replace(primary=term, source=-1, change=None, doubtful=False, holder_of=term, sure=True)
        return set_node(state._replace(promoted=promoted, wrong=wrong), i, node)

    # --- healing: an election is one step then, since no term is burnt without a majority that is free (R6)

    def heal(self, state):
        nodes = tuple(n._replace(up=True, candidate=None, doubtful=n.doubtful or not n.up) for n in state.nodes)
        yield state._replace(nodes=nodes, crashes=0, changes=0, wipes=0, affirms=0, healed=True)

    def elected_at_once(self, state, i):
        top = max(node.term for node in state.nodes)
        node = state.nodes[i]
        holds = any(top in (n.primary, n.change and n.change.elected and n.change.term) for n in state.nodes)
        if holds or i >= self.data or node.doubtful:
            return
        voters = [v for v, voter in enumerate(state.nodes) if v >= self.data or self.rank(voter) <= self.rank(node)]
        own = Candidate(top + 1, sum(1 << v for v in voters), max(state.nodes[v].set for v in voters), (0,) * self.data)
        for v in voters:
            own = own._replace(identities=self.shown(own.identities, v, state.nodes[v]))
        if len(voters) < self.most or not self.enough(own, own.newest):
            return
        after = state
        for v in voters:
            after = set_node(after, v, self.fenced(after.nodes[v])._replace(term=own.term, source=-1, holder_of=own.term))
        for label, won in self.won(after, i, after.nodes[i], own):
            yield label, won

    def settled(self, state):
        top = max(node.term for node in state.nodes)
        for i, node in enumerate(state.nodes):
            if node.primary == top and len(node.force) == 1 and not node.change and setchanges.settled(node, i):
                return all(other is node or other.source == i and other.stamp == top and other.log == node.log
                           for other in state.nodes[:self.data])
        return False

    # --- faults

    def faults(self, state, i, node):
        if state.crashes:
            fewer = state._replace(crashes=state.crashes - 1)
            gone = self.fenced(node)._replace(up=False, candidate=None, source=-1)
            if self.says("state-not-on-disk"):
                gone = gone._replace(term=1, set=self.first, holder_of=1)
            yield f"host {i} dies", set_node(fewer, i, gone)
            if node.change and not node.change.elected:
                yield f"agent {i} restarts", set_node(fewer, i, node._replace(change=None))
        if state.wipes and i < self.data and not node.primary and not node.candidate and not node.change:
            yield f"data of {i} are made anew", set_node(state._replace(wipes=state.wipes - 1), i, node._replace(
                log=node.log[:1], identity=node.identity + 1, source=-1, affirmed=(0, 0), doubtful=False))


def set_node(state, i, node):
    return state._replace(nodes=put(state.nodes, i, node))


def shared(one, other):
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


def mask_name(mask):
    return "{" + ",".join(map(str, members(mask, 8))) + "}"
