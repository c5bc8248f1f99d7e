"""Compares what is wanted with what a server has, and changes what differs, step by step.

Knows both products' answers to it. Never changes what doesn't say that logagent made it. What a
server can't do is left out, and told. Must not know an output's options, nor how a server is
reached.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from logagent.cli.asking.client import Answer
from logagent.cli.setting_up.differ import differences
from logagent.cli.setting_up.door import Door
from logagent.cli.setting_up.wanted import OWNER, Json, Object, Product, Wanted

SUBSTITUTES: Final = {
    "match_only_text": "text",
    "constant_keyword": "keyword",
    "flattened": "flat_object",
    "flat_object": "object",
}
"""Types of fields that not every server has, and what stands for them there."""

_TRIES: Final = 16
"""More than there are types and settings that can be refused."""
_NO_TYPE: Final = re.compile(r"(?:[Nn]o handler for|[Tt]he mapper) type \[(\w+)\]")
_NO_SETTING: Final = re.compile(r"unknown setting \[([\w.]+)\]")
_NO_MODULE: Final = re.compile(r"no handler found for uri|[Ii]ncorrect HTTP method for uri")
_NEEDED: Final = {
    "index template": "manage_index_templates",
    "lifecycle policy": "manage_ilm",
    "data stream": "create_index on the data stream",
}
"""The privileges that each thing needs (Elasticsearch's names)."""


class Step(NamedTuple):
    """One thing that was looked at. change: whether it was made or changed, or would be; good:
    whether it is as wanted now. detail: differences and bodies, line by line."""

    text: str
    change: bool = False
    good: bool = True
    detail: tuple[str, ...] = ()


class Thing(NamedTuple):
    """A template or a policy, and where it is. whole: see `differences`."""

    kind: Literal["index template", "lifecycle policy"]
    name: str
    path: str
    body: Object
    whole: str


async def set_up(door: Door, want: Wanted, product: Product, *, dry: bool) -> AsyncIterator[Step]:
    """Bring a server to what is wanted. dry: only say what would be done."""
    template: Object = msgspec.json.decode(msgspec.json.encode(want.template))  # a copy
    if want.policy:
        step, has = await _policy(door, want, product, dry=dry)
        yield step
        if has and product == "elasticsearch":
            _settings(template)["index.lifecycle.name"] = want.name
    fitted, notes, refusal = await _fit(door, want.name, template)
    if refusal is not None:
        yield refusal
        return
    for note in notes:
        yield Step(note)
    path = f"/_index_template/{quote(want.name)}"
    thing = Thing("index template", want.name, path, fitted, whole="template.")
    there, trouble = await _there(door, thing)
    step = trouble or await _put(door, thing, there, dry=dry)
    yield step
    if want.stream and step.good:
        yield await _stream(door, want.stream, changed=step.change and bool(there), dry=dry)


async def _policy(door: Door, want: Wanted, product: Product, *, dry: bool) -> tuple[Step, bool]:
    """The lifecycle policy, and whether the server has it, or would."""
    folder = "/_ilm/policy" if product == "elasticsearch" else "/_plugins/_ism/policies"
    path = f"{folder}/{quote(want.name)}"
    deletion = "policy.phases.delete" if product == "elasticsearch" else "policy.states[1]"
    thing = Thing("lifecycle policy", want.name, path, want.policy, whole=deletion)
    there, trouble = await _there(door, thing)
    if trouble is not None:
        # A server without the module is no fault, unless somebody counts on the deletion.
        return trouble._replace(good=trouble.good and not want.deletes), False
    step = await _put(door, thing, there, dry=dry)
    return step, step.good


async def _there(door: Door, thing: Thing) -> tuple[Object, Step | None]:
    """What the server has under the name, {} if nothing; a step when that ends the matter."""
    answer = await door.ask("GET", thing.path)
    if answer.status == 404 and not _NO_MODULE.search(answer.body.decode(errors="replace")):
        return {}, None
    if answer.status != 200:
        return {}, _refused(thing.kind, thing.name, answer)
    found = _found(thing, _decoded(answer))
    if not _is_ours(thing, found):
        text = f"{thing.kind} {thing.name} is there, but logagent didn't make it; it is left alone"
        return found, Step(text, good=False)
    return found, None


def _found(thing: Thing, body: Object) -> Object:
    """The thing itself, out of an answer about it."""
    if thing.kind == "index template":
        listed = body.get("index_templates")
        first = listed[0] if isinstance(listed, list) and listed else {}
        return _object(_object(first).get("index_template"))
    if "policy" in body:  # OpenSearch; its numbers are needed for a change
        return body
    return _object(body.get(thing.name))


def _is_ours(thing: Thing, found: Object) -> bool:
    if thing.kind == "index template":
        return _object(found.get("_meta")).get("managed_by") == OWNER
    policy = _object(found.get("policy"))
    described = str(policy.get("description", "")).startswith(f"managed_by: {OWNER},")
    return described or _object(policy.get("_meta")).get("managed_by") == OWNER


async def _put(door: Door, thing: Thing, there: Object, *, dry: bool) -> Step:
    differing = differences(_comparable(thing.body), _comparable(there), whole=thing.whole)
    if there and not differing:
        return Step(f"{thing.kind} {thing.name}: nothing to change")
    detail = tuple(differing) if there else tuple(json.dumps(thing.body, indent=2).split("\n"))
    verb = "change" if there else "make"
    if dry:
        return Step(f"{thing.kind} {thing.name}: would {verb} it", change=True, detail=detail)
    path = thing.path
    if "_seq_no" in there:  # OpenSearch takes a change of what was read only
        path += f"?if_seq_no={there['_seq_no']}&if_primary_term={there['_primary_term']}"
    answer = await door.ask("PUT", path, thing.body)
    if answer.status not in {200, 201}:
        return _refused(thing.kind, thing.name, answer)
    past = "changed" if there else "made"
    shown = detail if there else ()
    return Step(f"{thing.kind} {thing.name}: {past}", change=True, detail=shown)


async def _stream(door: Door, name: str, *, changed: bool, dry: bool) -> Step:
    """The data stream itself: the first line would make it, if its sender may."""
    answer = await door.ask("GET", f"/_resolve/index/{quote(name)}")
    body = _decoded(answer) if answer.status == 200 else {}
    if _named(body, "data_streams", name):
        later = "; its next backing index will be as the template says now" if changed else ""
        return Step(f"data stream {name} is there{later}")
    if _named(body, "indices", name) or _named(body, "aliases", name):
        text = f"{name} is there, but as an index: move its documents and delete it"
        return Step(text, good=False)
    if answer.status not in {200, 404}:
        return _refused("data stream", name, answer)
    if dry:
        return Step(f"data stream {name}: would make it", change=True)
    answer = await door.ask("PUT", f"/_data_stream/{quote(name)}")
    if answer.status == 200:
        return Step(f"data stream {name}: made", change=True)
    if _NO_MODULE.search(answer.body.decode(errors="replace")):
        return Step(
            f"data stream {name}: this server can't be told to make it; the first line does"
        )
    return _refused("data stream", name, answer)


async def _fit(door: Door, name: str, template: Object) -> tuple[Object, list[str], Step | None]:
    """The template as this server takes it, what was left out of it, and why it takes none."""
    notes: list[str] = []
    path = f"/_index_template/_simulate/{quote(name)}"
    for _ in range(_TRIES):
        answer = await door.ask("POST", path, template)
        if answer.status == 200:
            return template, notes, None
        text = answer.body.decode(errors="replace")
        if (match := _NO_TYPE.search(text)) and match[1] in SUBSTITUTES:
            other = SUBSTITUTES[match[1]]
            template = _object(_with_type(template, match[1], other))
            notes.append(f"this server has no fields of type {match[1]}: {other} is used")
        elif (match := _NO_SETTING.search(text)) and match[1] in _settings(template):
            del _settings(template)[match[1]]
            notes.append(f"this server has no setting {match[1]}: it is left out")
        else:
            return template, notes, _refused("index template", name, answer)
    raise AssertionError("a server refuses a type or a setting that it was spared")


def _with_type(value: Json, old: str, new: str) -> Json:
    """Mappings with another type for some fields; parameters that it doesn't know are left out."""
    if isinstance(value, list):
        return [_with_type(inner, old, new) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == old:
        kept = {"ignore_above"} if new == "keyword" else set()
        return {"type": new, **{name: value[name] for name in kept if name in value}}
    return {name: _with_type(inner, old, new) for name, inner in value.items()}


def _settings(template: Object) -> Object:
    return _object(_object(template.get("template")).get("settings"))


def _comparable(body: Object) -> Object:
    """A body with its settings spelled as all servers give them back: below `index`, dotted."""
    inner = _object(body.get("template"))
    if "settings" not in inner:
        return body
    flat = dict(_dotted(_object(inner["settings"]), ""))
    return {**body, "template": {**inner, "settings": flat}}


def _dotted(settings: Object, above: str) -> list[tuple[str, Json]]:
    found: list[tuple[str, Json]] = []
    for name, value in settings.items():
        if isinstance(value, dict):
            found += _dotted(value, f"{above}{name}.")
        else:
            found.append((f"{above}{name}", value))
    return found


def _refused(kind: str, name: str, answer: Answer) -> Step:
    """Why a thing can't be looked at or changed, as a sentence for who runs the command."""
    what = f"{kind} {name}"
    body = answer.body.decode(errors="replace")
    if answer.status == 0:
        return Step(f"{what}: {answer.why}", good=False)
    if answer.status == 401:
        return Step(f"{what}: the server refuses the credentials (401)", good=False)
    if answer.status == 403:
        need = f"they need the privilege {_NEEDED[kind]}"
        return Step(f"{what}: the credentials may not do this (403); {need}", good=False)
    if kind == "lifecycle policy" and _NO_MODULE.search(body):
        return Step(f"{what}: this server has no lifecycle management; nothing is ever deleted")
    return Step(f"{what}: the server says {answer.status}: {_reason(answer)}", good=False)


def _reason(answer: Answer) -> str:
    """The server's own words, the innermost: the outer ones only say that it was a template."""
    error = _decoded(answer).get("error")
    words = error if isinstance(error, str) else ""
    while isinstance(error, dict):
        words = str(error.get("reason") or words)
        error = error.get("caused_by")
    return words or "nothing that makes sense"


def _decoded(answer: Answer) -> Object:
    try:
        return _object(msgspec.json.decode(answer.body))
    except msgspec.DecodeError:
        return {}


def _object(value: Json) -> Object:
    return value if isinstance(value, dict) else {}


def _named(body: Object, kind: str, name: str) -> bool:
    """Whether an answer of _resolve has the name among things of a kind."""
    listed = body.get(kind)
    return isinstance(listed, list) and any(_object(each).get("name") == name for each in listed)
