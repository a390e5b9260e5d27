"""Typed output: what the model is told of it, and what becomes of its text."""

from __future__ import annotations

from typing import Any

import attrs

from vega_trio._core.codec import encode_json
from vega_trio.dsl.replies import parse_reply
from vega_trio.errors import ModelError
from vega_trio.messages import Message
from vega_trio.protocols import ModelRequest, OutputSpec
from vega_trio.session import ErrorClass


def read_output(output: OutputSpec, text: str) -> Any:
    """The value in a reply: all of the text, else its first fenced block, else its first object.

    Raises: ModelError of class format_error, saying what is wrong with it.
    """
    value, problem = parse_reply(text, "json", output.schema)
    if problem:
        raise _misfit(problem)
    try:
        return output.structure(value)
    except ValueError as error:
        raise _misfit(str(error)) from error


def _misfit(problem: str) -> ModelError:
    return ModelError(f"the reply is not of the agent's output type: {problem}", ErrorClass.FORMAT_ERROR)


def asking_for(output: OutputSpec, system: str) -> str:
    """The system prompt with what a reply must be."""
    schema = encode_json(output.schema).decode("utf-8")
    told = f"Your final answer must be JSON only, without any other text, and must fit this JSON Schema:\n{schema}"
    return f"{system}\n\n{told}" if system.strip() else told


def correcting(request: ModelRequest, said: str, problem: ModelError) -> ModelRequest:
    """The request that asks once more; neither it nor the wrong reply becomes part of the history."""
    told = f"That cannot be used: {problem}\n\nAnswer again with the corrected JSON only, without any other text."
    wrong = (Message("assistant", said),) if said.strip() else ()
    return attrs.evolve(request, messages=(*request.messages, *wrong, Message("user", told)))
