"""Follows the variables along the steps of a workflow, before it runs: V030, V055, W102-W105, W116."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from vega_trio.dsl.nodes import Reference
from vega_trio.dsl.reading import Reading
from vega_trio.dsl.scopes import Known, joined, merged
from vega_trio.dsl.walk import (
    Expressive,
    all_names,
    before_blocks,
    every_step,
    save_pattern,
    saved_names,
    value_expressions,
)
from vega_trio.dsl.words import BUILTIN_VARIABLES
from vega_trio.dsl.workflow import (
    ForAction,
    IfAction,
    ParallelAction,
    RepeatAction,
    ReturnAction,
    SetAction,
    Step,
    TryAction,
    WorkflowDefinition,
)
from vega_trio.suggest import closest, remedy

_ALWAYS = BUILTIN_VARIABLES - {"item", "loop", "steps", "env"}
_LOOP_FIELDS = frozenset({"index", "count", "first", "last", "length", "parent"})
_STEP_FIELDS = frozenset({"output", "status", "error", "agent", "cost_usd", "duration_ms"})
_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


def check_flow(reading: Reading, definition: WorkflowDefinition, expose_env: Sequence[str]) -> None:
    """Reports what is wrong with the variables of one workflow."""
    _Flow(reading, definition, frozenset(expose_env), all_names(definition)).run()


@attrs.define
class _Flow:
    """`origins` are all names that the workflow ever sets. `used` collects the names it reads."""

    reading: Reading
    definition: WorkflowDefinition
    exposed: frozenset[str]
    origins: Mapping[str, str]
    used: set[str] = attrs.field(factory=set)

    def run(self) -> None:
        names = _ALWAYS | set(self.definition.inputs)
        end = self.block(self.definition.steps, Known(frozenset(names), frozenset(names)))
        for template in value_expressions(self.definition.output):
            self.check(template, end)
        self.unused()

    def unused(self) -> None:
        primary = self.definition.primary
        for name, each in self.definition.inputs.items():
            if name in self.used or (name == primary and "input" in self.used) or id(each) not in self.reading.origins:
                continue
            hint = f"use it in a step as {{{{{name}}}}}, or remove it"
            self.reading.error_in(each, "W102", f"the input '{name}' is never used", hint)

    # -- steps

    def block(self, steps: Sequence[Step], known: Known) -> Known:
        reached = not known.ended
        for step in steps:
            if reached and known.ended:
                hint = "a 'return' always comes before it; remove one of the two"
                self.reading.error_in(step, "W116", "this step is never reached", hint)
                reached = False
            known = self.step(step, known)
        return known

    def step(self, step: Step, known: Known) -> Known:
        options = step.options
        if options.guard is not None:
            self.check(options.guard, known)
        after = self.action(step, self.inputs(step, known))
        if options.on_timeout is not None:
            after = joined([after, self.block(options.on_timeout, known.perhaps(after))])
        if options.save is not None:
            self.check(options.save, after)
        if options.continue_on_error:
            after = attrs.evolve(known.perhaps(after), ended=False)
        after = after.plus(*saved_names(step), f"steps.{step.id}")
        pattern = save_pattern(step)
        if pattern is not None:
            after = after.pattern(pattern)
        if options.guard is not None:
            after = joined([known.plus(f"steps.{step.id}"), after])
        return after

    def inputs(self, step: Step, known: Known) -> Known:
        """Checks what the action uses before any step within it."""
        if isinstance(step.action, SetAction):  # each may use those above it
            for name, value in step.action.values.items():
                for template in value_expressions(value):
                    self.check(template, known)
                known = known.plus(name)
            return known
        for expression in before_blocks(step.action):
            self.check(expression, known)
        return known

    def action(self, step: Step, known: Known) -> Known:
        match step.action:
            case IfAction(_, then, otherwise):
                return joined([self.block(then, known), self.block(otherwise, known)])
            case ForAction(names, _, steps):
                return self.loop(steps, known, names, may_be_empty=True)
            case RepeatAction(steps, until, _):
                end = self.loop(steps, known, (), may_be_empty=False)
                if until is not None:
                    self.check(until, end)
                return end
            case ParallelAction(branches):
                return self.parallel([branch.steps for branch in branches], known)
            case TryAction(body, handler):
                tried = self.block(body, known)
                return joined([tried, self.block(handler, attrs.evolve(known.perhaps(tried), ended=False))])
            case ReturnAction():
                return attrs.evolve(known, ended=True)
            case _:
                return known

    def loop(self, steps: Sequence[Step], known: Known, names: Sequence[str], *, may_be_empty: bool) -> Known:
        """What a pass sets, the next one may find; the loop's variables are put back afterwards."""
        variables = frozenset((*names, "item") if may_be_empty else ())
        inside = known.plus(*variables, "loop").perhaps(self.set_within(steps))
        end = self.block(steps, inside)
        end = attrs.evolve(
            end,
            sure=(end.sure - variables) | (known.sure & variables),
            maybe=(end.maybe - variables) | (known.maybe & variables),
            ended=False,
        )
        return known.perhaps(end).plus("loop") if may_be_empty else end

    def set_within(self, steps: Sequence[Step]) -> Known:
        names: set[str] = set()
        patterns: set[str] = set()
        for step in every_step(steps):
            names.update(saved_names(step), {f"steps.{step.id}"})
            pattern = save_pattern(step)
            if pattern is not None:
                patterns.add(pattern)
        return Known(frozenset(), frozenset(names), frozenset(patterns))

    def parallel(self, branches: Sequence[Sequence[Step]], known: Known) -> Known:
        writers: dict[str, int] = {}
        for number, steps in enumerate(branches):
            for step in every_step(steps):
                for name in saved_names(step):
                    if writers.setdefault(name, number) != number:
                        message = f"'{name}' is set in more than one branch; the later branch wins"
                        self.reading.error_in(step, "W105", message, "give each branch a name of its own")
        ends = [self.block(steps, known) for steps in branches]
        hidden = frozenset({"loop", "item"}) - known.maybe
        joint = merged(known, ends)
        return attrs.evolve(joint, sure=joint.sure - hidden, maybe=joint.maybe - hidden)

    # -- expressions

    def check(self, expression: Expressive, known: Known) -> None:
        for reference in expression.references:
            self.used.add(reference.name)
            self.reference(expression, reference, known)

    def reference(self, expression: Expressive, reference: Reference, known: Known) -> None:
        name = reference.name
        if name in known.sure:
            if name == "loop" and reference.path and reference.path[0] not in _LOOP_FIELDS:
                self.wrong(expression, reference, "V030", "'loop' has no", reference.path[0], _LOOP_FIELDS)
        elif name == "env":
            self.environment(expression, reference)
        elif name == "steps":
            self.steps(expression, reference, known)
        elif reference.use == "default":
            pass
        elif known.allows(name):
            if name in known.maybe and reference.use == "value":
                hint = f"give it a value before, or write {{{{{name} | default:...}}}}"
                self.report(expression, reference, "W103", f"'{name}' is set on some paths only", hint)
        elif reference.use == "truth":
            if name not in self.origins:
                self.report(expression, reference, "W104", f"nothing ever sets '{name}'; it counts as false", "")
        else:
            self.undefined(expression, reference, known)

    def undefined(self, expression: Expressive, reference: Reference, known: Known) -> None:
        name = reference.name
        visible = {each for each in known.maybe if not each.startswith("steps.")}
        near = closest(name, visible)
        if near:
            hint = f"did you mean '{near}'?"
        elif name in self.origins:
            hint = f"it is set later: {self.origins[name]}"
        elif name == "loop":
            hint = "it is there inside 'for' and 'repeat'"
        else:
            mine = [f"{each} ({self.origins[each]})" for each in self.origins if each in visible]
            hint = f"the variables here are: {', '.join(mine[:8])}" if mine else "no variable is set before this step"
        self.report(expression, reference, "V030", f"the variable '{name}' is not defined here", hint)

    def steps(self, expression: Expressive, reference: Reference, known: Known) -> None:
        if not reference.path:
            return
        step_id, *rest = reference.path
        if not known.allows(f"steps.{step_id}"):
            ids = {each.removeprefix("steps.") for each in known.maybe if each.startswith("steps.")}
            if reference.use == "value":
                self.wrong(expression, reference, "V030", "no step before this one has the id", step_id, frozenset(ids))
        elif rest and rest[0] not in _STEP_FIELDS:
            self.wrong(expression, reference, "V030", f"'steps.{step_id}' has no", rest[0], _STEP_FIELDS)

    def environment(self, expression: Expressive, reference: Reference) -> None:
        if not reference.path:
            self.report(expression, reference, "V030", "'env' needs a name", "write for example env.HOME")
            return
        name = reference.path[0]
        if name not in self.exposed and any(word in name.upper() for word in _SECRET):
            hint = "list it in settings.expose_env if agents may see it"
            self.report(expression, reference, "V055", f"'env.{name}' looks like a secret", hint)

    def wrong(
        self, expression: Expressive, reference: Reference, code: str, what: str, name: str, names: frozenset[str]
    ) -> None:
        self.report(expression, reference, code, f"{what} '{name}'", remedy(name, names, "there are"))

    def report(self, expression: Expressive, reference: Reference, code: str, message: str, hint: str) -> None:
        self.reading.error_in(expression, code, message, hint, (reference.start, reference.end))
