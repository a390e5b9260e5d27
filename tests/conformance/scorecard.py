"""Runs the outside suites and our cancellation audit, and prints one scorecard: `make conform`.

    python tests/conformance/scorecard.py [--update] [SUITE ...]

Fails when a suite says that something is not as it should be, when it passes less than `baseline.json` has of it, or
when there is less of it than there was. `--update` writes the baseline. The card goes to `build/conform/` as well.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import attrs

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BASELINE = HERE / "baseline.json"
OUT = ROOT / "build" / "conform"
AUDIT = ("tests/runtime/test_runtime_cancel.py", "tests/simulation/test_simulation_cancel.py",
         "tests/security/test_security_cancels.py")  # fmt: skip


@attrs.frozen
class Suite:
    """A program, and how its last words tell its scores: by title, an expression for (passed, of).

    Where the first is empty all have passed, if the program was content, and else it is not known how many: none.
    `peers` is an expression for (name, passed, of), where it tries other libraries too.
    """

    name: str
    version: str
    command: tuple[str, ...]
    scores: dict[str, str]
    note: str = ""
    peers: str = ""
    longest_s: float = 1800.0


@attrs.frozen
class Score:
    title: str
    version: str
    passed: int
    of: int
    peers: str
    note: str

    def worse_than(self, baseline: dict[str, list[int]]) -> bool:
        passed, of = baseline.get(self.title, [0, 0])
        return self.passed < passed or self.of < of


SUITES = (
    Suite("mcp", "0.1.16", (sys.executable, str(HERE / "run.py")),
          {"MCP conformance, our server": r"^server: (\d+) of (\d+)",
           "MCP conformance, our client": r"client: (\d+) of (\d+)"},
          "not offered: resources, prompts, sampling by the server; two kinds of OAuth"),
    Suite("agui", "1.0", (sys.executable, str(HERE / "agui.py")),
          {"AG-UI streams": r"^ag-ui: (\d+) of (\d+)",
           "AG-UI bad streams found": r"^validator: (\d+) of (\d+)",
           "AG-UI's own client": r"^client: (\d+) of (\d+)"},
          "ag-ui-validate 0.4.0 and @ag-ui/client 1.0.0, against a real server"),
    Suite("skills", "0.1.1", (sys.executable, str(HERE / "skills_ref.py")),
          {"skills-ref": r"skills-ref: (\d+) of (\d+)"}, "read as the reference does"),
    Suite("resume", "0.1.0", (sys.executable, str(HERE / "resume.py")),
          {"crashresume": r"crashresume: (\d+) of (\d+)"}, "killed after each effect: no state lost, none repeated"),
    Suite("compaction", "0.8.0", (sys.executable, str(HERE / "compaction.py")),
          {"compaction-conformance-kit": r"compaction: (\d+) of (\d+)"}, "canaries after five rounds"),
    Suite("bfcl", "2026.3.23", (sys.executable, str(HERE / "bfcl.py")),
          {"BFCL functions and calls": r"bfcl: ()(\d+) cases"}, "converted, parsed from both wire formats, replayed"),
    Suite("fakellm", "0.3.5", (sys.executable, str(HERE / "second_fake.py")),
          {"fakellm and our fake": r"^fakellm: (\d+) of (\d+)"}, "conversations in both wire formats end alike"),
    Suite("cancels", "ours", (sys.executable, str(HERE / "cancels.py")),
          {"cancelled turns": r"ours (\d+) of (\d+) clean"}, "no effect and no task after a cancel, which is seen",
          r"^cancels: (?!ours)(\w+) (\d+) of (\d+)"),
    Suite("audit", "ours", (sys.executable, "-m", "pytest", "-q", *AUDIT),
          {"cancellation audit": r"()(\d+) passed"}, "kernel, simulations and tools: cancelled at every step"),
)  # fmt: skip
NOT_CLAIMED = {
    "A2A (a2a-lint 0.1.1)": "no agent cards are served",
}


def run(suite: Suite) -> tuple[list[Score], bool]:
    """Its scores, and whether it was content."""
    began = time.monotonic()
    sys.stdout.write(f"== {suite.name}: {Path(suite.command[-1]).name}\n")
    sys.stdout.flush()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    env = {**os.environ, "PYTHONPATH": path}
    try:
        done = subprocess.run(
            suite.command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, timeout=suite.longest_s
        )
        told, content = done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired as error:
        told, content = (error.stdout or b"").decode(errors="replace"), False
        sys.stdout.write(f"   stopped: it took longer than {suite.longest_s:.0f} s\n")
    sys.stdout.write("".join(f"   {line}\n" for line in told.splitlines()[-40:]))
    sys.stdout.write(f"   {time.monotonic() - began:.0f} s\n")
    peers = "no adapter"
    if suite.peers:
        others = re.findall(suite.peers, told, re.MULTILINE)
        peers = ", ".join(f"{name} {passed} of {of}" for name, passed, of in others) or "none installed"
    scores = []
    for title, pattern in suite.scores.items():
        found = re.search(pattern, told.replace(",", ""), re.MULTILINE)
        of = int(found[2]) if found else 0
        passed = int(found[1]) if found and found[1] else of if content else 0
        scores.append(Score(title, suite.version, passed, of, peers, suite.note))
    return scores, content


def card(scores: list[Score]) -> str:
    """The scorecard in markdown. No outside suite brings an adapter for another library; our audit has some."""
    lines = [("suite", "version", "ours", "peers", "what")]
    lines += [(each.title, each.version, f"{each.passed:,} of {each.of:,}", each.peers, each.note) for each in scores]
    lines += [(title, "", "n/a", "n/a", why) for title, why in NOT_CLAIMED.items()]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    lines.insert(1, tuple("-" * width for width in widths))
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in padded)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write the scores of this run into the baseline")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(each.name for each in SUITES)}")
    options = parser.parse_args()
    unknown = set(options.suites) - {each.name for each in SUITES}
    if unknown:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    baseline = json.loads(BASELINE.read_text())
    scores, bad = [], []
    for suite in SUITES:
        if suite.name in options.suites or not options.suites:
            found, content = run(suite)
            scores += found
            bad += [] if content else [f"{suite.name} has failed"]
            bad += [f"{each.title}: {each.passed} of {each.of}, but it was {baseline[each.title]}"
                    for each in found if each.worse_than(baseline)]  # fmt: skip
    text = card(scores)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "scorecard.md").write_text(text)
    sys.stdout.write(f"\n{text}")
    if options.update:
        baseline |= {each.title: [each.passed, each.of] for each in scores}
        BASELINE.write_text(json.dumps(baseline, indent=2) + "\n")
    sys.stdout.write("".join(f"WORSE: {each}\n" for each in bad))
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
