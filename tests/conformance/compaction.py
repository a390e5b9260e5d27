"""Holds compaction to `compaction-conformance-kit`: after five rounds nothing that the summaries kept is gone.

    python tests/conformance/compaction.py

What a summary keeps is the model's doing. Here the model is the kit's own checklist, which loses nothing of what it is
shown: what is missing afterwards, our machinery has not shown to it, or not kept of its answer. Rules in the system
prompt are tried by themselves, with a model that forgets everything.
"""

from __future__ import annotations

import sys
from typing import Any

import attrs
import trio
from kits import open_kits

open_kits()
from compaction_kit import (  # noqa: E402
    CanaryType,
    CompactedContext,
    Turn,
    UpdateAwareChecklistCompactor,
    build_seeded_session,
    run_conformance,
    seeded_canaries,
)

import vega_trio as vega  # noqa: E402
from vega_trio.protocols import ModelRequest  # noqa: E402
from vega_trio.testing.scripted import ScriptedModel  # noqa: E402

ROUNDS = 5
RULES = "\n".join(canary.content for canary in seeded_canaries() if canary.type is CanaryType.SAFETY_RULE)


@attrs.define
class Ours:
    """An agent that is told the session, and compacts what it holds in each round."""

    name: str
    system: str
    remembers: bool
    _held: list[Any] = attrs.field(factory=list)

    def compact(self, turns: list[Turn], round_num: int = 1, budget_chars: int | None = None) -> CompactedContext:
        if not self._held:
            roles = {"assistant": "assistant"}
            self._held = [vega.Message(roles.get(each.role, "user"), each.text) for each in turns]
        return CompactedContext(trio.run(self._compact), self.name, round_num)

    async def _compact(self) -> str:
        """All that the model is shown in the turn after the compaction."""
        shown: list[ModelRequest] = []

        def reply(request: ModelRequest) -> str:
            asked = request.messages[-1].text
            if "<conversation>" in asked:
                summary = UpdateAwareChecklistCompactor().compact([Turn("system", asked)]).text
                return summary if self.remembers else "We talked about this and that."
            shown.append(request)
            return "Yes."

        async with vega.open_orchestrator(model=ScriptedModel(reply)) as orch:
            agent = vega.Agent(name="compacted", system=self.system)
            process = await orch.spawn(agent, messages=self._held)
            await process.send("Shall we go on?")
            await process.compact()
            await process.send("Go on.")
        request = shown[-1]
        self._held = list(request.messages)
        return "\n".join([request.system, *(message.text for message in request.messages)])


def survivors(compactor: Ours) -> set[str]:
    """The canaries that live after the last round."""
    run = run_conformance(build_seeded_session(), compactor, rounds=ROUNDS)
    return {name for name, lives in run.rounds[-1].survived.items() if lives}


def main() -> int:
    canaries = seeded_canaries()
    wanted = {f"summary: {canary.id}" for canary in canaries}
    wanted |= {f"system: {canary.id}" for canary in canaries if canary.type is CanaryType.SAFETY_RULE}
    found = {f"summary: {name}" for name in survivors(Ours("summary", "You are a coding assistant.", True))}
    found |= {f"system: {name}" for name in survivors(Ours("system", RULES, False))}
    kept = wanted & found
    sys.stdout.write(f"compaction: {len(kept)} of {len(wanted)} canaries live after {ROUNDS} rounds\n")
    for each in sorted(wanted - found):
        sys.stdout.write(f"  lost: {each}\n")
    return int(kept != wanted)


if __name__ == "__main__":
    sys.exit(main())
