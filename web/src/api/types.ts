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

/** One event of the event stream; `data` depends on `type`. */
export interface ServerEvent {
  type: string;
  process_id?: string;
  agent?: string;
  data?: Record<string, unknown>;
  timestamp?: string;
}
