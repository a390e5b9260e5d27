// Runs AG-UI's own client: `node agui_client.mjs FOLDER URL CASES`. A case is {agent, messages, decision}; prints what the
// client has after each: its messages, the CUSTOM events, and the error of the run, if it had one.
import { createRequire } from "node:module"

const [folder, url, cases] = process.argv.slice(2)
const { HttpAgent } = createRequire(`${folder}/`)("@ag-ui/client")

const answered = async (approvalId, decision) => {
  const headers = { "content-type": "application/json" }
  await fetch(`${url}/api/approvals/${approvalId}`, { method: "POST", headers, body: JSON.stringify({ decision }) })
}

const runs = []
for (const [number, one] of JSON.parse(cases).entries()) {
  const agent = new HttpAgent({ url: `${url}/api/agents/${one.agent}/ag-ui`, threadId: `client-${number}` })
  const custom = []
  let error = null
  const subscriber = {
    onCustomEvent: async ({ event }) => {
      custom.push(event)
      if (event.name === "vega.approval_required") await answered(event.value.approval_id, one.decision)
    },
    onRunErrorEvent: ({ event }) => { error = event.code },
  }
  for (const [index, content] of one.messages.entries()) {
    agent.addMessage({ id: `u${index}`, role: "user", content })
    try {
      await agent.runAgent({ tools: [], context: [] }, subscriber)
    } catch (problem) {
      error = error ?? String(problem)
    }
  }
  runs.push({ messages: agent.messages, custom, error })
}
console.log(JSON.stringify(runs))
