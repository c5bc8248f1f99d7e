"""The oracle: knows what was written and what arrived, and only invariants.

- A line that a scan or read could reach is delivered, in the dead letters, dropped by a rule, or in
  the loss counter of its file.
- Copies of a row ≤ 1 + its attempts that were applied and not answered + deaths after its answer
  that no durable checkpoint covered. With ids, each line is in the index once.
- A saved position is never behind a line that isn't final, and never moves backwards.
- What arrives is a line that was written, byte for byte, or a marked part of one.

Which bytes are owed is in `owed.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from logagent.checkpoint import decode_slot
from logagent.core.chunk import Ticket
from logagent.core.deadletter import decode
from logagent.core.files import Generation
from tests.sim.accounts import Account
from tests.sim.fs import Inode, Life
from tests.sim.outputs import OutputPlan
from tests.sim.owed import matching
from tests.sim.records import Records
from tests.sim.rows import Broken, Lines, Seen, joined

if TYPE_CHECKING:
    from tests.sim.world import World


class Oracle:
    """Judges one run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lines = Lines()
        self.accounts = {plan.name: Account(plan) for plan in world.plan.outputs}
        self.records = {p.name: Records(p, self.lines) for p in world.plan.outputs}
        self.stops = 0
        self._has_read = False

    # What the sinks tell.

    def look(self, output: str, document: bytes) -> Seen:
        """Which line a document is from."""
        return self.lines.look(document)

    def is_poison(self, plan: OutputPlan, seen: Seen) -> bool:
        """Whether a sink rejects this row, for ever."""
        if seen.part:
            return False
        number = int(seen.tokens[0][3:8])
        return number % plan.poison_every == 0 and (
            not seen.wrapped or number % (2 * plan.poison_every) == 0
        )

    def applied(self, output: str, seen: Seen, *, lost: bool) -> None:
        """A row is in the index now. lost: the agent won't hear of it."""
        account = self.accounts[output]
        account.copies[seen.key] += 1
        if lost:
            account.allowed[seen.key] += 1
        if seen.part:
            self.world.mark(f"row_{seen.part}")
            self.check_part(output, seen)
            for token in seen.tokens:
                account.parts.setdefault(token, set()).add((seen.part, seen.text))
        if seen.wrapped:
            self.world.mark("wrapped_row")
        if not seen.part or (seen.part == "truncated" and self.is_head(seen)):
            account.whole.add(seen.tokens[0])
        extra = self.stops if seen.part in {"partial", "continued"} else 0
        limit = 1 + account.allowed[seen.key] + extra
        is_part = seen.part in {"partial", "continued"}
        if (
            account.plan.kind == "elasticsearch"
            and account.plan.ids
            and account.copies[seen.key] > 1
            and not is_part
        ):
            raise Broken(f"{output}: a second copy of {seen} in spite of ids")
        if account.copies[seen.key] > limit and len(seen.tokens) == 1:
            raise Broken(f"{output}: {account.copies[seen.key]} copies of {seen}, {limit} allowed")

    def check_part(self, output: str, seen: Seen) -> None:
        """A last line without newline goes when its file is over, or at a stop, not before."""
        if seen.part != "partial" or self.stops or len(seen.tokens) > 1:
            return
        for path, inode in self.world.disk.names.items():
            if path.endswith(b".log") and inode.life.fragment == seen.tokens[0]:
                raise Broken(f"{output}: {seen} was sent, and its file {path!r} is in use")

    def is_head(self, seen: Seen) -> bool:
        """Whether a truncated part is as much of an over-long line as must arrive."""
        text, limit = self.lines.texts[seen.tokens[0]], self.world.plan.line_bytes_max
        return len(text) > limit and text.startswith(seen.text) and len(seen.text) > limit - 4

    def answered(self, output: str, rows: list[Seen]) -> None:
        """The agent heard that these are delivered."""
        self.accounts[output].answered.update(row.key for row in rows)

    def unanswered(self, output: str, rows: list[Seen]) -> None:
        """These were applied, and the agent will never hear of it."""
        for row in rows:
            self.accounts[output].allowed[row.key] += 1

    def rejected(self, output: str, seen: Seen) -> None:
        """The agent hears that a row was rejected: by the user's rule that may be its end."""
        if self.accounts[output].plan.on_reject == "drop":
            self.accounts[output].whole.add(seen.tokens[0])

    def buried(self, output: str, data: bytes) -> None:
        """Dead letters are durable."""
        for line in data.splitlines():
            seen = self.lines.look(decode(line).document.encode())
            account = self.accounts[output]
            if seen.part in {"partial", "continued"}:
                for token in seen.tokens:
                    account.parts.setdefault(token, set()).add((seen.part, seen.text))
            else:
                account.whole.add(seen.tokens[0])

    def sending(self, plan: OutputPlan, size: int, first: bytes, *, rows: int, flying: int) -> None:
        """A request is on its way: not too many, not too large."""
        if flying > plan.slots:
            raise Broken(f"{plan.name}: {flying} requests in flight, {plan.slots} allowed")
        is_wrapped = rows > 1 and self.lines.look(first).wrapped  # then they have grown
        packed = plan.kind in {"kafka", "splunk_hec"}  # their packers add to what was rendered
        limit = plan.batch_bytes * (2 if packed else 1)
        if size > limit and rows > 1 and not is_wrapped:
            raise Broken(f"{plan.name}: a batch of {size}, {limit} allowed")

    # What the file system tells.

    def scanned(self, inode: Inode, size: int) -> None:
        """The table of descriptors has seen a size."""
        for account in self.accounts.values():
            account.owed.scanned(inode, size, matches=self.world.matches(inode))

    def read(self, output: str, life: Life, offset: int, size: int) -> None:
        """An output has read bytes."""
        self._has_read = True
        self.accounts[output].owed.read(life, offset, size)

    def taken(self, output: str, ticket: Ticket) -> None:
        """An output has put what it read on its way."""
        account = self.accounts[output]
        life = account.generations.get(ticket.generation)
        if life is None:
            raise Broken(f"{output}: {ticket} is sent before its generation is durable")
        account.owed.taken(life, ticket.end.offset)

    def refused(self, output: str, inode: Inode) -> None:
        """A read failed."""
        self.accounts[output].owed.refused(inode.file)

    def step(self) -> None:
        """The agent's step is over: what it read in it and was still there, it has."""
        if not self._has_read:
            return
        self._has_read = False
        for account in self.accounts.values():
            account.owed.step()

    # What the checkpoints tell.

    def committing(self, output: str, data: bytes) -> None:
        """A slot is being written: from now on it may be what the next process finds."""
        account = self.accounts[output]
        for generation in self.decode(data):
            life = self.bind(account, generation)
            offset = generation.position.offset
            self.check_final(account, generation.id, life, offset)
            if offset < account.saved.get(generation.id, 0):
                raise Broken(f"{output}: {generation} is saved behind {account.saved}")

    def committed(self, output: str, data: bytes) -> None:
        """The slot is durable."""
        account = self.accounts[output]
        account.saved = {}
        for generation in self.decode(data):
            life = account.generations[generation.id]
            account.saved[generation.id] = generation.position.offset
            account.owed.durable(life, generation.seen)
            for token, end in zip(life.tokens, life.ends, strict=True):
                if end > generation.position.offset:
                    break
                account.answered.discard((token, b""))

    def loading(self, output: str, data: bytes) -> None:
        """A process reads a slot at its start: the newer of two tells which files it looks for."""
        slot = decode_slot(data)
        if slot is not None:
            files = {(g.file.ino, g.file.birth_ns) for g in slot.generations}
            self.accounts[output].owed.loading(slot.sequence, files)

    def decode(self, data: bytes) -> list[Generation]:
        """A slot's generations."""
        slot = decode_slot(data)
        if slot is None:
            raise Broken("a slot can't be read again")
        return slot.generations

    def bind(self, account: Account, generation: Generation) -> Life:
        """Which content of which file a generation is about."""
        life = account.generations.get(generation.id)
        if life is None:
            life = matching(self.world.disk, generation)
            if life is None:
                raise Broken(f"{account.plan.name}: {generation} fits no file that ever was")
            account.generations[generation.id] = life
        return life

    def check_final(self, account: Account, generation: int, life: Life, offset: int) -> None:
        """Each line in front of a saved position is final."""
        checked = account.checked.get(generation, 0)
        for index, end in enumerate(life.ends):
            if end > offset:
                break
            if end > checked and not self.is_final(account, life.tokens[index]):
                token = life.tokens[index]
                raise Broken(
                    f"{account.plan.name}: {offset} is saved and line {token!r} (ends at {end} in "
                    f"{life}) isn't delivered; parts: {account.parts.get(token)}"
                )
        account.checked[generation] = max(checked, offset)

    def is_final(self, account: Account, token: bytes) -> bool:
        """Whether a line is delivered, whole or in parts, or buried, or dropped."""
        if not token or token in account.whole:
            return True
        parts = account.parts.get(token)
        if not parts:
            return False
        text = self.lines.texts[token]
        reached = joined(text, parts)
        long = any(part == "truncated" for part, _ in parts)
        return reached >= len(text) or (long and reached > 0)

    # What the world tells.

    def ended(self) -> None:
        """A process has ended."""
        for account in self.accounts.values():
            for key in account.answered:
                account.allowed[key] += 1
            account.answered.clear()
            account.owed.process_ended()

    def lost(self, output: str, file: tuple[int, int], count: int) -> None:
        """The agent counted lost bytes of a file."""
        if count:
            self.world.mark("lost_counted")
        self.accounts[output].owed.counted[file] += count
        self.accounts[output].owed.refused(file)

    def final_check(self) -> None:
        """After the drain: nothing that was owed is missing."""
        for account in self.accounts.values():
            missing: Counter[tuple[int, int]] = Counter()
            for life in self.world.disk.lives:
                missing[life.inode.file] += self.missing(account, life)
            for file, count in missing.items():
                counted = account.owed.counted[file]
                if count > counted:
                    raise Broken(
                        f"{account.plan.name}: {count} bytes of {file} were owed and never arrived,"
                        f" {counted} counted as lost"
                    )

    def moved(self) -> int:
        """How many lines the output with the fewest has by now."""
        return min(len(account.whole) for account in self.accounts.values())

    def coming(self) -> int:
        """How many lines each output has or can still read in the files as they are."""
        here = [life for life in self.world.disk.lives if self.world.is_readable(life)]
        tokens = [token for life in here for token in life.tokens if token]
        return min(
            len(account.whole) + sum(token not in account.whole for token in tokens)
            for account in self.accounts.values()
        )

    def missing(self, account: Account, life: Life) -> int:
        """Bytes of owed lines that didn't arrive. Of a file that is there all lines must."""
        owed = account.owed.size_of(life)
        is_there = self.world.is_readable(life)
        count = 0
        for start, end, token in zip(life.starts, life.ends, life.tokens, strict=False):
            if (is_there or end <= owed) and not self.is_final(account, token):
                parts = account.parts.get(token, set())
                count += end - start - joined(self.lines.texts[token], parts)
                self.world.note("missing", account.plan.name, repr(life), token, start, end)
                if is_there:
                    raise Broken(f"{account.plan.name}: {token!r} in {life} was never delivered")
        return count
