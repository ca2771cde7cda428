"""Several mutations in one request, and what to do when one of them fails.

Linear carries out the aliases of a mutation one after another, and its payloads are non-null: the
first failure leaves no data at all, the aliases before it were carried out, those after it were
not (GraphQL specification, sections 6.2.2 and 6.4.4). The failed one is told apart by the error's
path; all others are sent again, which is harmless: each is an upsert, an update or a removal by
id, or a create with an id of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Raw

from opsync import Answer, BadAnswer, Context, OpsyncError, SignInError
from opsync_linear.dialect import PATH, POINTS, WRITE_HINT, Refusal, request_id
from opsync_linear.wire import Data

ENOUGH_FORBIDDEN = 2
"""So many writes forbidden before any was carried out: it is the token, not the objects."""

_ATTACHMENT = "success attachment { id url title subtitle metadata }"
_LINK = "success entityExternalLink { id url label }"
_UPDATE = "success projectUpdate { id health body }"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutation that opsync uses: its arguments with their types, and what is read back."""

    name: str
    arguments: Mapping[str, str]
    selection: str


ATTACHMENT_CREATE = Mutation("attachmentCreate", {"input": "AttachmentCreateInput!"}, _ATTACHMENT)
ATTACHMENT_UPDATE = Mutation(
    "attachmentUpdate", {"id": "String!", "input": "AttachmentUpdateInput!"}, _ATTACHMENT
)
ATTACHMENT_DELETE = Mutation("attachmentDelete", {"id": "String!"}, "success")
LINK_CREATE = Mutation(
    "entityExternalLinkCreate", {"input": "EntityExternalLinkCreateInput!"}, _LINK
)
LINK_UPDATE = Mutation(
    "entityExternalLinkUpdate", {"id": "String!", "input": "EntityExternalLinkUpdateInput!"}, _LINK
)
LINK_DELETE = Mutation("entityExternalLinkDelete", {"id": "String!"}, "success")
UPDATE_CREATE = Mutation("projectUpdateCreate", {"input": "ProjectUpdateCreateInput!"}, _UPDATE)
UPDATE_UPDATE = Mutation(
    "projectUpdateUpdate", {"id": "String!", "input": "ProjectUpdateUpdateInput!"}, _UPDATE
)
MUTATIONS = (
    ATTACHMENT_CREATE,
    ATTACHMENT_UPDATE,
    ATTACHMENT_DELETE,
    LINK_CREATE,
    LINK_UPDATE,
    LINK_DELETE,
    UPDATE_CREATE,
    UPDATE_UPDATE,
)


@dataclass(frozen=True, slots=True)
class Op:
    """One mutation of a change.

    `missing_is_done` says that a "not found" means that nothing is left to do. `instead` is what
    to send when this one was carried out before, or was refused as if it had been: the update of
    what a create with an id made. `again` is a last try with another id.
    """

    change: str
    mutation: Mutation
    arguments: Mapping[str, object]
    missing_is_done: bool = False
    instead: Op | None = None
    again: Op | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an op: the vendor's payload, or why it was refused. `missing` says that what it
    was to take away is not there, or not shown; `unknown` that something of its change was carried
    out of which no answer tells."""

    op: Op
    payload: Raw | None = None
    refusal: Refusal | None = None
    request_id: str = ""
    missing: bool = False
    unknown: bool = False


@dataclass
class _Try:
    """An op as it is sent now, and the refusal of the form in which it was sent before.
    `carried_out` says that it was, in a request that was answered with another one's refusal."""

    op: Op
    form: Op
    refused: Refusal | None = None
    carried_out: bool = False


def document(mutations: Sequence[Mutation]) -> str:
    """One document that carries out all of these, aliased a0, a1, …"""
    declared: list[str] = []
    fields: list[str] = []
    for number, mutation in enumerate(mutations):
        named = {name: f"{name}{number}" for name in mutation.arguments}
        declared += [f"${named[n]}: {kind}" for n, kind in mutation.arguments.items()]
        given = ", ".join(f"{name}: ${variable}" for name, variable in named.items())
        fields.append(f"  a{number}: {mutation.name}({given}) {{ {mutation.selection} }}")
    return f"mutation Write({', '.join(declared)}) {{\n" + "\n".join(fields) + "\n}"


async def run(context: Context, ops: Sequence[Op], done: list[Done]) -> None:
    """Carry out all ops, and put into `done` one result an op, in any order.

    Once an op of a change was refused, the later ones of the same change are not carried out and
    have no result. Raises SignInError when the token may not write at all, and what a request
    raises: `done` then has what is known, and what was carried out without an answer.
    """
    left = [_Try(op, op) for op in ops]
    try:
        await _run(context, left, done)
    except OpsyncError:
        done += [Done(each.op, unknown=True) for each in left if each.carried_out]
        raise


async def _run(context: Context, left: list[_Try], done: list[Done]) -> None:
    forbidden = 0
    while left:
        try:
            answer = await _send(context, [each.form for each in left])
        except Refusal as refusal:
            number = _alias(refusal, len(left))
            if number is None:
                await _apart(context, left, refusal, done)
                return
            forbidden += refusal.forbidden
            if forbidden >= ENOUGH_FORBIDDEN and number == 0:
                raise SignInError(refusal.message, hint=WRITE_HINT) from refusal
            failed = left.pop(number)
            for before in left[:number]:
                before.form = before.form.instead or before.form
                before.carried_out = True
            again = _again(failed, refusal)
            if again is not None:
                left.insert(number, again)
            elif failed.op.missing_is_done and refusal.missing:
                done.append(Done(failed.op, missing=True))
            else:
                change = failed.op.change
                of_it = [failed, *(each for each in left if each.op.change == change)]
                halfway = any(each.carried_out for each in of_it)
                done.append(Done(failed.op, refusal=failed.refused or refusal, unknown=halfway))
                left[:] = [each for each in left if each.op.change != change]
        else:
            done += _results(answer, left)
            return


async def _apart(context: Context, left: list[_Try], refusal: Refusal, done: list[Done]) -> None:
    """Carry out the two halves of a batch that was refused without saying because of which op."""
    changes = list(dict.fromkeys(each.op.change for each in left))
    if len(changes) == 1:
        unknown = any(each.carried_out for each in left)
        done.append(Done(left[0].op, refusal=refusal, unknown=unknown))
        return
    first = frozenset(changes[: len(changes) // 2])
    rest = [each for each in left if each.op.change not in first]
    left[:] = [each for each in left if each.op.change in first]
    try:
        await _run(context, left, done)
    except OpsyncError:
        left += rest
        raise
    left[:] = rest
    await _run(context, left, done)


def _again(failed: _Try, refusal: Refusal) -> _Try | None:
    """The other form in which a refused create with an id may still pass."""
    if failed.form is failed.op and failed.op.instead is not None and not refusal.forbidden:
        return _Try(failed.op, failed.op.instead, refusal)
    taken = failed.refused is not None and failed.refused.taken
    if failed.form is failed.op.instead and failed.op.again and refusal.missing and taken:
        return _Try(failed.op.again, failed.op.again)
    return None


def _alias(refusal: Refusal, count: int) -> int | None:
    """Which op a refusal concerns; None if it does not say. SignInError if none may be sent."""
    first = str(refusal.path[0]) if refusal.path else ""
    if first.startswith("a") and first[1:].isdigit() and int(first[1:]) < count:
        return int(first[1:])
    if refusal.forbidden:
        raise SignInError(refusal.message, hint=WRITE_HINT) from refusal
    return None


async def _send(context: Context, forms: Sequence[Op]) -> Answer:
    variables = {
        f"{name}{number}": value
        for number, form in enumerate(forms)
        for name, value in form.arguments.items()
    }
    return await context.http.write(
        "POST",
        PATH,
        json={"query": document([form.mutation for form in forms]), "variables": variables},
        lane=POINTS,
        cost=3.0 * len(forms),
        keyed=True,
    )


def _results(answer: Answer, sent: Sequence[_Try]) -> list[Done]:
    payloads = answer.decode(Data[dict[str, Raw]]).data
    trace = request_id(answer)
    results: list[Done] = []
    for number, each in enumerate(sent):
        payload = payloads.get(f"a{number}")
        if payload is None:
            raise BadAnswer(f"Linear's answer lacks a{number}.")
        results.append(Done(each.op, payload, request_id=trace))
    return results
