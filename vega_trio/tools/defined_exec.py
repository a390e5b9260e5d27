"""Command tools of a document: split when it was loaded, filled argument by argument, run like any command."""

from __future__ import annotations

from functools import partial

import attrs

from vega_trio.context import ToolContext
from vega_trio.dsl.template import Template
from vega_trio.dsl.tool import ExecImpl
from vega_trio.dsl.values import Scope
from vega_trio.errors import ToolRetry
from vega_trio.tools.files import in_thread
from vega_trio.tools.filling import is_absent, only_hole, opens_with_value
from vega_trio.tools.isolation import CommandsSandbox, Isolation
from vega_trio.tools.sandbox import Sandbox
from vega_trio.tools.shell import command_text


@attrs.frozen(kw_only=True)
class ExecCall:
    """Runs the command that a definition describes, in the sandbox directory."""

    implementation: ExecImpl
    sandbox: Sandbox
    mode: CommandsSandbox | None
    timeout_s: float
    network: bool

    async def __call__(self, scope: Scope, context: ToolContext) -> str:
        """Raises: ToolError, with the output, when it fails or takes too long; ExpressionError."""
        described = self.implementation
        env = {
            name: _clean(text.render_text(scope), name)
            for name, text in described.env.items()
            if not is_absent(text, scope)
        }
        if context.idempotency_key:
            env.setdefault("VEGA_IDEMPOTENCY_KEY", context.idempotency_key)
        place = await in_thread(partial(self.sandbox.directory, "."))
        finished = await Isolation(workspace=place.root, mode=self.mode).run(
            command_line(described, scope),
            timeout_s=self.timeout_s,
            env=env,
            network=self.network,
            # Without bubblewrap a text that somebody else wrote is not run; one that the author fixed is.
            unisolated=not described.whole_command,
        )
        return command_text(finished, self.timeout_s)


def command_line(described: ExecImpl, scope: Scope) -> list[str]:
    """The arguments: as many as the author wrote, but for those that are one absent optional value.

    Raises: ToolRetry for a value that would be taken for an option; ExpressionError.
    """
    if described.shell is not None:
        # A positional parameter keeps its number, so an absent one is empty.
        values = [_argument(each.template, scope, guarded=each.opens) for each in described.values]
        return ["/bin/sh", "-c", described.shell, "sh", *values]
    after = len(described.argv) if described.after_dashes is None else described.after_dashes
    return [
        _argument(template, scope, guarded=index < after and opens_with_value(template))
        for index, template in enumerate(described.argv)
        if not is_absent(template, scope)
    ]


def _argument(template: Template, scope: Scope, *, guarded: bool) -> str:
    text = "" if is_absent(template, scope) else _clean(template.render_text(scope), template.text)
    if guarded and text.startswith("-"):
        hole = only_hole(template)
        which = f"of {hole.name!r}" if hole and hole.name else f"in {template.text!r}"  # not told: it may be a secret
        raise ToolRetry(f"the value {which} begins with '-', so the command would take it for an option")
    return text


def _clean(text: str, where: str) -> str:
    if "\0" in text:
        raise ToolRetry(f"the value for {where!r} may not hold a NUL character")
    return text
