# SPDX-License-Identifier: Apache-2.0
"""The shape of what REST says and hears about users of the host application (seed 004)."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, StrictInt, StrictStr, StringConstraints

from wigwag.adapters.rest.answers import instant_or_never
from wigwag.adapters.rest.schemas import Presence, Strict
from wigwag.app import ports
from wigwag.domain import users
from wigwag.domain.errors import InvalidJid, InvalidUser
from wigwag.domain.ids import Jid, contact_jid
from wigwag.domain.texts import LONGEST
from wigwag.domain.users import Audience, Privacy, Shown, View

MOST = 10_000  # contacts in one call


def _user_id(value: int | str) -> users.UserId:
    """Says which of many ids is malformed."""
    try:
        return users.user_id(value)
    except InvalidUser as error:
        raise ValueError(str(error)) from error


def _jid(text: str) -> Jid:
    try:
        return contact_jid(text)
    except InvalidJid as error:
        raise ValueError(str(error)) from error


UserId = Annotated[StrictInt | StrictStr, AfterValidator(_user_id), Field(examples=[123, "anna"])]
Phone = Annotated[
    str, StringConstraints(pattern=r"^\+?[0-9][0-9 ().-]{0,17}[0-9]$"), Field(examples=["+1 555 010 0042"])
]
WhatsApp = Annotated[
    Annotated[str, AfterValidator(_jid)] | None,
    Field(description="the WhatsApp contact that is the same person", examples=["15550100042@s.whatsapp.net"]),
]


class PrivacySettings(Strict):
    """Who may see what of a user."""

    show_online_status: Audience = Audience.CONTACTS
    show_last_seen: Audience = Audience.CONTACTS


class UserWish(Strict):
    """A user as the host application knows them. What is left out is empty."""

    name: str = Field("", max_length=LONGEST, examples=["Anna"])
    phone_number: Phone | None = None
    profile_pic: str | None = Field(None, max_length=2048, examples=["https://example.org/anna.png"])
    jid: WhatsApp = None
    privacy_settings: PrivacySettings = PrivacySettings()

    def user(self, user: users.UserId) -> ports.User:
        return ports.User(
            id=user,
            name=self.name,
            phone_number=self.phone_number,
            profile_pic=self.profile_pic,
            privacy=Privacy(
                status=self.privacy_settings.show_online_status, last_seen=self.privacy_settings.show_last_seen
            ),
            jid=None if self.jid is None else Jid(self.jid),
        )


class User(BaseModel):
    """A user as kept."""

    id: int | str = Field(examples=[123])
    name: str
    phone_number: str | None
    profile_pic: str | None
    jid: str | None
    privacy_settings: PrivacySettings

    @classmethod
    def of(cls, user: ports.User) -> Self:
        return cls(
            id=user.id,
            name=user.name,
            phone_number=user.phone_number,
            profile_pic=user.profile_pic,
            jid=user.jid,
            privacy_settings=PrivacySettings(
                show_online_status=user.privacy.status, show_last_seen=user.privacy.last_seen
            ),
        )


class UserPage(BaseModel):
    """Users in the order of their ids as texts."""

    users: list[User]
    next: int | str | None = Field(description="give it as `after` for the next page; null: this was the last")


class Contacts(Strict):
    """With whom a user has chatted."""

    contacts: list[UserId] = Field(min_length=1, max_length=MOST)


class Grants(Strict):
    """Contacts on WhatsApp that a user may watch, as phone numbers or addresses."""

    contacts: list[Annotated[str, AfterValidator(_jid)]] = Field(
        min_length=1, max_length=1000, examples=[["15550100042@s.whatsapp.net"]]
    )


class Granted(BaseModel):
    """The same, as kept."""

    contacts: list[str] = Field(examples=[["15550100042@s.whatsapp.net"]])


class ShownUser(BaseModel):
    """What is known of a user's presence here."""

    user_id: int | str = Field(examples=[123])
    status: Shown
    last_seen: datetime | None = Field(description="null if never seen", examples=["2025-11-10T14:30:00Z"])
    is_online: bool = Field(description="whether the status is another than offline")
    v: int = Field(description="rises with every change of the status")

    @classmethod
    def of(cls, view: View) -> Self:
        return cls(
            user_id=view.user,
            status=view.status,
            last_seen=instant_or_never(view.last_seen),
            is_online=view.status is not Shown.OFFLINE,
            v=view.v,
        )


class UserPresence(ShownUser):
    """The same, and on WhatsApp if the user is linked to a contact."""

    whatsapp: Presence | None = Field(
        None, description="null if no contact is linked, if it is not tracked, and for a user"
    )


class UserStats(BaseModel):
    """How many users are here."""

    active_users_count: int = Field(examples=[42], description="users with at least one device connected")
