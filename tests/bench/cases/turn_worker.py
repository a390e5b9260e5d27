"""One contender, waiting for orders: `python turn_worker.py NAME`.

A line on standard input is a JSON list [model, turns, at once]; the answer is a line {"cpu_s", "wall_s"}, or {"error"}.
The first line it writes is [CPU seconds to import the library]. It ends with its input.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

from stopwatch import Cost


def main(name: str) -> None:
    orders, answers = sys.stdin, os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    began = time.process_time()
    module = importlib.import_module(f"turn_{name}")
    print(json.dumps([time.process_time() - began]), file=answers, flush=True)
    for line in orders:
        model, turns, at_once = json.loads(line)
        try:
            answer = run(module, model, turns, at_once)._asdict()
        except Exception as error:  # a contender that fails is a cell of the table, not the end of the run
            traceback.print_exc()
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def run(module: Any, model: str, turns: int, at_once: int) -> Cost:
    """Those on Trio run by themselves; of the others each gives a function that is a turn."""
    if hasattr(module, "run"):
        cost: Cost = module.run(model, turns, at_once)
        return cost
    from on_asyncio import add, run_turns

    return run_turns(module.turn_of(model, [add] if model.startswith("tools") else []), turns, at_once)


if __name__ == "__main__":
    main(sys.argv[1])
