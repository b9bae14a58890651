"""R1 to R5, R8, R10, and of R14 the restart: leases, promises, votes, the guard, and going on in a later term.

Time is discrete: a tick takes one from every countdown; one node's clock may once lose or win a tick. Messages are a set, delivered in any
order, at any later tick, or never, and some twice. A server that is writable acknowledges writes. Positions are left out.
"""
from typing import NamedTuple, Optional

from explore import Model
from wording import GOOD, Run, Wording, bits, broken, put

RULE = "R2"
TTL, MARGIN, GRACE = 3, 1, 5
NODES = range(3)
DEAD, UP, FROZEN = 0, 1, 2  # an agent


def runs():
    def refuted(name, rule, says, also=(), walks=(), **bounds):
        wording = broken(name, rule, says)
        return Run("refuted", Lease, wording._replace(flags=wording.flags | set(also)), bounds=bounds, walks=walks)

    yield Run("live", Lease, GOOD, bounds=dict(rounds=0, terms=2))
    yield Run("walks", Lease, GOOD, bounds=EVERYTHING, walks=(300, 70, 1))
    yield Run("holds", Lease, GOOD, "full", dict(rounds=1, terms=2))
    yield Run("holds", Lease, GOOD, "full", dict(rounds=1, terms=2, deaths=1))
    yield Run("live", Lease, GOOD, "full", dict(rounds=0, terms=2, kills=1))
    for seed in range(5):
        yield Run("walks", Lease, GOOD, "full", EVERYTHING, (4000, 80, seed))
    second = Wording("votes-are-no-promises", "R8", "a second line: a vote is no promise", frozenset(["votes-are-no-promises"]))
    yield Run("walks", Lease, second, "full", EVERYTHING, (2000, 80, 1))
    yield refuted("promotes-when-elected", "R8", "the winner promotes without a renewal first, and a vote is no promise", also=["votes-are-no-promises"],
                  rounds=1, terms=3)
    yield refuted("lease-as-long-as-promises", RULE, "the lease holds for the whole ttl, without a margin", rounds=1, late=1,
                  beginning=("tick", "tick"))
    yield refuted("lease-from-the-answer", RULE, "the lease counts from the acknowledgement, not from the sending", rounds=2, late=1,
                  beginning=("0 renews", "renewal of 0 reaches 1", "tick", "acknowledgement of 1 reaches 0", "tick that 0 loses"))
    yield refuted("last-promise-counts", RULE, "a promise is set by the renewal that came last, also to an earlier end", rounds=3, grace=1,
                  beginning=RESTARTS + ("0 renews", "renewal of 0 reaches 1"))
    yield refuted("quiet-for-one-ttl", "R1", "a restarted voter is quiet for the usual ttl, whatever it had promised", rounds=2, grace=1, kills=1,
                  beginning=RESTARTS + ("1: agent dies", "1: agent starts"))
    yield refuted("not-quiet", "R1", "a restarted voter votes at once", rounds=3, kills=1, beginning=KEEPS + ("2: agent dies", "2: agent starts"))
    yield refuted("state-not-on-disk", "R1", "a restarted voter has forgotten term and vote", rounds=0, kills=1,
                  beginning=("tick", "tick", "tick", "1 stands", "2 is asked for its vote by 1 in term 2", "vote of 2 reaches 1", "2: agent dies"))
    yield refuted("no-guard", "R4", "the agent alone fences", rounds=1, kills=1, beginning=("0: agent freezes", "tick", "tick"))
    yield refuted("votes-in-spite-of-promise", "R8", "a voter votes in spite of a promise", rounds=3, beginning=KEEPS)
    yield refuted("votes-twice", "R8", "a voter votes for two in one term", rounds=0)
    yield refuted("resigns-before-the-fence", "R10", "a holder resigns before its server is out of service", rounds=1, deaths=1)
    yield refuted("resigned-term-again", "R10", "a resigned term may be held, and its holder promoted, again", also=["promotes-twice"],
                  rounds=2, deaths=1, beginning=("server 0 dies", "0 resigns", "0 takes its term up again", "0 renews", "renewal of 0 reaches 1",
                                                 "acknowledgement of 1 reaches 0", "0 is promoted", "resignation of 0 reaches 1"))
    yield refuted("standing-prolongs", "R3", "a holder that stands in a later term goes on until it is elected", rounds=4, terms=3,
                  beginning=KEEPS + BURNT + ("0 stands again", "tick"))


EVERYTHING = dict(rounds=6, terms=4, kills=2, deaths=2, grace=1, late=1, twice=1)
# Beginnings of what takes too many steps to be found from the start: p keeps its lease by one voter alone; the other burns a term.
KEEPS = ("tick", "0 renews", "renewal of 0 reaches 2", "acknowledgement of 2 reaches 0") * 2
BURNT = ("tick", "1 stands", "0 renews", "renewal of 0 reaches 1", "0 is told of term 2 by 1")
RESTARTS = ("0 renews for its restart", "renewal of 0 reaches 1", "acknowledgement of 1 reaches 0")


class Round(NamedTuple):
    number: int
    age: int
    heard: int             # mask
    ttl: int


class Candidate(NamedTuple):
    term: int
    votes: int             # mask
    age: int
    goes_on: bool          # it is primary and stands in a later term


class Node(NamedTuple):
    agent: int = UP
    term: int = 1
    to: int = 0            # to whom it has promised; -1 to nobody
    promise: int = TTL     # for so long
    longest: int = TTL     # that it ever promised
    quiet: int = 0
    closed: int = 0        # the highest term that was resigned
    holds: int = 0         # the term that it holds
    held: int = 0          # likewise on disk
    ready: int = 0         # the term in which a majority has acknowledged a renewal
    promoted: int = 0      # the last term in which its server was promoted
    writable: bool = False
    deadline: int = 0      # of its lease, which agent and guard know
    told: int = 0          # of a higher term while it holds one
    round: Optional[Round] = None
    candidate: Optional[Candidate] = None


class State(NamedTuple):
    nodes: tuple
    rounds: int
    kills: int
    deaths: int
    grace: int
    late: int
    twice: int
    net: tuple = ()        # (kind, from, to, term, round, ttl)
    elected: tuple = ()    # (term, node)
    healed: bool = False
    wrong: Optional[str] = None


class Lease(Model):
    rare = {"stands": 0.5, "dies": 0.3, "agent dies": 0.3, "agent freezes": 0.2, "stands again": 0.5}

    def __init__(self, wording, rounds=1, terms=2, kills=0, deaths=0, grace=0, late=0, twice=0, beginning=()):
        self.says = wording.flags.__contains__
        self.terms = terms
        self.margin = 0 if self.says("lease-as-long-as-promises") else MARGIN
        first = Node(holds=1, held=1, ready=1, promoted=1, writable=True, deadline=TTL - self.margin)
        self.start = State((first, Node(), Node()), rounds, kills, deaths, grace, late, twice, elected=((1, 0),))
        for wanted in beginning:
            self.start = next(after for label, after in self.steps(self.start) if label == wanted)

    def initial(self):
        return self.start

    def canonical(self, state):
        """Nodes in an order of what they know. Some states that are alike remain two, which costs time only."""
        order = sorted(NODES, key=lambda i: signature(state, i))
        place = [order.index(i) for i in NODES]
        if place == [0, 1, 2]:
            return state
        mask = tuple(sum(1 << place[i] for i in NODES if m >> i & 1) for m in range(8))

        def moved(n):
            return n._replace(to=place[n.to] if n.to >= 0 else -1, round=n.round and n.round._replace(heard=mask[n.round.heard]),
                              candidate=n.candidate and n.candidate._replace(votes=mask[n.candidate.votes]))

        return state._replace(nodes=tuple(moved(state.nodes[i]) for i in order),
                              net=tuple(sorted((m[0], place[m[1]], place[m[2]]) + m[3:] for m in state.net)),
                              elected=tuple((t, place[i]) for t, i in state.elected))

    def violation(self, state):
        if sum(node.writable for node in state.nodes) > 1:
            return "I1: two servers acknowledge writes at one instant"
        return state.wrong

    def steps(self, state):
        for label, after in self.all_steps(state):
            yield label, without_stale(after)

    def all_steps(self, state):
        later = self.tick(state)
        if later != state and not (state.healed and self.is_urgent(state)):
            yield "tick", later
        if state.late:
            for i in NODES:
                yield f"tick that {i} loses", self.tick(state._replace(late=0), i, 0)
                yield f"tick that {i} has twice", self.tick(state._replace(late=0), i, 2)
        for i, node in enumerate(state.nodes):
            if node.agent == UP:
                yield from self.as_holder(state, i, node)
                yield from self.standing(state, i, node)
            yield from self.faults(state, i, node)
        for at, message in enumerate(state.net):
            if state.nodes[message[2]].agent == UP:
                rest = state._replace(net=state.net[:at] + state.net[at + 1:])
                yield describe(message), self.receive(rest, message)
                if state.twice:
                    yield f"{describe(message)}, not for the last time", self.receive(state._replace(twice=state.twice - 1), message)

    # --- time

    def tick(self, state, odd=None, times=1):
        nodes = []
        for i, node in enumerate(state.nodes):
            for _ in range(times if i == odd else 1):
                node = self.older(node)
            nodes.append(node)
        return state._replace(nodes=tuple(nodes))

    def older(self, n):
        n = n._replace(promise=max(0, n.promise - 1), to=n.to if n.promise > 1 else -1, quiet=max(0, n.quiet - 1),
                       round=n.round._replace(age=n.round.age + 1) if n.round and n.round.age < n.round.ttl else None,
                       candidate=n.candidate._replace(age=n.candidate.age + 1) if n.candidate and n.candidate.age < TTL else None)
        if n.deadline:
            n = n._replace(deadline=n.deadline - 1)
            if not n.deadline:
                goes_on = n.candidate and n.candidate.goes_on
                if goes_on and self.says("standing-prolongs"):
                    return n._replace(deadline=1)
                fenced = n.agent == UP or not self.says("no-guard")
                n = n._replace(writable=n.writable and not fenced, holds=0, round=None, candidate=None if goes_on else n.candidate)
        return n

    # --- a holder

    def as_holder(self, state, i, node):
        term = node.holds
        if term and term == node.term and node.closed < term and not node.candidate and (state.rounds or state.healed and not state.net):
            for ttl in (TTL, GRACE) if state.grace else (TTL,):
                rounds = max(0, state.rounds - 1)
                after = put_node(state._replace(rounds=rounds, grace=state.grace - (ttl == GRACE)), i, self.promised(
                    node, i, ttl)._replace(round=Round(rounds, 0, 1 << i, ttl)))
                yield f"{i} renews{' for its restart' if ttl == GRACE else ''}", send(
                    after, *(("renew", i, v, term, rounds, ttl) for v in NODES if v != i))
        if term and node.ready == term and node.deadline and not node.writable and (node.promoted < term or self.says("promotes-twice")):
            yield f"{i} is promoted", put_node(state, i, node._replace(writable=True, promoted=term))
        if term and (not node.writable and node.promoted == term or self.says("resigns-before-the-fence")):
            closed = node.closed if self.says("resigned-term-again") else term
            after = node._replace(holds=0, ready=0, closed=closed, round=None, deadline=node.deadline if node.writable else 0)
            after = after._replace(to=-1, promise=0) if node.to == i else after
            yield f"{i} resigns", send(put_node(state, i, after), *(("resign", i, v, term, 0, 0) for v in NODES if v != i))
        if not term and node.held and node.held == node.term and node.closed < node.held and not node.candidate and node.to in (-1, i):
            yield f"{i} takes its term up again", put_node(state, i, node._replace(holds=node.held))

    def promised(self, node, to, ttl):
        left = max(ttl, node.promise) if node.to == to and not self.says("last-promise-counts") else ttl
        return node._replace(to=to, promise=left, longest=max(left, node.longest))

    # --- a new term

    def standing(self, state, i, node):
        if node.candidate:
            return
        if node.holds and node.writable and node.told > node.term:
            if node.told < self.terms:
                yield f"{i} stands again", self.stand(state, i, node, node.told + 1, True)
        elif not node.holds and not node.writable and not node.quiet and node.to in (-1, i) and (
                self.may_stand_healed(state, node) if state.healed else node.term < self.terms):
            yield f"{i} stands", self.stand(state, i, node._replace(held=0), node.term + 1, False)

    def stand(self, state, i, node, term, goes_on):
        node = node._replace(term=term, candidate=Candidate(term, 1 << i, 0, goes_on), round=None)
        if not self.says("votes-are-no-promises"):
            node = self.promised(node, i, TTL)
        return send(put_node(state, i, node), *(("vote", i, v, term, 0, 0) for v in NODES if v != i))

    def won(self, state, i, node, own):
        wrong = next((f"I2: term {t} has two holders" for t, n in state.elected if t == own.term and n != i), state.wrong)
        lease = 0 if self.says("votes-are-no-promises") else max(0, TTL - self.margin - own.age)
        goes_on = own.goes_on and node.writable
        node = node._replace(candidate=None, holds=own.term, held=own.term, told=0, round=None, ready=own.term if goes_on else 0,
                             deadline=max(lease, node.deadline) if goes_on else lease, promoted=own.term if goes_on else node.promoted)
        if self.says("promotes-when-elected"):
            node = node._replace(writable=True, promoted=own.term)
        return put_node(state._replace(elected=tuple(sorted(set(state.elected + ((own.term, i),)))), wrong=wrong), i, node)

    # --- messages

    def receive(self, state, message):
        kind, sender, i, term, number, ttl = message
        node = state.nodes[i]
        if kind == "renew":
            return self.renewed(state, i, node, sender, term, number, ttl)
        if kind == "ack":
            return self.acknowledged(state, i, node, sender, term, number)
        if kind == "vote":
            return self.asked_for_vote(state, i, node, sender, term)
        if kind == "grant":
            own = node.candidate
            own = own._replace(votes=own.votes | 1 << sender)
            if bits(own.votes) >= 2:
                return self.won(state, i, node, own)
            return put_node(state, i, node._replace(candidate=own))
        if kind == "resign":
            gone = node.to == sender and node.term == term
            return put_node(state, i, node._replace(closed=node.closed if self.says("resigned-term-again") else max(node.closed, term),
                                                    to=-1 if gone else node.to, promise=0 if gone else node.promise))
        if node.holds and node.writable:
            return put_node(state, i, node._replace(told=max(node.told, term)))
        return put_node(state, i, node._replace(term=max(node.term, term), holds=0, held=0, candidate=None))

    def renewed(self, state, i, node, sender, term, number, ttl):
        if node.term > term:
            return send(state, ("higher", i, sender, node.term, 0, 0))
        if term > node.term:
            node = node._replace(term=term, holds=0, held=0, candidate=None, round=None, ready=0, told=0, writable=False, deadline=0)
        return send(put_node(state, i, self.promised(node, sender, ttl)), ("ack", i, sender, term, number, ttl))

    def acknowledged(self, state, i, node, sender, term, number):
        now = node.round._replace(heard=node.round.heard | 1 << sender)
        if bits(now.heard) < 2:
            return put_node(state, i, node._replace(round=now))
        age = 0 if self.says("lease-from-the-answer") else now.age
        left = now.ttl - self.margin - age
        node = node._replace(round=None)
        if left > 0:
            node = node._replace(deadline=max(left, node.deadline), ready=term)
        return put_node(state, i, node)

    def asked_for_vote(self, state, i, node, sender, term):
        free = node.to in (-1, sender) or self.says("votes-in-spite-of-promise")
        again = term == node.term and self.says("votes-twice")
        if node.quiet or not free or not (term > node.term or again):
            return state
        node = node._replace(term=term, candidate=None, holds=0, held=0, round=None, ready=0)
        if not self.says("votes-are-no-promises"):
            node = self.promised(node, sender, TTL)
        return send(put_node(state, i, node), ("grant", i, sender, term, 0, 0))

    # --- faults

    def faults(self, state, i, node):
        if node.agent == DEAD:
            yield f"{i}: agent starts", put_node(state, i, self.started(node))
        elif node.agent == FROZEN:
            yield f"{i}: agent thaws", put_node(state, i, node._replace(agent=UP))
        elif state.kills:
            fewer = state._replace(kills=state.kills - 1)
            yield f"{i}: agent dies", put_node(fewer, i, self.killed(node))
            yield f"{i}: agent freezes", put_node(fewer, i, node._replace(agent=FROZEN))
        if state.deaths and node.writable:
            yield f"server {i} dies", put_node(state._replace(deaths=state.deaths - 1), i, node._replace(writable=False))

    def killed(self, node):
        node = node._replace(agent=DEAD, to=-1, promise=0, holds=0, ready=0, told=0, round=None, candidate=None)
        return node._replace(term=1, held=0) if self.says("state-not-on-disk") else node

    def started(self, node):
        if self.says("not-quiet"):
            return node._replace(agent=UP)
        return node._replace(agent=UP, quiet=TTL if self.says("quiet-for-one-ttl") else node.longest)

    # --- healing: messages arrive within the tick, holders renew in each, and no term is burnt without a majority that is free (R6)

    def is_urgent(self, state):
        return bool(state.net) or any(n.holds and n.holds == n.term and n.closed < n.holds and not n.candidate and
                                      n.deadline < TTL - self.margin for n in state.nodes)

    def may_stand_healed(self, state, node):
        free = [v for v in state.nodes if v.to == -1 and not v.quiet and not v.candidate and not v.holds]
        return not state.net and len(free) >= 2 and node.term == max(n.term for n in state.nodes) and node.term < self.terms + 3

    def heal(self, state):
        nodes = [self.started(n) if n.agent == DEAD else n._replace(agent=UP) for n in state.nodes]
        yield state._replace(nodes=tuple(nodes), healed=True, rounds=0, kills=0, deaths=0, grace=0, late=0, twice=0, net=())

    def settled(self, state):
        holder = [n for n in state.nodes if n.writable and n.holds == n.term and n.deadline]
        return len(holder) == 1 and all(n.term == holder[0].term for n in state.nodes)


def signature(state, i):
    n = state.nodes[i]
    return (n[:2], n[3:13], n.told, n.round[:2] if n.round else (), (n.candidate.term, n.candidate.age) if n.candidate else (),
            tuple(sorted((m[0],) + m[3:] for m in state.net if m[2] == i)), max((t for t, e in state.elected if e == i), default=0))


def without_stale(state):
    """A message that nobody would heed is as good as lost; one that is never delivered is lost."""
    net = tuple(m for m in state.net if heeded(state.nodes[m[2]], m))
    return state if len(net) == len(state.net) else state._replace(net=net)


def heeded(node, message):
    kind, _, _, term, number, _ = message
    if kind == "ack":
        return node.holds == term and node.round is not None and node.round.number == number
    if kind == "grant":
        return node.candidate is not None and node.candidate.term == term and node.term == term
    if kind == "vote":
        return term >= node.term
    if kind == "higher":
        return term > node.term and term > node.told
    return not (kind == "renew" and node.closed >= term)


def send(state, *messages):
    return state._replace(net=tuple(sorted(set(state.net + messages))))


def put_node(state, i, node):
    return state._replace(nodes=put(state.nodes, i, node))


def describe(message):
    kind, sender, to, term, _, _ = message
    return {"renew": f"renewal of {sender} reaches {to}", "ack": f"acknowledgement of {sender} reaches {to}",
            "vote": f"{to} is asked for its vote by {sender} in term {term}", "grant": f"vote of {sender} reaches {to}",
            "resign": f"resignation of {sender} reaches {to}", "higher": f"{to} is told of term {term} by {sender}"}[kind]
