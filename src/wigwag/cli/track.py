# SPDX-License-Identifier: Apache-2.0
"""`wigwag track` and `untrack`: whom to watch, by number, file or group."""

import sys
from typing import Annotated

import typer

from wigwag.cli import progress
from wigwag.cli.client import HOME, Client, Url
from wigwag.cli.contacts_file import Priority, Wish, read_contacts
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import complain, note, say
from wigwag.domain.errors import InvalidJid
from wigwag.domain.ids import contact_jid, group_jid, is_group

Account = Annotated[str | None, typer.Option(help="The account to do it with, if there are several.")]
AT_ONCE = 1000  # contacts in a request


def track(
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="NUMBER…", help="Phone numbers with country code.", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the contact; with one number only.")] = "",
    group: Annotated[
        list[str] | None, typer.Option(metavar="GROUP", help="A group's id: its members, now and later. Repeatable.")
    ] = None,
    file: Annotated[
        typer.FileText | None,
        typer.Option(encoding="utf-8-sig", metavar="CSV", help="Lines of phone, name, priority; - is standard input."),
    ] = None,
    priority: Annotated[Priority, typer.Option(help="Who is subscribed first.")] = Priority.MEDIUM,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until all are subscribed.")] = False,
    account: Account = None,
    url: Url = HOME,
) -> None:
    """Track contacts, so that their presence is seen.

    WhatsApp is asked slowly on purpose; --wait shows how far it is. Tracking
    makes the account appear available, which silences the phone.

    Examples:
      wigwag track 919876543210 --name "John Doe" --priority high
      wigwag track --file contacts.csv --wait
      wigwag track --group 120363400902171371@g.us
    """
    groups = group or []
    wishes = _wishes(numbers or [], name, priority) + (read_contacts(file, priority) if file else [])
    if not wishes and not groups:
        raise Failure("whom? Give a number, --group or --file.", ExitCode.USAGE)
    with Client(url) as gateway:
        _ask_contacts(gateway, wishes, account)
        for each in groups:
            gateway.post("subscriptions", "groups", body={"group": each, **_terms(priority, account)})
        say(_summary(len(wishes), len(groups)))
        if wait:
            _wait(gateway, None if groups else {str(contact_jid(wish.phone)) for wish in wishes})


def untrack(
    targets: Annotated[list[str], typer.Argument(metavar="NUMBER|GROUP…", help="Phone numbers, or ids of groups.")],
    url: Url = HOME,
) -> None:
    """Track contacts or groups no longer.

    A contact who is in a tracked group stays tracked.

    Examples:
      wigwag untrack 919876543210
      wigwag untrack 120363400902171371@g.us
    """
    paths = [_path(target) for target in targets]
    failures = []
    with Client(url) as gateway:
        for target, path in zip(targets, paths, strict=True):
            try:
                gateway.delete(*path)
                say(f"{target} is tracked no longer.")
            except Failure as failure:
                if failure.code is not ExitCode.REFUSED:
                    raise
                complain(f"{target}: {failure}")
                failures.append(target)
    if failures:
        raise Failure(f"{len(failures)} of {len(targets)} could not be untracked.", ExitCode.REFUSED)


def erase(
    number: Annotated[str, typer.Argument(help="A phone number.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Url = HOME,
) -> None:
    """Forget a person everywhere.

    Presence, history, wishes and subscription are deleted. There is no way back.

    Examples:
      wigwag erase 919876543210
    """
    path = "contacts", _jid(number)
    if not yes and not (sys.stdin.isatty() and typer.confirm(f"Erase all that is kept of {number}?", err=True)):
        raise Failure("nothing was erased; confirm it, or give --yes.", ExitCode.FAILED)
    with Client(url) as gateway:
        gateway.delete(*path)
    say(f"Nothing is kept of {number} any more.")


def _wishes(numbers: list[str], name: str, priority: Priority) -> list[Wish]:
    if name and len(numbers) != 1:
        raise Failure("--name goes with one number; for many, use --file.", ExitCode.USAGE)
    for number in numbers:
        _jid(number)
    return [Wish(phone=number, name=name, priority=priority) for number in numbers]


def _ask_contacts(gateway: Client, wishes: list[Wish], account: str | None) -> None:
    """The most urgent first."""
    for priority in Priority:
        people = [{"phone": wish.phone, "name": wish.name} for wish in wishes if wish.priority is priority]
        for start in range(0, len(people), AT_ONCE):
            body = {"contacts": people[start : start + AT_ONCE], **_terms(priority, account)}
            gateway.post("subscriptions", body=body)


def _terms(priority: Priority, account: str | None) -> dict[str, int | str]:
    return {"priority": priority.number} | ({"account": account} if account else {})


def _jid(target: str) -> str:
    try:
        return group_jid(target) if is_group(target) else contact_jid(target)
    except InvalidJid as error:
        raise Failure(f"{target}: {error}", ExitCode.USAGE) from error


def _path(target: str) -> tuple[str, ...]:
    jid = _jid(target)
    return ("subscriptions", "groups", jid) if is_group(jid) else ("subscriptions", jid)


def _summary(contacts: int, groups: int) -> str:
    people = f"{contacts} contact{'s' if contacts != 1 else ''}" if contacts else ""
    rooms = f"{groups} group{'s' if groups != 1 else ''}" if groups else ""
    return f"Tracking {' and '.join(filter(None, (people, rooms)))}."


def _wait(gateway: Client, jids: set[str] | None) -> None:
    try:
        run = progress.follow(lambda: progress.see(gateway, jids))
    except KeyboardInterrupt:
        note("The gateway goes on without us; see `wigwag subscriptions --stats`.")
        raise
    if run.failed:
        raise Failure(
            f"{run.failed} of {run.total} failed; the gateway tries them again by itself. {run.trouble}".strip()
        )
    say(f"All {run.total} are subscribed.")
