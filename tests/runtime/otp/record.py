"""Plays the scenarios on Erlang and writes golden.json. Needs `erlc` and `erl` (Debian: erlang-base).

    python tests/runtime/otp/record.py
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from scenarios import SCENARIOS, Scenario

HERE = Path(__file__).parent


def term(value: Any) -> str:
    """A Python value as an Erlang term; text that looks like a name is an atom."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str() if re.fullmatch(r"[a-z_]+", value):
            return value
        case str():
            return json.dumps(value)
        case tuple():
            return "{" + ", ".join(map(term, value)) + "}"
        case list():
            return "[" + ", ".join(map(term, value)) + "]"
    raise TypeError(f"no Erlang term for {value!r}")


def scenario_term(each: Scenario) -> str:
    steps = [("together", list(step[1:])) if step[0] == "together" else step for step in each.steps]
    fields = (json.dumps(each.name), each.strategy, each.intensity, each.auto_shutdown)
    return f"{{{', '.join(map(str, fields))}, {term(each.specs)}, {term(list(each.failing))}, {term(steps)}}}."


def from_term(text: str) -> Any:
    """The few Erlang terms that come back: atoms and text become text, tuples lists."""
    text = re.sub(r"\{", "[", re.sub(r"\}", "]", text.rstrip().rstrip(".")))
    text = re.sub(r"\b([a-z][a-z0-9_]*)\b(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", r'"\1"', text)
    return json.loads(text)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("oracle.erl", "oracle_sup.erl"):
            shutil.copy(HERE / name, folder)
        Path(folder, "scenarios.terms").write_text("\n".join(map(scenario_term, SCENARIOS)) + "\n")
        subprocess.run(["erlc", "oracle.erl", "oracle_sup.erl"], cwd=folder, check=True)
        command = ["erl", "-noshell", "-pa", ".", "-s", "oracle", "main"]
        played = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        release = ["erl", "-noshell", "-eval", 'io:put_chars(erlang:system_info(otp_release)), halt().']
        otp = subprocess.run(release, check=True, capture_output=True, text=True).stdout
    scenarios, signals = {}, []
    for line in played.splitlines():
        kind, *rest = from_term(line)
        if kind == "signal":
            signals.append(rest)
        else:
            trace, results, children, alive = rest
            scenarios[kind] = {"trace": trace, "results": results, "children": children, "alive": alive == "true"}
    golden = {"otp_release": otp, "scenarios": scenarios, "signals": signals}
    Path(HERE, "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
