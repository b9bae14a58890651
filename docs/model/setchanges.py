"""R9: how a primary changes its synchronous set, in steps that may stop anywhere. A part of the model in syncset.py."""
from typing import NamedTuple

from wording import bits, members, put


class Change(NamedTuple):
    kind: str              # "force": PostgreSQL first; "remember": voters first; "elected": a winner makes a majority remember
    target: tuple          # (who, k)
    term: int
    heard: int = 0         # voters that remember it, once it is being remembered
    barrier: int = 0       # length of WAL that must be acknowledged before it is remembered
    ids: tuple = ()        # of the members' data, learned before the barrier was written
    loosens: bool = False
    elected: bool = False


def covers(force, remembered, holder) -> bool:
    """Whoever acknowledges under what is in force meets whoever can elect by what is remembered."""
    who, k = force
    strangers = bits(who & ~remembered.who())
    return max(0, k - strangers) + (1 if remembered.who() >> holder & 1 else 0) >= remembered.k


def steps(model, state, i, node):
    change = node.change
    if node.primary and not node.candidate and node.term == node.primary:
        if change is None and len(node.force) == 1:
            yield from begin(model, state, i, node)
        if change and change.kind == "force" and (len(node.force) == 1 or model.says("walsenders-not-awaited")):
            yield from barrier(model, state, i, node, change)
    if change and change.kind in ("remember", "elected") and node.term == change.term:
        yield from remembering(model, state, i, node, change)


def settled(node, i):
    """What is remembered under its own term is what is in force."""
    own = node.set
    return own.term == node.primary and own.holder == i and (own.who(), own.k) == node.force[0]


def begin(model, state, i, node):
    if not settled(node, i):
        yield f"{i} goes on from what is in force", with_change(state, i, Change("force", node.force[0], node.primary))
        yield from ways_out(model, state, i, node)
        return
    if not state.changes:
        return
    fewer = state._replace(changes=state.changes - 1)
    for target in targets(model, i, *node.force[0]):
        loosens = covers(node.force[0], node.set._replace(ids=kept(model, state, node, target[0]), k=target[1]), i)
        if model.says("order-reversed"):
            loosens = not loosens
        if loosens:
            change = Change("remember", target, node.primary, 1 << i, loosens=True)
            after = with_change(fewer, i, change)
            yield f"{i} remembers {name(target)}", remember(model, after, i, target)
        elif model.says("order-reversed") or covers(target, node.set, i):
            after = with_change(fewer, i, Change("force", target, node.primary))
            node = after.nodes[i]
            yield f"{i} puts {name(target)} in force", replace(after, i, node._replace(force=node.force + (target,)))
            node = state.nodes[i]


def ways_out(model, state, i, node):
    """Of a set that cannot become effective because its members are gone (ADR 0085)."""
    own = node.set
    if own.term == node.primary and own.holder == i and not node.sure and not model.says("replaces-unsure"):
        yield f"{i} makes sure of what it remembers", with_change(state, i, Change("remember", (own.who(), own.k), node.primary, 1 << i))
    elif state.changes and own.term == node.primary and own.holder == i:
        fewer = state._replace(changes=state.changes - 1)
        change = Change("remember", (0, 0), node.primary, 1 << i)
        yield f"{i} remembers that it alone counts", remember(model, with_change(fewer, i, change), i, (0, 0))
        for who in range(1, 1 << model.data):
            for k in range(1, bits(who) + 1):
                safe = covers((who, k), own, i) or model.says("replaced-by-any")
                if not who >> i & 1 and (who, k) != node.force[0] and safe:
                    yield f"{i} has {name((who, k))} in its place", replace(fewer, i, node._replace(force=node.force + ((who, k),)))


def targets(model, i, who, k):
    """One member or one count more or less; the empty set, and back from it."""
    for m in range(model.data):
        if m == i:
            continue
        if not who >> m & 1:
            yield (who | 1 << m, max(k, 1))
        elif bits(who) - 1 >= k:
            yield (who & ~(1 << m), k)
        elif bits(who) == 1:
            yield (0, 0)
    if k >= 2:
        yield (who, k - 1)
    if k and k + 1 <= bits(who):
        yield (who, k + 1)


def barrier(model, state, i, node, change):
    if model.says("no-barrier"):
        yield f"{i} remembers {name(change.target)}", remembering_begins(model, state, i, change)
        return
    if not change.barrier and len(node.log) < model.entries + (3 if state.healed else 1):
        after = replace(state, i, node._replace(log=node.log + (model.timeline(node),)))
        yield f"{i} writes a barrier", with_change(after, i, change._replace(
            barrier=len(node.log) + 1, ids=identities(model, state, change.target[0])))
    if change.barrier and node.acked >= change.barrier:
        yield f"{i} remembers {name(change.target)}", remembering_begins(model, state, i, change)


def remembering_begins(model, state, i, change):
    after = with_change(state, i, change._replace(kind="remember", heard=1 << i))
    learned = change.ids if not model.says("identity-when-remembered") else ()
    return remember(model, after, i, change.target, learned or identities(model, state, change.target[0]))


def remember(model, state, i, target, learned=()):
    node = state.nodes[i]
    own = node.set
    number = own.change + 1 if own.term == node.primary else 2
    return replace(state, i, node._replace(set=own._replace(
        term=node.primary, change=number, ids=learned or kept(model, state, node, target[0]), k=target[1], holder=i, holder_id=node.identity), sure=False))


def identities(model, state, who):
    return tuple(state.nodes[m].identity if who >> m & 1 else 0 for m in range(model.data))


def kept(model, state, node, who):
    """Without a barrier: those that are members stay what they were remembered as."""
    now = identities(model, state, who)
    return tuple(node.set.ids[m] or now[m] if now[m] else 0 for m in range(model.data))


def remembering(model, state, i, node, change):
    for v, voter in enumerate(state.nodes):
        if v == i or change.heard >> v & 1 or not voter.up or voter.term > change.term:
            continue
        if voter.primary:
            voter = model.fenced(voter)
        if voter.candidate and voter.candidate.term < change.term:
            voter = voter._replace(candidate=None)
        voter = voter._replace(term=change.term, set=node.set, holder_of=max(voter.holder_of, change.term))
        after = replace(state, v, voter)
        yield f"{v} remembers for {i}", with_change(after, i, change._replace(heard=change.heard | 1 << v))
        if after != state:
            yield f"{v} remembers for {i}, the answer is lost", after
    if bits(change.heard) >= model.most:
        if change.elected:
            yield f"{i} is primary in term {change.term}", model.promote(state, i, change.term, change.target)
        else:
            force = (node.force[-1], change.target) if change.loosens else node.force
            yield f"{i} knows that a majority remembers", replace(state, i, node._replace(change=None, force=force, sure=True))


def with_change(state, i, change):
    return replace(state, i, state.nodes[i]._replace(change=change))


def replace(state, i, node):
    return state._replace(nodes=put(state.nodes, i, node))


def name(target):
    who, k = target
    return f"ANY {k} ({','.join(map(str, members(who, 8)))})" if who else "no set"
