# SPDX-License-Identifier: Apache-2.0
"""Groups (namespace `w:g2`): the list, one group with its participants, and the notifications of changes.

Messages to groups are in `messages`.
"""

from collections.abc import Iterable

from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.wire import Node, Value
from wigwag.simulator.world import Group, Person


def participating(exchange: Exchange, stream: Stream, _node: Node) -> list[Node]:
    groups = exchange.world.groups_of(stream.device.person)
    return [Node("groups", {}, [_group(group) for group in groups])]


def info(exchange: Exchange, stream: Stream, node: Node) -> list[Node]:
    to = node.jid("to")
    group = exchange.world.groups.get(to.user) if to and to.server == "g.us" else None
    if group is None:
        raise Refusal(404, "no such group")
    if stream.device.person not in group.participants:
        raise Refusal(403, "the account is not in this group")
    return [_group(group)]


def rename(exchange: Exchange, group: Group, subject: str, by: Person | None) -> None:
    """`by`: who did it; the first admin when nobody is named."""
    renamed, group.subject = group.subject != subject, subject
    if renamed:
        head: dict[str, Value] = {"subject": group.subject, "s_t": exchange.time(), "s_o": _actor(group, by)}
        _announce(exchange, group, Node("subject", head), group.participants, by)


def change(exchange: Exchange, group: Group, people: list[Person], admins: list[Person], by: Person | None) -> None:
    """From now on these are in the group. Once somebody has left, the others write with new keys."""
    before, leaders = group.participants, group.admins
    group.participants, group.admins = people, admins
    stayed = [person for person in before if person in people]
    left = [person for person in before if person not in people]
    changes = {
        "add": [person for person in people if person not in before],
        "remove": left,
        "promote": [person for person in stayed if person in admins and person not in leaders],
        "demote": [person for person in stayed if person in leaders and person not in admins],
    }
    for action, changed in changes.items():
        if changed:
            _announce_participants(exchange, group, action, changed, by)
    for person in people if left else []:
        person.group_keys.forget(group.id)


def _announce_participants(
    exchange: Exchange, group: Group, action: str, people: list[Person], by: Person | None
) -> None:
    """Those who were removed hear of it too."""
    group.version += 1
    head: dict[str, Value] = {"prev_v_id": str(group.version - 1), "v_id": str(group.version)}
    change = Node(action, head, [_participant(group, person) for person in people])
    _announce(exchange, group, change, [*group.participants, *(people if action == "remove" else [])], by)


def _announce(exchange: Exchange, group: Group, change: Node, people: Iterable[Person], by: Person | None) -> None:
    attrs: dict[str, Value] = {"from": group.jid, "participant": _actor(group, by), "addressing_mode": group.mode}
    for person in people:
        for device in person.devices.values():
            exchange.notify(device, "w:gp2", [change], **attrs)


def _group(group: Group) -> Node:
    creator, created = _actor(group), str(group.created)
    head: dict[str, Value] = {
        "id": group.id,
        "subject": group.subject,
        "s_t": created,
        "s_o": creator,
        "creation": created,
        "creator": creator,
        "p_v_id": str(group.version),
        "size": str(len(group.participants)),
        "addressing_mode": group.mode,
    }
    return Node("group", head, [_participant(group, person) for person in group.participants])


def _participant(group: Group, person: Person) -> Node:
    other = "phone_number" if group.by_lid else "lid"
    head: dict[str, Value] = {
        "jid": group.address(person),
        other: person.jid if group.by_lid else person.lid_jid,
    }
    return Node("participant", head | ({"type": "admin"} if person in group.admins else {}))


def _actor(group: Group, by: Person | None = None) -> Value:
    actor = by or next(iter(group.admins or group.participants), None)
    return group.address(actor) if actor else group.jid
