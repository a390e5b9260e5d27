"""Reads steps: which key is the action, what the others are, and the steps within."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import attrs

from vega_trio.dsl.definitions import Named
from vega_trio.dsl.fields import Fields
from vega_trio.dsl.read_actions import ACTION_READERS, Inside, describe_step, for_action, inner_save
from vega_trio.dsl.read_options import read_options, read_save
from vega_trio.dsl.reading import Reading, shape
from vega_trio.dsl.template import Template, compile_template
from vega_trio.dsl.words import ACTIONS, ASK_OPTIONS, COMPANIONS, OPTIONS, STEP_WORDS
from vega_trio.dsl.workflow import Action, AskAction, ParallelAgentAction, SetAction, Step, StepOptions
from vega_trio.dsl.yaml_nodes import YamlList, YamlMap, YamlNode, YamlScalar
from vega_trio.suggest import closest, remedy

MAX_STEPS = 10_000
_FOR_KEY = re.compile(r"for\s+")


@attrs.frozen
class _Chosen:
    """The key that is a step's action: an agent's, a word, or `for item in EXPR`."""

    word: str
    key: YamlScalar
    value: YamlNode
    agent: str = ""


@attrs.define
class StepReader:
    """Reads the steps of one workflow. `named` are the agents declared, `askable` those that can be asked."""

    reading: Reading
    named: Mapping[str, Named]
    askable: Collection[str]
    workflows: Collection[str]
    variables: Collection[str]
    longest_first: tuple[str, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.longest_first = tuple(sorted(self.named, key=len, reverse=True))

    def steps(self, node: YamlNode | None, path: str, parallel: bool = False) -> tuple[Step, ...]:
        """A list of steps, or a single one. Reports what is wrong with them."""
        if node is None or (isinstance(node, YamlScalar) and node.value is None):
            return ()
        if isinstance(node, YamlMap):
            found = self._step(node, path, parallel)
            return () if found is None else (found,)
        if not isinstance(node, YamlList):
            self.reading.error("V005", node, f"a list of steps is needed here, not {shape(node)}", path=path)
            return ()
        steps = (self._step(item, f"{path}[{i}]", parallel) for i, item in enumerate(node.items))
        return tuple(step for step in steps if step is not None)

    def _step(self, node: YamlNode, path: str, parallel: bool) -> Step | None:
        self.reading.steps_read += 1
        if self.reading.steps_read == MAX_STEPS + 1:
            self.reading.error("V006", node, f"a document with more than {MAX_STEPS:,} steps", path=path)
        if not isinstance(node, YamlMap):
            message = f"a step must be a mapping with one action, not {shape(node)}"
            self.reading.error("V032", node, message, self._step_hint(node), path)
            return None
        inside = Inside(
            reading=self.reading,
            nested=self.steps,
            agents=self.askable,
            workflows=self.workflows,
            variables=self.variables,
            parallel=parallel,
        )
        fields = Fields(self.reading, node, path)
        chosen = self._choose(fields)
        if chosen is None:
            return None
        return self._agent_step(inside, fields, chosen) if chosen.agent else self._word_step(inside, fields, chosen)

    def _step_hint(self, node: YamlNode) -> str:
        """For a text that begins with an agent's name or a word: the colon that it lacks."""
        text = node.text if isinstance(node, YamlScalar) else ""
        if not text.strip("- "):
            return "remove the line, or write for example: - Agent: what it is to do"
        name = next((each for each in (*self.longest_first, *sorted(ACTIONS)) if text.startswith(each)), "")
        behind = text[len(name) :]
        if name and behind[:1] == ":":
            return f"put a space behind the colon: - {name}: ..."
        if name and not behind[:1].isalnum():
            return f"put a colon and a space behind the name: - {name}: ..."
        return "write for example: - Agent: what it is to do"

    # -- which key is the action

    def _choose(self, fields: Fields) -> _Chosen | None:
        found: list[_Chosen] = []
        strangers: list[tuple[YamlScalar, YamlNode]] = []
        for text, (key, value) in fields.entries.items():
            if text in ACTIONS:
                found.append(_Chosen(text, key, value))
            elif _FOR_KEY.match(text):
                found.append(_Chosen("for ", key, value))
            elif text not in STEP_WORDS:
                agent = self._agent(text)
                if agent:
                    found.append(_Chosen("ask", key, value, agent))
                else:
                    strangers.append((key, value))
        if len(found) > 1:
            found = [each for each in found if each.word != "if"] if "then" not in fields.entries else found
        self._report_strangers(fields, strangers, alone=not found)
        if len(found) > 1:
            fields.known.update(each.key.text for each in found)
            names = " and ".join(f"'{each.key.text}'" for each in found)
            hint = "make each a step of its own, with '- ' before it"
            self.reading.error("V032", found[1].key, f"a step has one action; this one has {names}", hint, fields.path)
        elif not found and not strangers:
            hint = "write for example: - Agent: what it is to do"
            self.reading.error("V032", fields.node, "a step needs an action: an agent or a word", hint, fields.path)
        return found[0] if found else None

    def _agent(self, key: str) -> str:
        """The longest agent name that the key is, or begins with as a word."""
        return next((name for name in self.longest_first if key == name or key.startswith(name + " ")), "")

    def _report_strangers(self, fields: Fields, strangers: list[tuple[YamlScalar, YamlNode]], *, alone: bool) -> None:
        for i, (key, value) in enumerate(strangers):
            fields.known.add(key.text)
            word = closest(key.text, STEP_WORDS)
            near = self._near_agent(key.text)
            if word is None and (near or (alone and i == 0)):
                self._unknown_agent(fields, key, near)
            else:
                hint = f"did you mean '{word}'?" if word else remedy(key.text, OPTIONS, "the options are")
                self.reading.error("V004", key, f"unknown key '{key.text}'", hint, fields.at(key.text))
            if alone and word is None and isinstance(value, YamlMap | YamlList):
                self._look_inside(value, fields.at(key.text))

    def _look_inside(self, value: YamlNode, path: str) -> None:
        """An agent's name is wrong; what it was to be told may be wrong too."""
        send = value.get("send") if isinstance(value, YamlMap) else None
        if send is not None:
            self.reading.template(send, f"{path}.send")

    def _near_agent(self, key: str) -> str:
        words = key.split(" ")
        for name in self.longest_first:
            if closest(" ".join(words[: name.count(" ") + 1]), [name]):
                return name
        return ""

    def _unknown_agent(self, fields: Fields, key: YamlScalar, near: str) -> None:
        hint = f"did you mean '{near}' (line {self.named[near].name_node.span.line})?" if near else ""
        hint = hint or remedy(key.text, self.askable, "the agents are")
        self.reading.error("V012", key, f"unknown agent '{key.text}'", hint, fields.at(key.text))

    # -- an agent's step

    def _agent_step(self, inside: Inside, fields: Fields, chosen: _Chosen) -> Step:
        key = chosen.key.text
        fields.known.add(key)
        if chosen.agent not in self.askable:
            message = f"the agent '{chosen.agent}' has no 'system' and can only be extended"
            self.reading.error("V012", chosen.key, message, path=fields.at(key))
        if isinstance(chosen.value, YamlMap):
            own = Fields(self.reading, chosen.value, fields.at(key))
            message_node = own.take("send")
            options = self._only_once(inside, fields, own)
            step_id = self._id(own if "id" in own.entries else fields)
            own.finish()
        else:
            message_node = chosen.value if shape(chosen.value) != "nothing" else fields.take("send")
            options, step_id = read_options(inside, fields), self._id(fields)
        template = self._message(chosen, message_node, fields.at(key))
        options = self._guarded(inside, fields, options)
        self._misplaced(fields, "", asks=True)
        fields.finish()
        return self._made("ask", key, AskAction(chosen.agent, template), options, step_id, chosen.key, fields.path)

    def _message(self, chosen: _Chosen, node: YamlNode | None, path: str) -> Template:
        if node is None:
            hint = f"write: {chosen.agent}: what it is to do"
            self.reading.error("V032", chosen.key, f"the step of '{chosen.agent}' has no message", hint, path)
            return compile_template("")
        return self.reading.template(node, path)

    def _only_once(self, inside: Inside, fields: Fields, own: Fields) -> StepOptions:
        """The options within the agent's mapping, or else beside its key."""
        beside = [key for key in fields.entries if key in OPTIONS]
        within = [key for key in own.entries if key in OPTIONS]
        if beside and within:
            message = f"options stand either beside '{own.path.rsplit('.', 1)[-1]}' or within it, not both"
            for key in beside:
                fields.known.add(key)
            self.reading.error("V033", fields.entries[beside[0]][0], message, "move it to the others", fields.path)
        return read_options(inside, own if within else fields)

    # -- a word's step

    def _word_step(self, inside: Inside, fields: Fields, chosen: _Chosen) -> Step:
        fields.known.add(chosen.key.text)
        if chosen.word == "for ":
            steps = self.steps(chosen.value, fields.at(chosen.key.text), inside.parallel)
            found = _FOR_KEY.match(chosen.key.text)
            offset = found.end() if found else 0
            action: Action = for_action(inside, chosen.key, offset, fields.at(chosen.key.text), steps, bool(steps))
        elif shape(chosen.value) == "nothing" and chosen.word != "return":
            self.reading.error("V032", chosen.key, f"'{chosen.word}' has no value", path=fields.at(chosen.word))
            return self._made("set", chosen.word, SetAction({}), StepOptions(), "", chosen.key, fields.path)
        else:
            action = ACTION_READERS[chosen.word](inside, fields, chosen.value)
        options = read_options(inside, fields)
        options = self._inner_save(inside, fields, chosen, options)
        if chosen.word != "if":
            options = self._guarded(inside, fields, options)
        word = chosen.word.strip()
        self._misplaced(fields, word, asks=isinstance(action, ParallelAgentAction))
        step_id = self._id(fields)
        fields.finish()
        title = chosen.key.text if chosen.word == "for " else describe_step(word, chosen.value)
        return self._made(word, title, action, options, step_id, chosen.key, fields.path)

    def _inner_save(self, inside: Inside, fields: Fields, chosen: _Chosen, options: StepOptions) -> StepOptions:
        node = inner_save(chosen.value) if chosen.word in ("parallel", "recall") else None
        if node is None:
            return options
        if options.save is not None:
            fields.wrong("V033", "save", "'save' stands twice")
        path = f"{fields.at(chosen.word)}.save"
        return attrs.evolve(options, save=read_save(inside, node, path))

    # -- options of both

    def _guarded(self, inside: Inside, fields: Fields, options: StepOptions) -> StepOptions:
        node = fields.take("if")
        if node is None:
            return options
        return attrs.evolve(options, guard=self.reading.condition(node, fields.at("if")))

    def _id(self, fields: Fields) -> str:
        found = fields.text("id")
        if found and not re.fullmatch(r"[^\W\d]\w*", found):
            message = f"the id '{found[:40]}' must be letters, digits and _, not beginning with a digit"
            fields.wrong("V037", "id", message)
        return found

    def _misplaced(self, fields: Fields, word: str, *, asks: bool) -> None:
        for key, (node, _) in fields.entries.items():
            belongs = COMPANIONS.get(key)
            if belongs and belongs != word and key not in fields.known:
                fields.known.add(key)
                self.reading.error("V033", node, f"'{key}' belongs to '{belongs}'", path=fields.at(key))
            elif not asks and key in ASK_OPTIONS:
                message = f"'{key}' is for steps that ask an agent"
                self.reading.error("V033", node, message, "put it on the steps within", fields.at(key))

    def _made(
        self, kind: str, title: str, action: Action, options: StepOptions, step_id: str, key: YamlScalar, path: str
    ) -> Step:
        saved = options.save.text if options.save is not None and "{{" not in options.save.text else ""
        made = Step(
            kind=kind,
            title=title,
            id=step_id or saved or re.sub(r"\W+", "_", title.lower()).strip("_"),
            action=action,
            place=key.span.place,
            named=bool(step_id),
            options=options,
        )
        self.reading.keep_origin(made, key, path)
        return made
