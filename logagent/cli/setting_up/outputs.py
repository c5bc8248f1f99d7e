"""One output's setting up: which server answers, what product it is, then step by step.

Knows the order of the steps. Must not know what a step wants or compares.
"""

from __future__ import annotations

from typing import NamedTuple

from logagent.cli.asking.client import Client
from logagent.cli.asking.elastic import client_of, greeting, is_opensearch
from logagent.cli.setting_up.door import Door, OfficialDoor, PlainDoor
from logagent.cli.setting_up.keys import request
from logagent.cli.setting_up.steps import Step, set_up
from logagent.cli.setting_up.wanted import Product, Schema, wanted
from logagent.config import Elasticsearch


class Said(NamedTuple):
    """What was done, and the request for the agent's credentials ("" = nothing was reached)."""

    steps: list[Step]
    key: str = ""


async def set_up_output(
    name: str, output: Elasticsearch, schema: Schema, *, keep: str, dry: bool
) -> Said:
    """Set up the first of an output's servers that answers."""
    try:
        client = client_of(output)
        steps: list[Step] = []
        for url in output.endpoints():
            answer = client.get(url + "/")
            found = greeting(url, answer)
            steps.append(Step(found.text, good=found.good))
            if found.good:
                product: Product = "opensearch" if is_opensearch(answer) else "elasticsearch"
                door = _door(output, url, client, product)
                break
        else:
            return Said(steps)
    except (OSError, ValueError) as error:  # secrets and certificates
        return Said([Step(str(error), good=False)])
    # Another one that is down says nothing about the cluster.
    steps = [step._replace(good=True) for step in steps]
    want = wanted(name, output, schema, product, keep)
    if want.too_wide:
        text = (
            f"the pattern of its names is {want.pattern}, which others' indices match too: begin "
            "the name with a text of its own"
        )
        await door.close()
        return Said([*steps, Step(text, good=False)])
    try:
        steps += [step async for step in set_up(door, want, product, dry=dry)]
        if output.pipeline:
            steps.append(await _pipeline(door, output.pipeline))
    finally:
        await door.close()
    return Said(steps, request(want, product))


def _door(output: Elasticsearch, url: str, client: Client, product: Product) -> Door:
    if product == "opensearch" or output.aws is not None:
        return PlainDoor(client, url)
    return OfficialDoor(output, url)


async def _pipeline(door: Door, name: str) -> Step:
    """Only looked for: what it does to lines is for who wrote it."""
    answer = await door.ask("GET", f"/_ingest/pipeline/{name}")
    if answer.status == 404:
        text = f"ingest pipeline {name} is not there: every line is refused until somebody makes it"
        return Step(text, good=False)
    if answer.status == 200:
        return Step(f"ingest pipeline {name} is there")
    return Step(f"ingest pipeline {name}: can't be asked for ({answer.status or answer.why})")
