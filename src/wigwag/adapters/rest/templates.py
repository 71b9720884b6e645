# SPDX-License-Identifier: Apache-2.0
"""Texts that are kept under names, with placeholders to fill: /api/templates."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.adapters.rest.schemas import Strict

router = APIRouter(prefix="/api/templates", tags=["templates"])


class Template(BaseModel):
    """A text under a name."""

    name: str = Field(examples=["welcome"])
    text: str = Field(examples=["Hello ${name}!"])


class TemplateText(Strict):
    text: str = Field(examples=["Hello ${name}!"], description="placeholders are ${name}, a dollar sign is $$")


@router.get("", responses=problems(503))
async def list_templates(gateway: TheGateway) -> list[Template]:
    """All templates, by name."""
    return [Template(name=name, text=text) for name, text in sorted((await gateway.messages.templates()).items())]


@router.get("/{name}", responses=problems(404, 503))
async def get_template(name: str, gateway: TheGateway) -> Template:
    """One template."""
    return Template(name=name, text=await gateway.messages.template(name))


@router.put("/{name}", responses=problems(400, 422, 503))
async def put_template(name: str, wanted: TemplateText, gateway: TheGateway) -> Template:
    """Keep a text under a name, in the place of what was there. Messages that were taken in already do not change."""
    await gateway.messages.put_template(name, wanted.text)
    return Template(name=name, text=wanted.text)


@router.delete("/{name}", status_code=204, response_class=Response, responses=problems(404, 503))
async def remove_template(name: str, gateway: TheGateway) -> None:
    """Keep it no longer."""
    await gateway.messages.remove_template(name)
