"""What schemathesis makes of an API's description, sent to a server: `python api_cases.py URL EXAMPLES SEED SECONDS`.

Runs in schemathesis's own environment. Of each operation come that many examples, half of them right by the
description and half of them wrong; what names something comes once more, about something that is there. Of a stream
only the beginning is read. Prints the tally as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

PATIENCE_S = 20.0
SLOW_S = 1.0
RESTED_S = 2.0


class Tally:
    def __init__(self, url: str, until: float) -> None:
        self.url = url
        self.until = until
        self.session = requests.Session()
        self.session.trust_env = False
        self.statuses: Counter[int] = Counter()
        self.operations: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.failures: list[str] = []
        self.asked_at = 0.0
        self.known = self.made()

    def made(self) -> dict[str, str]:
        """Things that are there, by the path that names them."""
        session = self.post("/api/sessions", {"agent": "assistant"})["id"]
        self.post("/api/agents/assistant/chat", {"message": "x", "session": session})
        run = self.post("/api/workflows/ask/run", {"message": "x"})["run_id"]
        self.post("/api/agents", {"name": "composed"})
        self.post("/api/schedules", {"name": "daily", "cron": "0 8 * * *", "agent": "assistant", "message": "x"})
        return {
            "/api/agents/": "assistant",
            "/api/processes/": session,
            "/api/runs/": run,
            "/api/schedules/": "daily",
            "/api/sessions/": session,
            "/api/workflows/": "ask",
        }

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.session.post(self.url + path, json=body, timeout=PATIENCE_S).json()

    @property
    def late(self) -> bool:
        return time.monotonic() > self.until

    def send(self, label: str, case: Any) -> None:
        if self.late:
            return
        self.send_one(label, case)
        path = label.partition(" ")[2]
        found = next((known for begin, known in self.known.items() if path.startswith(begin)), None)
        if found is not None and len(case.path_parameters) == 1:
            spared = label.startswith(("DELETE", "PUT /api/agents"))
            case.path_parameters = dict.fromkeys(case.path_parameters, "composed" if spared else found)
            self.send_one(label, case)

    def send_one(self, label: str, case: Any) -> None:
        sent = case.as_transport_kwargs(base_url=self.url)
        begun = time.monotonic()
        if begun - self.asked_at > RESTED_S:
            self.session.close()  # the server may be closing the connection just now
        self.asked_at = begun
        try:
            with self.session.request(**sent, stream=True, timeout=PATIENCE_S, allow_redirects=False) as answer:
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    next(answer.iter_content(None), b"")
                else:
                    self.check(label, case, answer)
                self.statuses[answer.status_code] += 1
        except requests.RequestException as error:
            self.fail(label, case, f"{type(error).__name__}: {error}")
        self.operations[label] += 1
        self.seconds[label] += time.monotonic() - begun

    def check(self, label: str, case: Any, answer: requests.Response) -> None:
        body = answer.content
        if answer.status_code >= 500 and answer.status_code not in (502, 503):
            self.fail(label, case, f"{answer.status_code} {body[:500]!r}")
        elif answer.status_code >= 400 and answer.headers["content-type"] != "application/problem+json":
            self.fail(label, case, f"{answer.status_code} is no problem: {body[:200]!r}")

    def fail(self, label: str, case: Any, what: str) -> None:
        if len(self.failures) < 50:
            self.failures.append(f"{label}: {what}\n    {case.as_curl_command()}")


def run(tally: Tally, label: str, strategy: Any, examples: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def send(case: Any) -> None:
        tally.send(label, case)

    send()


def main(url: str, examples: int, number: int, seconds: float) -> int:
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    tally = Tally(url, time.monotonic() + seconds)
    operations = [found.ok() for found in schema.get_all_operations()]
    random.Random(number).shuffle(operations)  # so that a round that comes to its end early leaves out others each time
    for operation in operations:
        if tally.late:
            break
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode)
            try:
                run(tally, operation.label, strategy, max(1, examples // 2), number)
            except Unsatisfiable:  # what takes no parameters cannot be asked wrongly
                continue
    slow = {label: round(each, 1) for label, each in tally.seconds.most_common(8) if each > SLOW_S}
    cases = sum(tally.operations.values())
    told = {
        "cases": cases,
        "operations": len(tally.operations),
        "statuses": dict(sorted(tally.statuses.items())),
        "seconds": slow,
        "failures": tally.failures,
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
