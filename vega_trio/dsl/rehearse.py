"""Walks a workflow without running it: which steps come, and what each agent would be told.

What an agent would answer is not known, and neither is what depends on it: it stands as `<name>`. Where a condition
is not known both ways are walked; a loop over what is not known is walked once. Pure, and free of cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from vega_trio.dsl.document import Document
from vega_trio.dsl.inputs import check
from vega_trio.dsl.nodes import Reference
from vega_trio.dsl.partial import UNKNOWN, PartialScope, all_of, evaluated, one_of, shown, tested, text_of
from vega_trio.dsl.passes import DEFAULT_PASSES, pass_limit, passes_of
from vega_trio.dsl.policy import Place
from vega_trio.dsl.template import Expression
from vega_trio.dsl.values import ExpressionError, print_value
from vega_trio.dsl.variables import READ, Variables, loop_of
from vega_trio.dsl.walk import expressions
from vega_trio.dsl.workflow import (
    AskAction,
    ForAction,
    IfAction,
    ParallelAction,
    ParallelAgentAction,
    RecallAction,
    RememberAction,
    RepeatAction,
    ReturnAction,
    SetAction,
    Step,
    TryAction,
    WorkflowAction,
    WorkflowDefinition,
)

MAX_PASSES = 20  # of one loop are shown
MAX_LINES = 10_000


@attrs.frozen(kw_only=True)
class Line:
    """A step, or a word about what follows it one level deeper.

    `text` is what an agent would be told, or the value of a step that has one; `saves` names a variable.
    """

    depth: int
    path: str
    kind: str
    title: str
    agent: str = ""
    text: str | None = None
    saves: str = ""


@attrs.frozen(kw_only=True)
class Rehearsal:
    """`output` is as it would print. `problems` are failures that are certain, with their paths and places."""

    workflow: str
    inputs: Mapping[str, object]
    lines: Sequence[Line]
    output: str
    problems: Sequence[str]


def rehearse(document: Document, workflow: str, inputs: Mapping[str, object], env: Mapping[str, str]) -> Rehearsal:
    """`inputs` are bound already. Of `env` only what the workflow names is looked at."""
    walk = _Walk(document, document.workflows[workflow], env, scope={}, calls=())
    walk.begin(inputs)
    output = walk.whole(workflow)
    return Rehearsal(workflow=workflow, inputs=inputs, lines=walk.lines, output=output, problems=walk.problems)


@attrs.define
class _Walk:
    """One workflow call. `calls` are those around it, so that recursion ends; `lines` and `problems` are shared."""

    document: Document
    definition: WorkflowDefinition
    env: Mapping[str, str]
    scope: PartialScope
    calls: tuple[str, ...]
    depth: int = 0
    ended: bool = False
    returned: str = ""
    lines: list[Line] = attrs.field(factory=list)
    problems: list[str] = attrs.field(factory=list)

    def begin(self, inputs: Mapping[str, object]) -> None:
        definition = self.definition
        self.scope = {**Variables.of_call(definition.name, inputs, definition.primary).scope}
        self.scope.update({name: UNKNOWN for name in READ if name not in inputs})
        named = {each.path[0] for made in expressions(definition) for each in made.references if _is_env(each)}
        self.scope["env"] = {name: self.env[name] for name in sorted(named & self.env.keys())}

    def whole(self, path: str) -> str:
        """Walks every step. Returns the output as it would print."""
        self.block(self.definition.steps, f"{path}/")
        output = self.definition.output
        if self.ended:
            return self.returned
        if output is None:
            result = self.scope.get("result")
            return "<result>" if result is UNKNOWN else print_value(result)
        try:
            return shown(output, self.scope)
        except ExpressionError as error:
            self.note(f"{path}/output", error, self.definition.place)
            return ""

    def note(self, path: str, error: ExpressionError, place: Place) -> None:
        """A failure that is certain; the walk goes on."""
        self.problems.append(f"step {path}: {error} ({place})")

    def say(
        self, path: str, kind: str, title: str, *, text: str | None = None, agent: str = "", saves: str = ""
    ) -> None:
        if len(self.lines) < MAX_LINES:
            self.lines.append(
                Line(depth=self.depth, path=path, kind=kind, title=title, text=text, agent=agent, saves=saves)
            )
        elif not self.full:
            more = f"and more: the first {MAX_LINES:,} lines are shown"
            self.lines.append(Line(depth=self.depth, path=path, kind="block", title=more))

    @property
    def full(self) -> bool:
        """Whether it has been said that there are more lines. Nothing is walked then: loops in loops hardly end."""
        return len(self.lines) > MAX_LINES

    # -- steps

    def block(self, steps: Sequence[Step], prefix: str) -> None:
        for number, step in enumerate(steps):
            if self.ended or self.full:
                return
            path = prefix if prefix.endswith("]") else f"{prefix}{number}"
            try:
                self.step(step, path)
            except ExpressionError as error:
                self.note(path, error, step.place)

    def under(self, word: str, steps: Sequence[Step], prefix: str) -> None:
        """A block within a step, one level deeper, under its word."""
        if not steps:
            return
        self.depth += 1
        if word:
            self.say(prefix.rstrip("."), "block", word)
            self.depth += 1
        self.block(steps, prefix)
        self.depth -= 2 if word else 1

    def way(self, scope: PartialScope, word: str, steps: Sequence[Step], prefix: str) -> PartialScope:
        """What the scope becomes on one of several ways; a `return` on it does not end the others."""
        kept, self.scope = self.scope, dict(scope)
        self.under(word, steps, prefix)
        self.ended = False
        found, self.scope = self.scope, kept
        return found

    def step(self, step: Step, path: str) -> None:
        guard = step.options.guard
        holds = True if guard is None else tested(guard, self.scope)
        if guard is not None and holds is False:
            self.say(path, "skipped", f"{step.title} (skipped, for not: {guard.text.strip()})")
            return
        before = dict(self.scope)
        prefix = "" if guard is None or holds else f"if {guard.text.strip()}: "
        value = self.action(step, path, prefix)
        self.save(step, value)
        if step.options.on_timeout:
            word = f"on timeout, after {step.options.timeout_s:g} s"
            self.scope = one_of([self.scope, self.way(before, word, step.options.on_timeout, f"{path}.on_timeout.")])
        if holds is None:
            self.scope, self.ended = one_of([before, self.scope]), False

    def save(self, step: Step, value: object) -> None:
        self.scope["steps"] = UNKNOWN
        if step.options.continue_on_error:
            self.scope["error"] = self.scope["error_class"] = value = UNKNOWN
        if isinstance(step.action, SetAction | RememberAction):
            return
        self.scope["result"] = value
        name: object = step.id if step.named else UNKNOWN
        if step.options.save is not None:
            name = evaluated(step.options.save, self.scope)
        if name is not UNKNOWN:
            self.scope[print_value(name)] = value

    def tell(self, step: Step, path: str, title: str, *, text: str | None = None, agent: str = "") -> None:
        save = step.options.save
        saves = text_of(save, self.scope) if save is not None else step.id if step.named else ""
        self.say(path, step.kind, title, text=text, agent=agent, saves=saves)

    # -- actions

    def action(self, step: Step, path: str, prefix: str) -> object:
        """Tells of the step and walks what is in it. Returns its value, or UNKNOWN."""
        match step.action:
            case AskAction(agent, message):
                self.tell(step, path, prefix + step.title, text=text_of(message, self.scope), agent=agent)
            case ParallelAgentAction():
                self.parallel_agent(step, step.action, path, prefix)
            case SetAction(values):
                for name, each in values.items():
                    self.say(path, "set", f"{prefix}set {name}", text=shown(each, self.scope))
                    self.scope[name] = evaluated(each, self.scope)
            case ReturnAction(value):
                self.returned, self.ended = shown(value, self.scope), True
                self.tell(step, path, f"{prefix}return", text=self.returned)
                return evaluated(value, self.scope)
            case RememberAction(key, value):
                title = f"{prefix}remember {text_of(key, self.scope)}"
                self.tell(step, path, title, text=shown(value, self.scope))
            case RecallAction(key):
                self.tell(step, path, f"{prefix}recall {text_of(key, self.scope)}")
            case _:
                self.nested(step, path, prefix)
        return UNKNOWN

    def nested(self, step: Step, path: str, prefix: str) -> None:
        match step.action:
            case IfAction():
                self.if_(step, step.action, path)
            case ForAction():
                self.for_(step, step.action, path, prefix)
            case RepeatAction():
                self.repeat(step, step.action, path, prefix)
            case ParallelAction():
                self.parallel(step, step.action, path, prefix)
            case TryAction(body, handler):
                self.tell(step, path, f"{prefix}try")
                done = self.way(self.scope, "", body, f"{path}.try.")
                failed = one_of([self.scope, done]) | {"error": UNKNOWN, "error_class": UNKNOWN}
                self.scope = one_of([done, self.way(failed, "catch", handler, f"{path}.catch.")])
            case WorkflowAction():
                self.workflow(step, step.action, path, prefix)
            case _:
                raise AssertionError(f"no action with steps in it: {step.kind}")

    def if_(self, step: Step, action: IfAction, path: str) -> None:
        holds = tested(action.condition, self.scope)
        answer = {True: " (true)", False: " (false)", None: ""}[holds]
        self.tell(step, path, f"if {action.condition.text.strip()}{answer}")
        if holds is not None:
            chosen, word = (action.then, "then") if holds else (action.otherwise, "else")
            self.under("", chosen, f"{path}.{word}.")
            return
        then = self.way(self.scope, "then", action.then, f"{path}.then.")
        otherwise = self.way(self.scope, "else", action.otherwise, f"{path}.else.")
        self.scope = one_of([then, otherwise])

    def for_(self, step: Step, action: ForAction, path: str, prefix: str) -> None:
        source = evaluated(action.source, self.scope)
        kept = {name: self.scope[name] for name in (*action.names, "item", "loop") if name in self.scope}
        if source is UNKNOWN:
            self.tell(step, path, f"{prefix}{step.title} (once for each)")
            each = dict.fromkeys((*action.names, "item", "loop"), UNKNOWN)
            passed = self.way({**self.scope, **each}, "", action.steps, f"{path}#0.")
            self.scope = one_of([self.scope, passed])
        else:
            passes, before = passes_of(action, source), dict(self.scope)
            self.tell(step, path, f"{prefix}{step.title} (passes: {len(passes)})")
            for number, variables in enumerate(passes[:MAX_PASSES]):
                outer = kept.get("loop")
                loop = UNKNOWN if outer is UNKNOWN else loop_of(number, len(passes), outer)
                self.scope |= {**variables, "loop": loop}
                self.under(f"pass {number + 1}", action.steps, f"{path}#{number}.")
                if self.ended:
                    break
            if len(passes) > MAX_PASSES:
                self.say(path, "block", f"and {len(passes) - MAX_PASSES} more passes")
                self.scope = one_of([before, self.scope])
        for name in (*action.names, "item"):
            self.scope.pop(name, None)
        self.scope |= kept

    def repeat(self, step: Step, action: RepeatAction, path: str, prefix: str) -> None:
        limit = DEFAULT_PASSES if action.max is None else evaluated(action.max, self.scope)
        most = "?" if limit is UNKNOWN else str(pass_limit(limit))
        until = "" if action.until is None else f" until {action.until.text.strip()}"
        self.tell(step, path, f"{prefix}repeat{until} (passes: at most {most})")
        first = self.way({**self.scope, "loop": UNKNOWN}, "", action.steps, f"{path}#0.")
        self.scope = {**one_of([self.scope, first]), "loop": UNKNOWN}

    def parallel(self, step: Step, action: ParallelAction, path: str, prefix: str) -> None:
        self.tell(step, path, f"{prefix}parallel (branches: {len(action.branches)})")
        ways = []
        for number, branch in enumerate(action.branches):
            inner = f"{path}.parallel[{number}]"
            prefix = f"{inner}." if branch.listed else inner
            ways.append(self.way(self.scope, f"branch {number + 1}", branch.steps, prefix))
        self.scope = all_of(self.scope, ways)

    def parallel_agent(self, step: Step, action: ParallelAgentAction, path: str, prefix: str) -> None:
        if isinstance(action.inputs, Expression):
            found = evaluated(action.inputs, self.scope)
            listed = isinstance(found, list)
            texts = [print_value(each) for each in found] if isinstance(found, list) else [f"<{action.inputs.text}>"]
        else:
            listed, texts = True, [text_of(each, self.scope) for each in action.inputs]
        count = str(len(texts)) if listed else "one for each message"
        self.tell(step, path, f"{prefix}parallel {action.agent} (branches: {count})", agent=action.agent)
        self.depth += 1
        for number, text in enumerate(texts[:MAX_PASSES]):
            self.say(f"{path}.parallel[{number}]", "ask", action.agent, text=text, agent=action.agent)
        if len(texts) > MAX_PASSES:
            self.say(path, "block", f"and {len(texts) - MAX_PASSES} more messages")
        self.depth -= 1

    def workflow(self, step: Step, action: WorkflowAction, path: str, prefix: str) -> None:
        target = self.document.workflows[action.workflow]
        given = {name: evaluated(each, self.scope) for name, each in action.inputs.items()}
        text = "\n".join(f"{name}: {shown(each, self.scope)}" for name, each in action.inputs.items())
        again = " (again)" if target.name in self.calls else ""
        self.tell(step, path, f"{prefix}workflow {target.name}{again}", text=text or None)
        if again:
            return
        inner = attrs.evolve(
            self, definition=target, scope={}, calls=(*self.calls, target.name), depth=self.depth + 1, ended=False
        )
        inner.begin(_inputs(target, given))
        inner.whole(f"{path}>{target.name}")


def _is_env(reference: Reference) -> bool:
    return reference.name == "env" and bool(reference.path)


def _inputs(target: WorkflowDefinition, given: Mapping[str, object]) -> PartialScope:
    """Every input, as far as it is known; a wrong one is not, and the run will say so."""
    found: PartialScope = {}
    for name, definition in target.inputs.items():
        value = given.get(name, definition.default)
        if name not in given and name == target.primary:
            value = given.get("task", given.get("input", value))
        try:
            found[name] = value if value is UNKNOWN or value is None else check(definition, value)
        except ValueError:
            found[name] = UNKNOWN
    return found
