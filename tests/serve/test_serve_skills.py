"""Skills and tools as they are listed over a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

import vega_trio as vega

pytestmark = pytest.mark.e2e


@vega.tool(approval="always", effects=["write"])
async def publish(text: str) -> str:
    """Publishes a text."""
    return text


async def test_skills_and_tools_are_listed_with_their_origin_and_who_has_them(serving: Any, tmp_path: Path) -> None:
    folder = tmp_path / ".vega" / "skills"
    folder.mkdir(parents=True)
    (folder / "tidy.skill.md").write_text("---\nname: tidy\ndescription: Tidies.\ntags: [a]\n---\nTidy up.\n")
    with trio.fail_after(30):
        async with serving([], tools=[publish]) as served:
            skills = (await served.http.get("/api/skills")).json()
            tools = {each["name"]: each for each in (await served.http.get("/api/tools")).json()}
            agent = (await served.http.get("/api/agents/reviewer")).json()
    assert skills == [
        {
            "name": "tidy",
            "description": "Tidies.",
            "origin": str(folder / "tidy.skill.md"),
            "agents": ["assistant", "reviewer"],
            "tags": ["a"],
            "trusted": True,
        }
    ]
    assert tools["publish"] == {
        "name": "publish",
        "description": "Publishes a text.",
        "origin": "python",
        "agents": ["assistant"],
        "effects": ["write"],
        "approval": "always",
    }
    assert (tools["read_file"]["origin"], tools["read_file"]["agents"]) == ("builtin", [])
    assert agent["tools"] == [{"name": "load_skill", "origin": "builtin"}]
