import { execFileSync } from "node:child_process";

import { describe, expect, it } from "vitest";

import { calls, curlCommand, quoted, vegaCommand } from "./calls";

const HOME = { origin: "http://localhost:3001", token: false };
const AWAY = { origin: "https://vega.example", token: true };

/** What a shell makes of a line. */
function read(line: string): string[] {
  const out = execFileSync("/bin/sh", ["-c", `for word in ${line}; do printf '%s\\0' "$word"; done`]);
  return out.toString().split("\0").slice(0, -1);
}

describe("quoted", () => {
  it.each(["plain", "two words", "it's", '$HOME `id` "x" \\', "a\nb", "", "!#*?[~", "héé"])(
    "a shell reads %j back",
    (word) => {
      expect(read(quoted(word))).toEqual([word]);
    },
  );
});

describe("commands", () => {
  it("say what a button does, as vega and as curl", () => {
    const kill = calls.killProcess("8c1f");
    expect(vegaCommand(kill, HOME)).toBe("vega kill 8c1f --yes");
    expect(curlCommand(kill, HOME)).toBe("curl -X DELETE http://localhost:3001/api/processes/8c1f");
  });

  it("name another server, and its token without telling it", () => {
    const deny = calls.decide("a1", "deny", "it's too early");
    expect(read(vegaCommand(deny, AWAY) ?? "")).toEqual([
      ...["vega", "deny", "a1", "--note", "it's too early", "--url", AWAY.origin],
    ]);
    const curl = curlCommand(deny, AWAY);
    expect(curl).toContain('-H "Authorization: Bearer $VEGA_TOKEN"');
    expect(read(curl).at(-1)).toBe('{"decision":"deny","note":"it\'s too early"}');
  });

  it("name the conversation that they change", () => {
    const [stop, clear] = [calls.stopTurn("a b", "s 1"), calls.clear("a b", null)];
    expect(stop.body).toEqual({ session: "s 1" });
    expect(read(curlCommand(stop, HOME))[1]).toBe(`${HOME.origin}/api/agents/a%20b/chat/stop?session=s+1`);
    expect(curlCommand(clear, HOME)).toBe("curl -X DELETE http://localhost:3001/api/agents/a%20b/chat");
    expect(calls.branch("s").body).toEqual({});
    expect(calls.branch("s", "t").body).toEqual({ message_id: "t" });
  });

  it("write a workflow's inputs as the command line takes them", () => {
    const run = calls.startRun("review", { task: "a $x", rounds: 2, list: [1] });
    expect(read(vegaCommand(run, AWAY) ?? "")).toEqual([
      ...[
        "vega",
        "run",
        "--workflow",
        "review",
        "--set",
        "task=a $x",
        "--set",
        "rounds=2",
        "--set",
        "list=[1]",
      ],
    ]);
  });

  it("are none of vega's where it has none", () => {
    expect(vegaCommand(calls.removeMcpServer("fs"), HOME)).toBeNull();
  });
});
