"""What a supervisor does is what the supervisor of Erlang/OTP was recorded doing (record.escript, otp.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from otp_trace import Replay

from vega_trio.testing import Simulation, simulate

RECORDED = json.loads((Path(__file__).parent / "otp.json").read_text())


@pytest.mark.parametrize("scenario", RECORDED["scenarios"], ids=lambda scenario: scenario["name"])
def test_what_happens_is_what_happens_in_erlang(scenario: dict[str, Any]) -> None:
    async def replay(sim: Simulation) -> None:
        ours = Replay(sim, scenario["spec"])
        async with ours.monitors:
            for step in scenario["steps"]:
                result, events = await ours.step(step["do"])
                expected = step["result"]
                if step["do"] == ["count"] and scenario["spec"]["strategy"] == "simple_one_for_one":
                    # Erlang's dynamic children share one spec and have no ids; ours have a spec each.
                    result, expected = result["active"], expected["active"]
                assert result == expected, f"the result of {step['do']}"
                assert events == step["events"], f"what followed from {step['do']}"

    for seed in range(3):  # whatever the order of tasks
        simulate(replay, seed=seed)


def test_the_record_holds_the_classic_scenarios() -> None:
    text = " ".join(scenario["name"] for scenario in RECORDED["scenarios"])
    for word in ("one_for_all", "rest_for_one", "intensity", "transient", "temporary", "significant", "nested", "calls",
                 "shutdown time", "brutal_kill", "a restart that fails", "declines", "dynamic"):  # fmt: skip
        assert word in text
    assert len(RECORDED["scenarios"]) >= 70
