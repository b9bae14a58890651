"""R14: pause and resume, with leases, an expiry, restarts, and an operator who says that the holder is down.

Time is discrete: a tick takes one from every countdown; one node's clock may once lose a tick. Three voters; p holds term 1. Renewals
are messages, delayed at will or for ever. A new term is won in one step by those who may vote, and ends the story: whether votes are safe is
asked elsewhere.
"""
from typing import NamedTuple, Optional

from explore import Model
from wording import GOOD, Run, broken, put

RULE = "R14"
TTL, MARGIN, PAUSE = 3, 1, 4


def runs():
    def refuted(name, says, rule=RULE, **bounds):
        return Run("refuted", Pause, broken(name, rule, says), bounds=bounds)

    yield Run("holds", Pause, GOOD, bounds=dict(rounds=1, overrides=True))
    yield Run("live", Pause, GOOD, bounds=dict(rounds=2))
    yield Run("live", Pause, GOOD, bounds=dict(rounds=1, crashes=1))
    yield Run("holds", Pause, GOOD, "full", dict(rounds=3, overrides=True))
    yield Run("holds", Pause, GOOD, "full", dict(rounds=2, crashes=1, late=1))
    yield Run("holds", Pause, GOOD, "full", dict(rounds=2, pauses=2))
    yield Run("live", Pause, GOOD, "full", dict(rounds=2, crashes=1))
    yield refuted("in-force-before-a-majority-knows", "the holder stops fencing when it asks for the pause")
    yield refuted("resumed-when-a-majority-knows", "the holder goes on as paused until a majority has acknowledged the end of the pause")
    yield refuted("any-renewal-sets-it", "a voter takes pause or no pause from whatever renewal comes")
    yield refuted("not-on-disk", "a voter that restarts has forgotten the pause", "R1", rounds=1, crashes=1)
    yield refuted("guard-knows-nothing", "the guard fences in a pause")
    yield refuted("voters-vote", "voters vote in a pause")
    yield refuted("no-fence-at-the-expiry", "a holder whose pause has expired goes on without a lease, voters vote when it has expired", expires=True)
    yield refuted("holder-is-down-on-trust", "--holder-is-down is not refused while the holder is up", overrides=True)
    yield Run("stuck", Pause, broken("resigns-in-a-pause", "R10", "a paused holder whose server dies resigns at once"), bounds=dict(rounds=2))
    yield Run("stuck", Pause, broken("resigns-before-a-majority-knows", RULE, "a holder resigns before a majority knows that the pause has ended"),
              "full", dict(rounds=2))
    yield Run("stuck", Pause, broken("only-its-server-resumes", RULE, "a holder whose server is not up does not end the pause"), bounds=dict(rounds=2))


class Voter(NamedTuple):
    up: bool = True
    term: int = 1
    promise: int = TTL     # to the holder of its term, this much longer
    quiet: int = 0
    closed: bool = False
    change: int = 0        # of the pause that it remembers
    paused: bool = False
    left: int = 0          # until its pause expires, where voters look at that


class Holder(NamedTuple):
    """What p knows as holder of term 1."""
    lease: int = TTL - MARGIN
    change: int = 0
    wanted: bool = False   # remembered by p; in force only when a majority remembers it
    paused: bool = False
    left: int = 0          # until the pause expires
    known: int = 0         # the change that a majority remembers
    round: Optional[tuple] = None   # (number, age, change, wanted)


class State(NamedTuple):
    voters: tuple
    holder: Holder
    writable: tuple        # the server of each node
    net: tuple = ()        # ("renew", to, round, change, wanted) | ("ack", round) | ("resign", to)
    rounds: int = 0        # how many more renewals while there are faults; a round's number is how many were left
    crashes: int = 0
    pauses: int = 0
    deaths: int = 1        # of p's server alone
    late: int = 0          # ticks that one clock may lose
    overrides: bool = False
    healed: bool = False
    wrong: Optional[str] = None


class Pause(Model):
    def __init__(self, wording, rounds=2, crashes=0, pauses=1, late=0, overrides=False, expires=False):
        self.says = wording.flags.__contains__
        self.start = State((Voter(),) * 3, Holder(), (True, False, False), rounds=rounds, crashes=crashes, pauses=pauses, late=late,
                           overrides=overrides)
        self.expires = expires

    def initial(self):
        return self.start

    def canonical(self, state):
        """b and c are alike."""
        (a, b, c), swap = state.voters, {0: 0, 1: 2, 2: 1}
        net = tuple(sorted(m if m[0] == "ack" else (m[0], swap[m[1]]) + m[2:] for m in state.net))
        other = state._replace(voters=(a, c, b), writable=(state.writable[0], state.writable[2], state.writable[1]), net=net)
        return state if (state.voters[1:], state.writable[1:], state.net) <= (other.voters[1:], other.writable[1:], net) else other

    def violation(self, state):
        if sum(state.writable) > 1:
            return "I1: two servers acknowledge writes at one instant"
        return state.wrong

    def steps(self, state):
        for label, after in self.all_steps(state):
            yield label, without_stale(after)

    def all_steps(self, state):
        yield "tick", self.tick(state)
        if state.late:
            for i in range(3):
                yield f"tick that {'pbc'[i]} loses", self.tick(state._replace(late=0), i)
        yield from self.as_holder(state)
        yield from self.messages(state)
        yield from self.elections(state)
        if not state.healed:
            yield from self.operator(state)
            yield from self.faults(state)

    # --- time

    def tick(self, state, late=None):
        voters = tuple(v if i == late else v._replace(promise=down(v.promise), quiet=down(v.quiet), left=down(v.left))
                       for i, v in enumerate(state.voters))
        if self.expires:
            voters = tuple(v._replace(paused=False) if v.paused and not v.left else v for v in voters)
        state = state._replace(voters=voters)
        if late == 0:
            return state
        h = state.holder
        h = h._replace(lease=down(h.lease), left=down(h.left),
                       round=h.round and (h.round[0], h.round[1] + 1) + h.round[2:] if h.round and h.round[1] < TTL else None)
        acts = state.writable[0] or not self.says("only-its-server-resumes")
        if h.wanted and not h.left and acts and not self.says("no-fence-at-the-expiry"):
            h = h._replace(wanted=False, change=h.change + 1, paused=False)
        return self.fence_without_lease(state._replace(holder=h))

    def fence_without_lease(self, state):
        """By agent or guard."""
        h = state.holder
        if not state.writable[0] or state.voters[0].term > 1 or h.lease:
            return state
        if h.paused and not self.says("guard-knows-nothing"):
            return state
        wrong = "I9: fenced in a pause" if h.paused else state.wrong
        return state._replace(writable=put(state.writable, 0, False), wrong=wrong)

    # --- the holder of term 1

    def holds(self, state):
        p = state.voters[0]
        return p.up and p.term == 1 and not p.closed

    def as_holder(self, state):
        if not self.holds(state):
            return
        h = state.holder
        if state.rounds or state.healed and not state.net:
            rounds = max(0, state.rounds - 1)
            sent = (("renew", v, rounds, h.change, h.wanted) for v in (1, 2))
            yield "renew", send(state, *sent)._replace(holder=h._replace(round=(rounds, 0, h.change, h.wanted)), rounds=rounds)
        if h.wanted and (state.writable[0] or not self.says("only-its-server-resumes")):
            yield "resume", self.resume(state)
        ended = not h.wanted and (h.known == h.change or self.says("resigns-before-a-majority-knows"))
        if not state.writable[0] and (ended or self.says("resigns-in-a-pause")):
            yield "resign", self.resign(state)

    def resume(self, state):
        h = state.holder
        paused = h.paused and self.says("resumed-when-a-majority-knows")
        return self.fence_without_lease(state._replace(holder=h._replace(wanted=False, change=h.change + 1, paused=paused)))

    def resign(self, state):
        p, h = state.voters[0], state.holder
        after = send(state, ("resign", 1), ("resign", 2))
        return after._replace(voters=put(state.voters, 0, p._replace(closed=True, promise=0)),
                              holder=h._replace(lease=0, round=None))

    # --- messages

    def messages(self, state):
        for at, message in enumerate(state.net):
            rest = state._replace(net=state.net[:at] + state.net[at + 1:])
            if message[0] == "ack":
                yield describe(message), self.acknowledged(rest, message[1])
            elif rest.voters[message[1]].up:
                yield describe(message), (self.renewed if message[0] == "renew" else self.resigned)(rest, *message[1:])

    def renewed(self, state, v, number, change, wanted):
        voter = state.voters[v]
        if voter.term > 1 or voter.closed:
            return state
        if change < voter.change and not self.says("any-renewal-sets-it"):
            return state._replace(voters=put(state.voters, v, voter._replace(promise=TTL)))
        voter = voter._replace(promise=TTL, change=change, paused=wanted, left=PAUSE if wanted and self.expires else 0)
        return send(state._replace(voters=put(state.voters, v, voter)), ("ack", number))

    def acknowledged(self, state, number):
        """With the holder itself one of two others is a majority."""
        h = state.holder
        if not self.holds(state) or not h.round or h.round[0] != number:
            return state
        _, age, change, wanted = h.round
        paused = wanted and h.wanted if change == h.change else h.paused and h.wanted
        if self.says("resumed-when-a-majority-knows") and change != h.change:
            paused = h.paused
        lease = max(h.lease, TTL - MARGIN - age) if state.writable[0] else h.lease
        return state._replace(holder=h._replace(round=None, lease=lease, paused=paused, known=max(h.known, change)))

    def resigned(self, state, v):
        voter = state.voters[v]
        return state._replace(voters=put(state.voters, v, voter._replace(closed=True, promise=0)))

    # --- a new term

    def may_vote(self, state, v):
        voter = state.voters[v]
        if not voter.up or voter.term > 1 or voter.quiet or state.writable[v]:
            return False
        if v == 0:
            paused = state.holder.wanted
            return voter.closed and not paused
        return not voter.promise and (not voter.paused or self.says("voters-vote"))

    def elections(self, state):
        able = [v for v in range(3) if self.may_vote(state, v)]
        if len(able) >= 2:
            h = state.holder
            wrong = "I9: an election in a pause" if h.paused and state.writable[0] else state.wrong
            for winner in able:
                voters = tuple(Voter(v.up, 2) if i in able else v for i, v in enumerate(state.voters))
                writable = tuple(i == winner or w for i, w in enumerate(state.writable))
                yield f"{'pbc'[winner]} is elected", State(voters, Holder(lease=0), writable, healed=state.healed, wrong=wrong)
        if any(v.term == 2 for v in state.voters):
            for i, v in enumerate(state.voters):
                if v.up and v.term == 1:
                    yield f"{'pbc'[i]} hears of term 2", state._replace(
                        voters=put(state.voters, i, Voter(True, 2)), writable=put(state.writable, i, False))

    # --- operator and faults

    def operator(self, state):
        h = state.holder
        if self.holds(state) and state.writable[0] and not h.wanted and state.pauses:
            now = self.says("in-force-before-a-majority-knows")
            yield "pause", state._replace(pauses=state.pauses - 1, holder=h._replace(wanted=True, change=h.change + 1, paused=now, left=PAUSE))
        if state.overrides and (not state.writable[0] or self.says("holder-is-down-on-trust")):
            for i in (1, 2):
                v = state.voters[i]
                if v.up and v.paused:
                    v = v._replace(paused=False, change=v.change + 1, promise=TTL)
                    yield f"unpause {'pbc'[i]} --holder-is-down", state._replace(voters=put(state.voters, i, v))

    def faults(self, state):
        if state.deaths and state.writable[0] and state.voters[0].term == 1:
            yield "server p dies", state._replace(deaths=0, writable=put(state.writable, 0, False))
        for i, v in enumerate(state.voters):
            if not v.up:
                yield f"boot {'pbc'[i]}", boot(state, i)
            elif state.crashes and v.term == 1:
                fewer = state._replace(crashes=state.crashes - 1, writable=put(state.writable, i, False))
                forgets = self.says("not-on-disk")
                v = v._replace(up=False, promise=0, quiet=TTL, paused=v.paused and not forgets, change=0 if forgets else v.change)
                holder = state.holder._replace(lease=0, round=None, paused=False, known=0) if i == 0 else state.holder
                yield f"host {'pbc'[i]} dies", fewer._replace(voters=put(state.voters, i, v), holder=holder)

    # --- healing

    def heal(self, state):
        for i in range(3):
            if not state.voters[i].up:
                state = boot(state, i)
        yield state._replace(healed=True, crashes=0, pauses=0, deaths=0, late=0, rounds=0, overrides=False, net=(),
                             holder=state.holder._replace(round=None))

    def settled(self, state):
        one_term = len({v.term for v in state.voters}) == 1
        return one_term and sum(state.writable) == 1 and not any(v.paused for v in state.voters) and not (
            state.voters[0].term == 1 and (state.holder.wanted or not state.holder.lease))


def down(countdown):
    return countdown - 1 if countdown else 0


def send(state, *messages):
    return state._replace(net=tuple(sorted(set(state.net + messages))))


def without_stale(state):
    """A message that nobody would heed is as good as lost; one that is never delivered is lost too."""
    current = state.holder.round[0] if state.holder.round else -1
    net = tuple(m for m in state.net if (m[1] == current if m[0] == "ack" else state.voters[m[1]].term == 1
                                         and not (m[0] == "renew" and state.voters[m[1]].closed)))
    return state if len(net) == len(state.net) else state._replace(net=net)


def boot(state, i):
    """What a pause has left is counted anew: an instant of the old clock says nothing."""
    holder = state.holder._replace(left=PAUSE) if i == 0 and state.holder.wanted else state.holder
    return state._replace(voters=put(state.voters, i, state.voters[i]._replace(up=True)), holder=holder)


def describe(message):
    if message[0] == "renew":
        _, to, _, _, wanted = message
        return f"renewal{' with pause' if wanted else ''} to {'pbc'[to]}"
    return "acknowledgement" if message[0] == "ack" else f"resignation to {'pbc'[message[1]]}"
