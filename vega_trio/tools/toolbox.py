"""Tools from Python functions: described to the model, checked, run within their limits, answered in text."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Literal, TypeVar, overload

import attrs
from attrs import validators

from vega_trio._core.capping import cap
from vega_trio.context import ToolContext
from vega_trio.messages import ToolOutput
from vega_trio.protocols import EFFECTS, TOOL_NAME, TOOL_TIMEOUT_S, ApprovalMode, Tool, ToolSpec
from vega_trio.tools.arguments import Check, Structurer, compile_check
from vega_trio.tools.output import as_output
from vega_trio.tools.schema import Signature, read_signature
from vega_trio.tools.separate import Target, call_apart, check_reachable, target_of
from vega_trio.tools.threads import Threads

_OPTIONS: Final = "__vega_tool__"

Function = TypeVar("Function", bound=Callable[..., Any])
Isolation = Literal["process"]


def _known_effects(effects: Iterable[str]) -> frozenset[str]:
    given = frozenset(effects)
    if unknown := sorted(given.difference(EFFECTS)):
        raise ValueError(f"tool effects can be {', '.join(sorted(EFFECTS))}, not {', '.join(unknown)}")
    return given


@attrs.frozen(kw_only=True)
class ToolOptions:
    """What `@tool(...)` adds to a function. `timeout` is in seconds, None for no limit of its own."""

    name: str | None = None
    description: str | None = None
    timeout: float | None = TOOL_TIMEOUT_S
    idempotent: bool = False
    effects: frozenset[str] = attrs.field(default=frozenset(), converter=_known_effects)
    approval: ApprovalMode = attrs.field(default="auto", validator=validators.in_(("auto", "always", "never")))
    chooses_destination: bool = False
    isolation: Isolation | None = attrs.field(default=None, validator=validators.in_((None, "process")))
    asks: Callable[[Mapping[str, Any]], str] | None = None

    def __attrs_post_init__(self) -> None:
        if self.name is not None:
            check_name(self.name)
        if self.timeout is not None and not (0 < self.timeout < math.inf):
            raise ValueError(f"a tool's timeout must be a positive number of seconds or None, not {self.timeout!r}")


_NO_OPTIONS: Final = ToolOptions()


@overload
def tool(function: Function, /) -> Function: ...
@overload
def tool(
    *,
    name: str | None = ...,
    description: str | None = ...,
    timeout: float | None = ...,
    idempotent: bool = ...,
    effects: Iterable[str] = ...,
    approval: ApprovalMode = ...,
    chooses_destination: bool = ...,
    asks: Callable[[Mapping[str, Any]], str] | None = ...,
    isolation: Isolation | None = ...,
) -> Callable[[Function], Function]: ...
def tool(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float | None = TOOL_TIMEOUT_S,
    idempotent: bool = False,
    effects: Iterable[str] = (),
    approval: ApprovalMode = "auto",
    chooses_destination: bool = False,
    asks: Callable[[Mapping[str, Any]], str] | None = None,
    isolation: Isolation | None = None,
) -> Function | Callable[[Function], Function]:
    """Gives a function options as a tool; the function stays what it was. `@tool` and `@tool(...)` both work.

    `idempotent` promises that a call may be repeated after a crash; `effects` are of read, write, network, exec.
    `approval`: "always" has a person approve each call, "never" leaves the tool out of the rule that private data and
    text from outside do not mix. `chooses_destination`: its arguments say which host it reaches. `asks(arguments)`
    has a person approve the calls for which it says why; it is asked before the arguments are checked.
    `isolation="process"` runs each call in a process of its own, which a cancel or the timeout kills with all that it
    started; the function must be found by its name in its module, and takes no ToolContext.

    Raises: ValueError for an option that cannot be.
    """
    options = ToolOptions(
        name=name,
        description=description,
        timeout=timeout,
        idempotent=idempotent,
        effects=effects,
        approval=approval,
        chooses_destination=chooses_destination,
        isolation=isolation,
        asks=asks,
    )

    def decorate(decorated: Function) -> Function:
        if isolation is not None:
            check_reachable(decorated)
        setattr(decorated, _OPTIONS, options)
        return decorated

    return decorate if function is None else decorate(function)


def check_name(name: str) -> str:
    """Raises: ValueError for a name that model providers refuse."""
    if not TOOL_NAME.fullmatch(name):
        raise ValueError(f"tool name {name!r} must be 1 to 64 letters, digits, '_' or '-'; give another with name=")
    return name


def as_tool(obj: Any, *, threads: Threads | None = None) -> Tool:
    """A function or a Tool as a Tool. `threads` runs and counts the threads of plain functions.

    Raises: TypeError for anything else, also for a name: which tool a name means is the application's business.
    """
    if isinstance(obj, Tool):
        return obj
    if not callable(obj):
        raise TypeError(f"a tool is a function or a Tool object, not {obj!r}")
    return FunctionTool(function=obj, options=options_of(obj), threads=Threads() if threads is None else threads)


def options_of(function: Callable[..., Any]) -> ToolOptions:
    """As `tool` gave them to it last."""
    options: ToolOptions = getattr(function, _OPTIONS, _NO_OPTIONS)
    return options


@attrs.define(kw_only=True)
class FunctionTool:
    """A Python function as a tool. An async one is awaited in the caller's task, a plain one runs in a thread."""

    function: Callable[..., Any]
    options: ToolOptions
    threads: Threads
    spec: ToolSpec = attrs.field(init=False)
    _signature: Signature = attrs.field(init=False)
    _structurer: Structurer = attrs.field(init=False)
    _check: Check | None = attrs.field(init=False, default=None)
    _target: Target | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        signature, options = read_signature(self.function), self.options
        if options.isolation is not None:
            self._target = target_of(self.function)
            if signature.context is not None:
                raise ValueError(f"tool {signature.name!r} takes a ToolContext, which another process has not")
        self._signature = signature
        self._structurer = Structurer(signature.hints)
        self.spec = ToolSpec(
            name=check_name(options.name or signature.name),
            description=signature.description if options.description is None else options.description,
            parameters=signature.parameters,
            timeout_s=options.timeout,
            idempotent=options.idempotent,
            effects=options.effects,
            approval=options.approval,
            chooses_destination=options.chooses_destination,
            asks=options.asks,
        )

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str | ToolOutput:
        """Raises: ToolRetry for wrong arguments, and whatever the function raises. The caller keeps `spec.timeout_s`.

        Cancelling ends an async function and a process; a plain function is left running in its thread and listed by
        `threads`.
        """
        if self._check is None:
            self._check = compile_check(self.spec.parameters)
        self._check(arguments)
        if self._target is not None:
            return cap(await call_apart(self._target, arguments))
        given = self._structurer.structure(arguments)
        if self._signature.context is not None:
            given[self._signature.context] = context
        return as_output(await self._run(given))

    async def _run(self, given: dict[str, Any]) -> Any:
        bound = partial(self.function, **given)
        if _is_async(self.function):
            return await bound()
        result = await self.threads.run(self.spec.name, bound)
        return await result if inspect.isawaitable(result) else result


def _is_async(function: Callable[..., Any]) -> bool:
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
