"""Runs a workflow as a pure generator of effects (dsl.md, section 10).

One `_Call` is one workflow call, or one branch of a `parallel` in it. Its methods are generators too: they yield
effects and return values. A step's value is what it gives, or NOTHING (a `set`, a skipped step). `return` sets
`returned`, and every block stops at the next step. Failures are `StepFailed`; what interrupts a generator from
outside (`close`) is never caught.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, assert_never

import attrs

from vega_trio.dsl.asking import ask_of, exchange
from vega_trio.dsl.blocks import NOTHING, Run, branch_body, fork_of, join, noted_exchange, or_null, ready
from vega_trio.dsl.document import Document
from vega_trio.dsl.effects import (
    BranchResult,
    Effect,
    Note,
    Recall,
    Remember,
    Result,
    StepFailed,
    StepTimeout,
    Within,
)
from vega_trio.dsl.inputs import bind
from vega_trio.dsl.notes import Noted, Spent, located, record
from vega_trio.dsl.passes import DEFAULT_PASSES, messages_of, pass_limit, passes_of
from vega_trio.dsl.template import Condition, Template, ValueTemplate
from vega_trio.dsl.values import (
    UNDEFINED,
    ExpressionError,
    FailureValue,
    check_list,
    check_memory,
    plain,
    print_value,
)
from vega_trio.dsl.variables import Variables
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
from vega_trio.errors import InputError

__all__ = ["StepFailed", "interpret"]

MAX_NESTING = 32


def interpret(document: Document, workflow: str, inputs: Mapping[str, object]) -> Generator[Effect, Any, Result]:
    """The effects of one run. `inputs` are bound already (`inputs.bind`).

    Raises: StepFailed for a failure that the workflow did not catch; KeyError for an unknown workflow.
    """
    return _call(document, document.workflows[workflow], inputs).run(workflow)


def _call(document: Document, definition: WorkflowDefinition, inputs: Mapping[str, object]) -> _Call:
    return _Call(document, definition, Variables.of_call(definition.name, inputs, definition.primary))


@attrs.define
class _Call:
    """The state of one call or branch. `conversation` names what its asks belong to; `nesting` counts calls."""

    document: Document
    definition: WorkflowDefinition
    variables: Variables
    conversation: str = ""
    nesting: int = 0
    spent: Spent = attrs.field(factory=Spent)
    returned: bool = False
    value: object = None

    # -- whole

    def run(self, path: str) -> Run[Result]:
        yield from self.block(self.definition.steps, path + "/")
        value = yield from self.output(path)
        return Result(value=value, variables=self.variables.writes)

    def output(self, path: str) -> Run[object]:
        output = self.definition.output
        try:
            if self.returned:
                return plain(self.value)
            if output is None:
                return plain(self.variables.scope.get("result"))
            return plain((yield from self.render(output, path)))
        except ExpressionError as error:
            raise StepFailed(
                str(error), error.error_class, code=error.code, path=f"{path}/output", place=self.definition.place
            ) from None

    def block(self, steps: Sequence[Step], prefix: str) -> Run[object]:
        """Steps in order; the value is the last one's."""
        value: object = NOTHING
        for number, step in enumerate(steps):
            given = yield from self.step(step, f"{prefix}{number}")
            value = value if given is NOTHING else given
            if self.returned:
                break
        return value

    # -- one step

    def step(self, step: Step, path: str) -> Run[object]:
        note = Noted(step, path)
        before = attrs.evolve(self.spent)
        try:
            if not (yield from self.passes_guard(step, note)):
                self.variables.record(step.id, record("skipped", step))
                yield note.skipped()
                return NOTHING
            yield note.started()
            value = yield from self.timed(step, path)
            yield from self.save(step, path, value)
        except (StepFailed, ExpressionError) as error:
            failure = located(error, step, path)
            cost, duration = self.spent.since(before)
            self.variables.record(step.id, record("failed", step, None, failure.message, cost, duration))
            yield note.finished("failed", failure.message, cost, duration)
            if not step.options.continue_on_error:
                raise failure from None
        else:
            cost, duration = self.spent.since(before)
            self.variables.record(step.id, record("completed", step, or_null(value), None, cost, duration))
            yield note.finished("completed", "", cost, duration)
            if step.options.continue_on_error:
                self.variables.set_error(None, None)
            return value
        return (yield from self.caught(step, path, failure))

    def passes_guard(self, step: Step, note: Noted) -> Run[bool]:
        """A step whose condition cannot be told has begun, and fails."""
        if step.options.guard is None:
            return True
        try:
            return (yield from self.test(step.options.guard, note.path))
        except ExpressionError:
            yield note.started()
            raise

    def timed(self, step: Step, path: str) -> Run[object]:
        """The action within the step's time limit, or what is to be done when that is over."""
        timeout_s, on_timeout = step.options.timeout_s, step.options.on_timeout
        try:
            if timeout_s is None or isinstance(step.action, AskAction):  # the driver bounds each attempt of an ask
                return (yield from self.action(step, path))
            return (yield Within(path=path, timeout_s=timeout_s, body=self.within(step, path)))
        except StepTimeout as late:
            if on_timeout is None or late.path not in ("", path):  # a step within was late, not this one
                raise
            return (yield from self.block(on_timeout, f"{path}.on_timeout."))

    def within(self, step: Step, path: str) -> Run[object]:
        """The action as a generator of its own, out of which only StepFailed comes."""
        try:
            return (yield from self.action(step, path))
        except ExpressionError as error:
            raise located(error, step, path) from None

    def save(self, step: Step, path: str, value: object) -> Run[None]:
        if step.options.save is not None:
            name = print_value((yield from self.render(step.options.save, path)))
            self.variables.assign(name, or_null(value))
        elif step.named:
            self.variables.assign(step.id, or_null(value))
        if value is not NOTHING and not isinstance(value, FailureValue):
            self.variables.builtin("result", value)

    def caught(self, step: Step, path: str, failure: StepFailed) -> Run[object]:
        """What `continue_on_error` leaves behind."""
        self.variables.set_error(failure.message, failure.error_class)
        value = FailureValue(failure.message, failure.error_class, failure.path)
        try:
            yield from self.save(step, path, value)
        except ExpressionError as error:  # the name of the variable cannot be told
            raise located(error, step, path) from None
        return value

    # -- actions

    def action(self, step: Step, path: str) -> Run[object]:
        match step.action:
            case AskAction():
                return self.ask(step, step.action, path)
            case IfAction():
                return self.if_(step.action, path)
            case ForAction():
                return self.for_(step.action, path)
            case RepeatAction():
                return self.repeat(step.action, path)
            case ParallelAction():
                return self.parallel(step.action, path)
            case ParallelAgentAction():
                return self.parallel_agent(step, step.action, path)
            case TryAction():
                return self.try_(step.action, path)
            case WorkflowAction():
                return self.workflow(step.action, path)
            case _:
                return self.simple(step.action, path)

    def simple(self, action: SetAction | ReturnAction | RememberAction | RecallAction, path: str) -> Run[object]:
        match action:
            case SetAction():
                return self.set_(action, path)
            case ReturnAction():
                return self.return_(action, path)
            case RememberAction():
                return self.remember(action, path)
            case RecallAction():
                return self.recall(action, path)
        assert_never(action)

    def ask(self, step: Step, action: AskAction, path: str) -> Run[object]:
        message = yield from self.render_text(action.message, path)
        return (yield from self.exchange(step, action.agent, message, path))

    def exchange(self, step: Step, agent: str, message: str, path: str) -> Run[object]:
        return exchange(ask_of(step, agent, message, path, self.conversation), step, self.spent)

    def if_(self, action: IfAction, path: str) -> Run[object]:
        if (yield from self.test(action.condition, path)):
            return (yield from self.block(action.then, f"{path}.then."))
        return (yield from self.block(action.otherwise, f"{path}.else."))

    def for_(self, action: ForAction, path: str) -> Run[object]:
        yield from ready(self.variables, action.source.references, path)
        passes = passes_of(action, action.source.evaluate(self.variables.scope))
        values: list[object] = []
        outer = self.variables.outer_loop
        with self.variables.loop(action.names):
            for number, variables in enumerate(passes):
                self.variables.enter_pass(number, len(passes), variables, outer)
                yield Note(path=path, what="pass", kind="for", number=number)
                values.append(or_null((yield from self.block(action.steps, f"{path}#{number}."))))
                if self.returned:
                    break
        return values

    def repeat(self, action: RepeatAction, path: str) -> Run[object]:
        most = DEFAULT_PASSES
        if action.max is not None:
            most = pass_limit((yield from self.render(action.max, path)))
        value: object = NOTHING
        outer = self.variables.outer_loop
        with self.variables.loop(()):
            for number in range(most):
                self.variables.enter_pass(number, None, {}, outer)
                yield Note(path=path, what="pass", kind="repeat", number=number)
                given = yield from self.block(action.steps, f"{path}#{number}.")
                value = value if given is NOTHING else given
                if self.returned or (action.until is not None and (yield from self.test(action.until, path))):
                    break
        return value

    def try_(self, action: TryAction, path: str) -> Run[object]:
        try:
            value = yield from self.block(action.body, f"{path}.try.")
        except StepFailed as failure:
            self.variables.set_error(failure.message, failure.error_class)
        else:
            self.variables.set_error(None, None)
            return value
        return (yield from self.block(action.handler, f"{path}.catch."))

    # -- branches

    def parallel(self, action: ParallelAction, path: str) -> Run[object]:
        bodies = []
        for number, branch in enumerate(action.branches):
            inner = f"{path}.parallel[{number}]"
            call = self.branch(inner)
            bodies.append((inner, call, call.steps_of(branch.steps, inner, listed=branch.listed)))
        return (yield from self.fork(path, bodies, action.limit))

    def parallel_agent(self, step: Step, action: ParallelAgentAction, path: str) -> Run[object]:
        messages = yield from self.messages(action, path)
        bodies = []
        for number, message in enumerate(messages):
            inner = f"{path}.parallel[{number}]"
            call = self.branch(inner)
            asked = call.exchange(step, action.agent, message, inner)
            bodies.append((inner, call, noted_exchange(asked, step, action.agent, inner, call.spent)))
        return (yield from self.fork(path, bodies, action.limit))

    def messages(self, action: ParallelAgentAction, path: str) -> Run[list[str]]:
        if isinstance(action.inputs, tuple):
            texts = []
            for template in action.inputs:
                text = yield from self.render_text(template, path)
                texts.append(text)
            return texts
        yield from ready(self.variables, action.inputs.references, path)
        return messages_of(action.inputs.evaluate(self.variables.scope))

    def branch(self, path: str) -> _Call:
        return attrs.evolve(self, variables=self.variables.branch(), conversation=path, spent=Spent())

    def steps_of(self, steps: Sequence[Step], path: str, *, listed: bool) -> Run[object]:
        if listed:
            return (yield from self.block(steps, f"{path}."))
        return (yield from self.step(steps[0], path)) if steps else NOTHING

    def fork(self, path: str, bodies: Iterable[tuple[str, _Call, Run[object]]], limit: int | None) -> Run[object]:
        branches = [(inner, branch_body(call.variables, call.spent, body)) for inner, call, body in bodies]
        if not branches:
            return []
        results: Sequence[BranchResult] = yield fork_of(path, branches, self.conversation, limit)
        join(self.variables, self.spent, results)
        return check_list([or_null(result.value) for result in results])

    def workflow(self, action: WorkflowAction, path: str) -> Run[object]:
        if self.nesting + 1 > MAX_NESTING:
            message = f"workflows call each other deeper than {MAX_NESTING}"
            raise StepFailed(message, "limit_exceeded", code="R006")
        definition = self.document.workflows[action.workflow]
        given: dict[str, object] = {}
        for name, template in action.inputs.items():
            given[name] = yield from self.render(template, path)
        try:
            inputs = bind(definition, given)
        except InputError as error:
            raise StepFailed(str(error), "invalid_request", code=error.code) from None
        inner = f"{path}>{action.workflow}"
        call = _call(self.document, definition, inputs)
        call = attrs.evolve(call, conversation=inner, nesting=self.nesting + 1)
        body = branch_body(call.variables, call.spent, call.result(inner))
        # Nothing is ever said in a conversation of this name, so the branch starts from nothing.
        results: Sequence[BranchResult] = yield fork_of(path, [(inner, body)], f"{inner}/new")
        self.spent.add(results[0].cost_usd, results[0].duration_ms)
        return results[0].value

    def result(self, path: str) -> Run[object]:
        return (yield from self.run(path)).value

    # -- values

    def set_(self, action: SetAction, path: str) -> Run[object]:
        for name, template in action.values.items():
            self.variables.assign(name, (yield from self.render(template, path)))
        return NOTHING

    def return_(self, action: ReturnAction, path: str) -> Run[object]:
        self.value = yield from self.render(action.value, path)
        self.returned = True
        return self.value

    def remember(self, action: RememberAction, path: str) -> Run[object]:
        key = yield from self.render_text(action.key, path)
        value = plain((yield from self.render(action.value, path)))
        check_memory(value)
        yield Remember(path=path, key=key, value=value)
        return NOTHING

    def recall(self, action: RecallAction, path: str) -> Run[object]:
        key = yield from self.render_text(action.key, path)
        value = yield Recall(path=path, key=key)
        if value is not UNDEFINED:
            return value
        return None if action.default is None else (yield from self.render(action.default, path))

    # -- expressions

    def render(self, template: ValueTemplate, path: str) -> Run[object]:
        yield from ready(self.variables, template.references, path)
        return template.render(self.variables.scope)

    def render_text(self, template: Template, path: str) -> Run[str]:
        yield from ready(self.variables, template.references, path)
        return template.render_text(self.variables.scope)

    def test(self, condition: Condition, path: str) -> Run[bool]:
        yield from ready(self.variables, condition.references, path)
        return condition.test(self.variables.scope)
