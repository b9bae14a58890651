"""R11: the tail of a server that died is fetched from its host before anybody else is primary. Lease mode, no clocks.

A primary acknowledges what it writes. Its server dies and its agent resigns; hosts go and come back. A candidate asks all that answer, in one
step, and is elected in one step. WAL is a tuple of entries (term, number); the WAL that each term wrote is kept beside, so that a copy that
nobody wrote is noticed. A fetch is entry by entry, and may stop anywhere.
"""
from typing import NamedTuple, Optional

from explore import Model
from wording import GOOD, Run, broken, put

RULE = "R11"


def runs():
    def refuted(name, says, also=(), **bounds):
        wording = broken(name, RULE, says)
        return Run("refuted", Rescue, wording._replace(flags=wording.flags | set(also)), bounds=bounds)

    yield Run("holds", Rescue, GOOD, bounds=dict(deaths=2))
    yield Run("holds", Rescue, GOOD, bounds=dict(deaths=1, losses=1))
    yield Run("live", Rescue, GOOD, bounds=dict(deaths=1))
    yield Run("live", Rescue, GOOD, bounds=dict(deaths=1, data=2, unreadable=True))
    yield Run("holds", Rescue, GOOD, "full", dict(deaths=2, losses=1))
    yield Run("holds", Rescue, GOOD, "full", dict(deaths=2, losses=1, timeouts=1))
    yield Run("live", Rescue, GOOD, "full", dict(deaths=2, losses=1))
    yield refuted("stands-without-fetching", "a candidate stands although a node that answers has more", deaths=1)
    yield refuted("diverged-stands", "a candidate stands although a node that answers has more, if that node's WAL does not continue its own",
                  deaths=1, losses=1)
    yield refuted("up-again-at-once", "a resigned holder starts its server again before the winner streams, and can no more be fetched from", deaths=1)
    yield refuted("joined-by-back-link", "CRC and back-link across the joint are all that is looked at, not the term histories", deaths=2, losses=1)
    yield refuted("in-any-order", "segments are put in place in any order, and what an interrupted fetch left beyond a gap stays", deaths=1, losses=1)
    yield refuted("counts-beyond-a-gap", "the position counts what was fetched beyond a gap", also=["in-any-order"], deaths=1, losses=1)
    yield Run("stuck", Rescue, broken("compares-for-ever", RULE, "a resigned holder whose WAL cannot be fetched goes on comparing positions"),
              bounds=dict(deaths=1, data=2, unreadable=True))


class Node(NamedTuple):
    log: tuple
    up: bool = True        # its host and agent
    term: int = 1
    primary: bool = False
    resigned: bool = False  # its server is down, and stays so until the next primary streams to it or the rescue has timed out
    timed_out: bool = False
    beyond: tuple = ()     # (index, entry): fetched beyond a gap
    source: int = -1


class State(NamedTuple):
    nodes: tuple
    deaths: int            # of servers
    losses: int            # of hosts, which come back
    timeouts: int
    written: tuple         # the WAL of each term, whole
    known: tuple           # what the node with most had when the last primary was lost; that much must not be lost
    number: int = 2
    healed: bool = False
    wrong: Optional[str] = None


class Rescue(Model):
    def __init__(self, wording, data=3, deaths=1, losses=0, timeouts=0, entries=2, unreadable=False):
        self.says = wording.flags.__contains__
        self.data, self.entries, self.unreadable = data, entries, unreadable
        first = ((1, 1),)
        nodes = (Node(first, primary=True),) + (Node(first, source=0),) * (data - 1)
        self.start = State(nodes, deaths, losses, timeouts, (first,), ())

    def initial(self):
        return self.start

    def violation(self, state):
        return state.wrong

    def steps(self, state):
        for i, node in enumerate(state.nodes):
            if not node.up:
                if not state.healed:
                    yield f"host {i} comes back", change(state, i, up=True)
                continue
            if node.primary:
                yield from self.as_primary(state, i, node)
            else:
                yield from self.as_standby(state, i, node)
                yield from self.as_candidate(state, i, node)
            if state.losses:
                yield f"host {i} is lost", self.lost(state._replace(losses=state.losses - 1), i, node)

    # --- a primary

    def as_primary(self, state, i, node):
        if sum(1 for entry in node.log if entry[0] == node.term) < self.entries:
            log = node.log + ((node.term, state.number),)
            written = tuple(log if w == node.log else w for w in state.written)
            yield f"{i} writes and acknowledges", change(state._replace(number=state.number + 1, written=written), i, log=log)
        if state.deaths:
            after = change(state._replace(deaths=state.deaths - 1), i, primary=False, resigned=True, timed_out=False)
            yield f"server {i} dies, its agent resigns", after._replace(known=best(after))

    def lost(self, state, i, node):
        """What is kept is what those had that can still be asked; a host that was lost comes back with its server down."""
        after = change(state, i, up=False, primary=False, resigned=False, timed_out=False, source=-1)
        if node.primary or state.known:
            after = after._replace(known=best(after))
        return after

    # --- a standby

    def as_standby(self, state, i, node):
        for p, source in enumerate(state.nodes):
            if p == i or not source.primary or not source.up or source.term < node.term:
                continue
            common = shared(node.log, source.log)
            if node.source != p or node.term != source.term:
                yield f"{i} follows {p}", change(state, i, source=p, term=source.term, log=node.log[:common], resigned=False, timed_out=False,
                                                 beyond=())
            elif common < len(source.log):
                yield f"{i} receives from {p}", change(state, i, log=source.log[:common + 1])
        if node.resigned and not node.timed_out:
            if state.timeouts or state.healed:
                after = change(state._replace(timeouts=max(0, state.timeouts - 1)), i, timed_out=True)
                yield f"the rescue from {i} times out", after._replace(known=best(after))
            if self.says("up-again-at-once"):
                yield f"server {i} is started again", change(state, i, resigned=False)

    def fetchable(self, node):
        return not node.primary and not (self.unreadable and node.resigned)

    # --- a candidate

    def as_candidate(self, state, i, node):
        down = node.resigned and (not node.timed_out or self.unreadable)
        if down or any(other.primary and other.up for other in state.nodes):
            return
        behind = [u for u, other in enumerate(state.nodes) if other.up and rank(other.log) > self.claimed(node)]
        for u in behind:
            if self.fetchable(state.nodes[u]):
                yield from self.fetching(state, i, node, u)
        ahead = [u for u in behind if not state.nodes[u].timed_out]
        if self.says("diverged-stands"):
            ahead = [u for u in ahead if self.may_join(node, state.nodes[u])]
        if self.says("up-again-at-once"):
            ahead = [u for u in ahead if state.nodes[u].resigned]
        if ahead and not self.says("stands-without-fetching"):
            return
        answers = [u for u, other in enumerate(state.nodes) if other.up and self.grants(other, node, u == i)]
        if len(answers) * 2 > self.data:
            yield f"{i} is elected by {'+'.join(map(str, answers))}", self.promote(state, i, node, answers)

    def fetching(self, state, i, node, u):
        source = state.nodes[u].log
        if not self.may_join(node, state.nodes[u]):
            return
        for at in range(len(node.log), len(source) if self.says("in-any-order") else len(node.log) + 1):
            if all(b[0] != at for b in node.beyond):
                yield f"{i} fetches entry {at + 1} from {u}", change(state, i, **joined(node, node.beyond + ((at, source[at]),)))

    def may_join(self, node, other):
        """What it has is the beginning of what the other has. A back-link is a position, which fits what any fork has there."""
        return len(node.log) < len(other.log) and (other.log[:len(node.log)] == node.log or self.says("joined-by-back-link"))

    def claimed(self, node):
        if self.says("counts-beyond-a-gap") and node.beyond:
            at, entry = max(node.beyond)
            return entry[0], at + 1
        return rank(node.log)

    def grants(self, voter, candidate, itself):
        if itself:
            return True
        if voter.resigned and voter.timed_out and not self.says("compares-for-ever"):
            return True
        return self.claimed(candidate) >= rank(voter.log)

    def promote(self, state, i, node, answers):
        term = 1 + max(other.term for other in state.nodes)
        wrong = state.wrong
        if not any(w[:len(node.log)] == node.log for w in state.written):
            wrong = f"I4: {i} is promoted with WAL that nobody wrote: {numbers(node.log)}"
        elif rank(node.log) < rank(state.known):
            wrong = f"I4: {i} is promoted with {numbers(node.log)}; nodes that answered had {numbers(state.known)}"
        log = node.log + ((term, state.number),)
        after = state._replace(wrong=wrong, known=(), number=state.number + 1, written=state.written + (log,))
        for u in answers:
            after = change(after, u, term=term, source=-1)
        return change(after, i, term=term, primary=True, log=log, beyond=(), source=-1, resigned=False, timed_out=False)

    # --- healing

    def heal(self, state):
        nodes = tuple(n._replace(up=True) for n in state.nodes)
        yield state._replace(nodes=nodes, deaths=0, losses=0, healed=True)

    def settled(self, state):
        for p, node in enumerate(state.nodes):
            if node.primary:
                return all(other is node or other.source == p and other.log == node.log for other in state.nodes)
        return False


def joined(node, beyond):
    """What is contiguous now belongs to the log."""
    log = node.log
    while any(b[0] == len(log) for b in beyond):
        log += (next(b[1] for b in beyond if b[0] == len(log)),)
    return dict(log=log, beyond=tuple(sorted(b for b in beyond if b[0] >= len(log))))


def best(state):
    """The most that a node has that answers, or could be started to."""
    return max((n.log for n in state.nodes if n.up and not n.timed_out), key=rank, default=())


def rank(log):
    return (log[-1][0] if log else 0, len(log))


def shared(one, other):
    return next((at for at, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


def numbers(log):
    return " ".join(f"{term}.{number}" for term, number in log)


def change(state, i, **fields):
    return state._replace(nodes=put(state.nodes, i, state.nodes[i]._replace(**fields)))
