/**
 * The shapes of the HTTP API under the names of this dashboard. `schema.ts` is made of the server's own models (`make
 * types`), so a field that is renamed there is a type error here.
 */

import type { components } from "./schema";

type Shapes = components["schemas"];

export type Agent = Shapes["AgentEntry"];
export type AgentDetail = Shapes["AgentDetail"];
export type NewAgent = Shapes["NewAgent"];
export type ToolInfo = Shapes["ToolDescription"];
export type ChatMessage = Shapes["ChatEntry"];
export type Attachment = Shapes["AttachmentEntry"];
/** A call as the history keeps it; `text_offset` counts the characters said before it. */
export type StoredToolCall = Shapes["ToolCallEntry"];
export type ChatStatus = Shapes["ChatState"];
export type Session = Shapes["SessionEntry"];
export type ProcessSummary = Shapes["ProcessEntry"];
export type ProcessStatus = ProcessSummary["status"];
export type ProcessDetail = ProcessSummary & Shapes["ProcessInside"];
export type Incarnation = Shapes["IncarnationEntry"];
export type Impact = Shapes["ImpactEntry"];
export type SpawnNode = Shapes["TreeEntry"];
export type SupervisorNode = Shapes["SupervisorEntry"];
export type SupervisedChild = Shapes["SupervisorChild"];
export type Workflow = Shapes["WorkflowEntry"];
export type WorkflowInput = Shapes["InputEntry"];
export type WorkflowDetail = Workflow & Shapes["WorkflowInside"];
export type StepNode = Shapes["StepNode"];
export type Run = Shapes["RunEntry"];
export type RunStep = Shapes["StepEntry"];
export type Costs = Shapes["CostsEntry"];
export type CostsBy = "agent" | "process" | "model" | "day";
export type McpServer = Shapes["McpServerEntry"];
export type McpOffer = Shapes["McpRegistryEntry"];
export type NewMcpServer = Shapes["NewMcpServer"];
export type Approval = Shapes["ApprovalEntry"];
export type Schedule = Shapes["ScheduleEntry"];
export type NewSchedule = Shapes["NewSchedule"];
export type Setting = Shapes["SettingEntry"];
export type Fault = Shapes["FaultEntry"];
export type Me = Shapes["Me"];
export type FileEntry = Shapes["FileEntry"];
export type FileContent = Shapes["FileContent"];
export type Stats = Shapes["Stats"];

/** One event of the event stream; `data` depends on `type`. Only what comes from the log is sure to be whole. */
export type ServerEvent = Partial<Shapes["EventEntry"]> & { type: string };
