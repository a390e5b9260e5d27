"""Tools as declared in a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from vega_trio.agent import BackoffConfig
from vega_trio.dsl.policy import Place
from vega_trio.dsl.template import Template, ValueTemplate
from vega_trio.dsl.values import ValueType
from vega_trio.protocols import TOOL_TIMEOUT_S, ApprovalMode


@attrs.frozen(kw_only=True)
class Param:
    """A parameter of a tool. An optional one without a default is absent when the model leaves it out.

    `items` describes the members of an array, `properties` those of an object. `default` counts only when
    `has_default`: null is a default too.
    """

    name: str
    type: ValueType = "string"
    description: str = ""
    required: bool = False
    default: object = None
    has_default: bool = False
    enum: tuple[object, ...] | None = None
    items: Param | None = None
    properties: tuple[Param, ...] = ()


@attrs.frozen
class HttpRetry:
    """How often a request is made in all, and the pauses between."""

    attempts: int = 3
    backoff: BackoffConfig = attrs.field(factory=lambda: BackoffConfig(initial=1.0, jitter=0.1))


@attrs.frozen(kw_only=True)
class HttpImpl:
    """An HTTP call. The value of each hole is percent-encoded in the path and the query of `url`.

    Only a `url` that is one hole lets a parameter choose the host. `body` is a value that is sent as JSON, or a
    template whose holes are JSON-encoded; None sends none.
    """

    url: Template
    method: str = "GET"
    headers: Mapping[str, Template] = attrs.field(factory=dict)
    query: Mapping[str, ValueTemplate] = attrs.field(factory=dict)
    body: ValueTemplate | None = None
    retry: HttpRetry | None = None


@attrs.frozen
class ShellValue:
    """A value that a shell command gets as a positional parameter; `opens`: an argument begins with it."""

    template: Template
    opens: bool


@attrs.frozen(kw_only=True)
class ExecImpl:
    """A command, split when it was loaded: each template of `argv` fills exactly one argument.

    `after_dashes` is the index of the first argument after a `--`: from there on a value may begin with `-`.
    With `shell` set, `argv` is empty: that fixed text is run by `sh -c` and `values` are its `$1`, `$2`, ...
    `whole_command` is true when a value is the whole text of a `-c` argument (effect `exec`).
    """

    argv: tuple[Template, ...] = ()
    shell: str | None = None
    values: tuple[ShellValue, ...] = ()
    after_dashes: int | None = None
    whole_command: bool = False
    env: Mapping[str, Template] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class FileReadImpl:
    path: Template
    encoding: Literal["utf-8", "base64", "binary"] = "utf-8"


@attrs.frozen(kw_only=True)
class FileWriteImpl:
    """`mode` are permission bits (0o644), `mkdir` makes missing parents."""

    path: Template
    content: Template
    mode: int | None = None
    mkdir: bool = False


@attrs.frozen(kw_only=True)
class BuiltinImpl:
    """Another name for a built-in tool, or for a Python tool given to the application."""

    function: str


Implementation = HttpImpl | ExecImpl | FileReadImpl | FileWriteImpl | BuiltinImpl


@attrs.frozen(kw_only=True)
class ToolDefinition:
    """A tool of the document. `effects` is a subset of read, write, network, exec.

    `values` are the names its templates use that are no parameters: they come from `settings.values`, the
    settings store or `VEGA_VALUE_X`. `disabled` says why it cannot be called (an environment variable is
    missing), or is empty.
    """

    name: str
    implementation: Implementation
    place: Place
    description: str = ""
    params: tuple[Param, ...] = ()
    timeout_s: float = TOOL_TIMEOUT_S
    idempotent: bool = False
    effects: frozenset[str] = frozenset()
    approval: ApprovalMode = "auto"
    values: frozenset[str] = frozenset()
    disabled: str = ""
