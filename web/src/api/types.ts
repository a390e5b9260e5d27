/** The shapes of the HTTP API that this dashboard reads. */

export interface Agent {
  name: string;
  display_name?: string;
  description?: string;
  model?: string;
  system?: string;
  tools?: string[];
  team?: string[];
  process_id?: string;
  process_status?: ProcessStatus;
  source?: "composed" | "builtin";
  streaming?: boolean;
}

/** A finished or running call as the history keeps it; `text_offset` counts the characters said before it. */
export interface StoredToolCall {
  tool_call_id: string;
  tool_name: string;
  arguments: unknown;
  result?: string;
  duration_ms?: number;
  error?: boolean;
  text_offset?: number;
}

export interface ChatMessage {
  role: "user" | "assistant";
  content: string;
  id?: string | number;
  created_at?: string;
  tool_calls?: StoredToolCall[];
}

export interface ChatStatus {
  streaming: boolean;
  turn_id?: string;
  queued?: number;
}

export interface Session {
  id: string;
  agent: string;
  user: string;
  title: string;
  created_at: string;
  updated_at: string;
  message_count: number;
  archived?: boolean;
}

export interface AgentTool {
  name: string;
  origin: string;
}

/** An agent's whole definition, as far as this page shows it. */
export interface AgentDetail {
  name: string;
  model?: string;
  system?: string;
  tools: AgentTool[];
  team?: string[];
  process_id?: string;
  process_status?: ProcessStatus;
  source?: "composed" | "builtin";
  display_name?: string;
  description?: string;
  temperature?: number;
  max_tokens?: number;
  max_iterations?: number;
  supervision?: { strategy: string; max_restarts: number | null; window_s: number };
}

export interface NewAgent {
  name: string;
  model?: string;
  system: string;
  description?: string;
  tools?: string[];
  team?: string[];
}

export interface ToolInfo {
  name: string;
  description?: string;
  origin?: string;
}

export type ProcessStatus = "pending" | "running" | "completed" | "failed" | "timeout";

export interface ProcessMetrics {
  iterations: number;
  input_tokens: number;
  output_tokens: number;
  cost_usd: number;
  tool_calls: number;
  errors: number;
  last_active_at?: string;
}

export interface ProcessSummary {
  id: string;
  agent: string;
  task?: string;
  status: ProcessStatus;
  started_at: string;
  completed_at?: string;
  parent_id?: string;
  spawn_depth: number;
  spawn_reason?: string;
  metrics: ProcessMetrics;
  name?: string;
  incarnation?: number;
  waiting_on?: string;
  exit_reason?: string;
  supervisor?: string;
}

export interface Incarnation {
  incarnation: number;
  started_at?: string;
  ended_at?: string;
  exit_reason?: string;
}

export interface ProcessMessage {
  role: string;
  content: string;
}

export interface ProcessDetail extends ProcessSummary {
  messages: ProcessMessage[];
  mailbox?: { length: number; capacity: number };
  links?: string[];
  monitors?: string[];
  restarts?: { count: number; max: number | null; window_s: number; next_at?: string };
  incarnations?: Incarnation[];
  budget?: { limit_usd?: number; spent_usd: number };
  deadline?: string;
}

/** What an action would do, by process id. */
export interface Impact {
  dies: string[];
  restarts: string[];
  notified: string[];
}

export interface SpawnNode {
  process_id: string;
  agent_name: string;
  task: string;
  status: ProcessStatus;
  spawn_depth: number;
  spawn_reason?: string;
  started_at: string;
  children?: SpawnNode[];
}

export interface RestartGauge {
  restarts_used?: number;
  max_restarts?: number | null;
  window_s?: number;
}

export interface SupervisedChild extends RestartGauge {
  id: string;
  restart: string;
  status: string;
  process_id?: string;
  supervisor?: SupervisorNode;
}

export interface SupervisorNode extends RestartGauge {
  id: string;
  strategy: string;
  children: SupervisedChild[];
}

export type RunStatus = "running" | "completed" | "failed" | "cancelled" | "interrupted";

export interface WorkflowInput {
  type?: string;
  description?: string;
  required: boolean;
  default?: unknown;
  enum?: unknown[];
  min?: number;
  max?: number;
}

export interface Workflow {
  name: string;
  description?: string;
  steps: number;
  inputs?: Record<string, WorkflowInput>;
}

export interface StepNode {
  path: string;
  id: string;
  kind: string;
  title: string;
  agent?: string;
  workflow?: string;
  blocks?: { name: string; steps: StepNode[] }[];
}

export interface WorkflowDetail extends Workflow {
  graph: StepNode[];
}

export interface RunStep {
  path: string;
  kind: string;
  agent?: string;
  status: string;
  attempts: number;
  started_at?: string;
  duration_ms?: number;
  cost_usd: number;
  error?: string;
}

export interface Run {
  run_id: string;
  workflow: string;
  inputs: Record<string, unknown>;
  status: RunStatus;
  result?: unknown;
  error?: string;
  started_at: string;
  completed_at?: string;
  cost_usd: number;
  steps: RunStep[];
}

export type CostsBy = "agent" | "process" | "model" | "day";

export interface Costs {
  total_usd: number;
  wasted_usd: number;
  budget: { limit_usd?: number; spent_usd: number };
  rows: { key: string; cost_usd: number; input_tokens: number; output_tokens: number; calls: number }[];
}

export interface McpServer {
  name: string;
  connected: boolean;
  transport?: string;
  url?: string;
  command?: string;
  tools?: string[];
  disabled?: boolean;
  error?: string;
  restarts?: number;
}

export interface McpOffer {
  name: string;
  description: string;
  required_env?: string[];
  optional_env?: string[];
  connected: boolean;
}

export interface NewMcpServer {
  name: string;
  transport?: string;
  command?: string;
  args?: string[];
  env?: Record<string, string>;
  url?: string;
}

export interface Approval {
  id: string;
  process_id: string;
  agent: string;
  tool_name: string;
  arguments: unknown;
  reason?: string;
  created_at: string;
  expires_at?: string;
  status: "pending" | "approved" | "denied" | "expired" | "cancelled";
}

export interface Stats {
  total_processes: number;
  running_processes: number;
  completed_processes: number;
  failed_processes: number;
  total_input_tokens: number;
  total_output_tokens: number;
  total_cost_usd: number;
  total_tool_calls: number;
  total_errors: number;
  uptime: string;
}

/** One event of the event stream; `data` depends on `type`. `id` is there when it comes from the event log. */
export interface ServerEvent {
  id?: number;
  type: string;
  process_id?: string;
  agent?: string;
  data?: Record<string, unknown>;
  timestamp?: string;
}
