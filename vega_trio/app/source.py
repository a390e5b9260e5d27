"""What an application is to run: its document, and the model that serves where none is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from vega_trio.app.disk import Disk, directory_of
from vega_trio.app.failpoints import failpoint_of
from vega_trio.app.models import with_key
from vega_trio.diagnostics import Diagnostic
from vega_trio.dsl.builtin import BUILTIN_NAME, BUILTIN_TEXT
from vega_trio.dsl.document import Document, Settings
from vega_trio.dsl.parse import parse_document, parse_text
from vega_trio.dsl.words import BUILTIN_TOOLS
from vega_trio.errors import DocumentError
from vega_trio.llm.names import DEFAULT_MODEL, providers
from vega_trio.llm.pull import installed
from vega_trio.mcp.registry import REGISTRY
from vega_trio.protocols import Model, Tool
from vega_trio.tools.demo import PUBLISH
from vega_trio.tools.plugins import load_plugins
from vega_trio.tools.threads import Threads
from vega_trio.tools.toolbox import as_tool


@attrs.frozen(kw_only=True)
class Order:
    """What an application is made of, read and checked before anything is opened for it.

    `model` overrides every agent's, `default_model` serves those without one. `note` is a line for people, or empty.
    `tools` are those of plugins and of the program. `memory_model` overrides whose work it is to write what agents
    remember.
    """

    document: Document
    warnings: tuple[Diagnostic, ...]
    model: str | Model | None
    default_model: str | Model
    note: str
    tools: tuple[Tool, ...]
    threads: Threads
    env: Mapping[str, str] = attrs.field(repr=False)
    home: Path
    failpoint: Callable[[str], None]
    memory_model: str | Model | None = None

    @property
    def settings(self) -> Settings:
        return self.document.settings

    @property
    def keyed(self) -> Mapping[str, str]:
        """The environment with the key that the document sets."""
        return with_key(self.env, self.settings)

    @property
    def base(self) -> Path:
        """What the document's paths are relative to."""
        return directory_of(self.document.file)


def order_of(
    source: str | Path | Document | None,
    model: str | Model | None,
    tools: Iterable[Any],
    env: Mapping[str, str],
    home: Path | None,
) -> Order:
    """Raises: DocumentError, ConfigError."""
    home = home_of(env) if home is None else home
    note = ""
    if source is None and model is None:
        model, note = _model_without_key(env, home)
    threads = Threads()
    given = (*load_plugins(threads, BUILTIN_TOOLS), *(as_tool(each, threads=threads) for each in tools))
    document, warnings = _document(source, model, given, env, home)
    named = env.get("VEGA_MODEL") or document.settings.default_model or DEFAULT_MODEL
    return Order(
        document=document,
        warnings=warnings,
        model=model,
        default_model=model if model is not None else named,
        note=note,
        tools=given,
        threads=threads,
        env=env,
        home=home,
        failpoint=failpoint_of(env),
    )


def home_of(env: Mapping[str, str]) -> Path:
    """Where vega keeps what belongs to its user."""
    return Path(env["VEGA_HOME"]) if env.get("VEGA_HOME") else Path.home() / ".vega"


def _model_without_key(env: Mapping[str, str], home: Path) -> tuple[str | None, str]:
    """The built-in document's model when none was chosen and no key is set, and the line that says so."""
    if env.get("VEGA_MODEL") or env.get("ANTHROPIC_API_KEY"):
        return None, ""
    if installed(home) and find_spec("xllamacpp") and find_spec("httpx"):
        return "local", "no ANTHROPIC_API_KEY is set: answering with the local model; set the key or use --model"
    return "demo", "no ANTHROPIC_API_KEY is set: answering with the scripted demo model; set the key or use --model"


def reread(order: Order, text: bytes | None) -> tuple[Document, tuple[Diagnostic, ...]]:
    """The document of an order with another text in its file, or as its files are now, and its warnings.

    Raises: DocumentError.
    """
    if text is None:
        return _document(order.document.file, order.model, order.tools, order.env, order.home)
    parsed = parse_text(
        text,
        order.document.file,
        Disk(),
        env=_complete(order.env, order.model),
        tools=[tool.spec.name for tool in order.tools],
        providers=providers(),
        registry=REGISTRY,
    )
    if parsed.missing_env:
        raise DocumentError(parsed.missing_env)
    return parsed.document, parsed.warnings


def _complete(env: Mapping[str, str], model: str | Model | None) -> Mapping[str, str]:
    """With a model for all, an agent without one of its own is complete."""
    return env if model is None else {**env, "VEGA_MODEL": model if isinstance(model, str) else model.name}


def _document(
    source: str | Path | Document | None,
    model: str | Model | None,
    tools: Iterable[Tool],
    env: Mapping[str, str],
    home: Path,
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """The document that a source stands for, the built-in one for None, with its warnings. Raises: DocumentError."""
    if isinstance(source, Document):
        return source, ()
    env = _complete(env, model)
    if source is not None:
        parsed = parse_document(
            str(source),
            Disk(),
            env=env,
            tools=[tool.spec.name for tool in tools],
            providers=providers(),
            registry=REGISTRY,
        )
        if parsed.missing_env:
            raise DocumentError(parsed.missing_env)
        return parsed.document, parsed.warnings
    parsed = parse_text(BUILTIN_TEXT, BUILTIN_NAME, Disk(), env={"VEGA_MODEL": DEFAULT_MODEL, **env})
    settings = attrs.evolve(parsed.document.settings, sandbox=str(home / "workspace"))
    document = attrs.evolve(parsed.document, settings=settings)
    if env.get("VEGA_MODEL") == "demo":
        shown = {name: attrs.evolve(each, tools=(*each.tools, PUBLISH)) for name, each in document.agents.items()}
        document = attrs.evolve(document, agents=shown)
    return document, parsed.warnings
