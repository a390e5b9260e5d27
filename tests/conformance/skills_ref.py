"""Holds our reading of SKILL.md folders to the reference library of the open format, `skills-ref`: `make conform`.

What the reference takes, we take, with the same name and description; the folders of our examples are valid for it.
It runs in an environment of its own, made on first use.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from vega_trio.skills.parse import BadSkill, parse_skill

ROOT = Path(__file__).parents[2]
PINNED = "skills-ref==0.1.1"
LEAST = 12  # cases, so that a suite which runs nothing does not pass

CASES = {
    "plain": "name: plain\ndescription: Does a thing.",
    "with-all": "name: with-all\ndescription: d\nlicense: MIT\nmetadata:\n  author: me\nallowed-tools: Bash Read",
    "compat": "name: compat\ndescription: d\ncompatibility: needs git",
    "long-text": "name: long-text\ndescription: " + "x" * 1024,
    "folded": "name: folded\ndescription: >\n  two\n  lines",
    "quoted": 'name: "quoted"\ndescription: "a: b # c"',
    "unicode": "name: unicode\ndescription: für äöü 漢",
    "upper": "name: Upper\ndescription: d",
    "too-long": "name: too-long\ndescription: " + "x" * 1025,
    "nameless": "description: d",
    "mute": "name: mute",
    "empty": "name: empty\ndescription: ''",
    "other": "name: another\ndescription: d",
    "list": "- a\n- b",
    "broken": "name: [",
}


def environment() -> Path:
    """The reference's own environment."""
    place = Path(tempfile.gettempdir()) / f"vega-{PINNED.replace('==', '-')}"
    program = place / "bin" / "agentskills"
    if not program.exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([place / "bin" / "pip", "install", "-q", PINNED], check=True)
    return program


def reference(program: Path, folder: Path) -> dict[str, str] | None:
    """What the reference reads, None when it refuses."""
    valid = subprocess.run([program, "validate", folder], capture_output=True, check=False)
    if valid.returncode:
        return None
    read = subprocess.run([program, "read-properties", folder], capture_output=True, check=True)
    found: dict[str, str] = json.loads(read.stdout)
    return found


def main() -> int:
    """Returns the number of differences."""
    program, differences, taken = environment(), [], 0
    with tempfile.TemporaryDirectory() as made:
        folders = []
        for name, front in CASES.items():
            folder = Path(made, name)
            folder.mkdir()
            (folder / "SKILL.md").write_text(f"---\n{front}\n---\n\nBody.\n")
            folders.append(folder)
        examples = sorted(path.parent for path in (ROOT / "examples").rglob("SKILL.md"))
        for folder in (*folders, *examples):
            theirs = reference(program, folder)
            try:
                path = folder / "SKILL.md"
                ours = parse_skill(path.read_bytes(), path)
            except BadSkill as error:
                if theirs is not None:
                    differences.append(f"{folder.name}: the reference takes it, we say: {error}")
                continue
            if theirs is None:
                print(f"{folder.name}: the reference refuses it, we take it")
                if folder in examples:
                    differences.append(f"{folder.name}: an example that the reference refuses")
                continue
            taken += 1
            told = " ".join(theirs["description"].split())
            if (ours.name, ours.description) != (theirs["name"], told):
                differences.append(f"{folder.name}: {(ours.name, ours.description)} is not {(theirs['name'], told)}")
    cases = len(CASES) + len(examples)
    print(f"skills-ref: {cases - len(differences)} of {cases} cases read alike, {taken} taken by both")
    for each in differences:
        print(f"  {each}")
    return len(differences) or int(cases < LEAST)


if __name__ == "__main__":
    sys.exit(main())
