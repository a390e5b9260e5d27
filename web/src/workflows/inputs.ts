/** Reads the form of a workflow's inputs: what is wrong is said at its field, before anything is sent. */

import type { WorkflowInput } from "../api/types";

export type Fields = Record<string, string>;

export interface Reading {
  inputs: Record<string, unknown>;
  /** By input, what is wrong with it. */
  errors: Record<string, string>;
}

export const STRUCTURED = ["array", "list", "object", "map", "json"];

export function startingFields(inputs: Record<string, WorkflowInput>): Fields {
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, shown(input.default)]));
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** A field left empty is not sent: the workflow's default holds, and a required one is missing. */
export function readFields(declared: Record<string, WorkflowInput>, fields: Fields): Reading {
  const reading: Reading = { inputs: {}, errors: {} };
  for (const [name, input] of Object.entries(declared)) {
    const text = fields[name] ?? "";
    if (text.trim() === "") {
      if (input.required) reading.errors[name] = "This input is required.";
      continue;
    }
    const value = valueOf(input, text);
    const error = typeof value === "symbol" ? wrong(input) : outside(input, value);
    if (error) reading.errors[name] = error;
    else reading.inputs[name] = value;
  }
  return reading;
}

const UNREADABLE = Symbol("unreadable");

function valueOf(input: WorkflowInput, text: string): unknown {
  const { type } = input;
  if (input.enum) return input.enum.find((each) => shown(each) === text) ?? UNREADABLE;
  if (type === "number" || type === "integer") return numberOf(text, type === "integer");
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : UNREADABLE;
  if (STRUCTURED.includes(type)) return jsonOf(text);
  return text;
}

function numberOf(text: string, whole: boolean): number | symbol {
  const value = Number(text);
  return Number.isFinite(value) && (!whole || Number.isInteger(value)) ? value : UNREADABLE;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return UNREADABLE;
  }
}

function wrong(input: WorkflowInput): string {
  if (input.enum) return `Choose one of ${input.enum.map(shown).join(", ")}.`;
  const { type } = input;
  if (type === "integer") return "Write a whole number.";
  if (STRUCTURED.includes(type)) return "Write it as JSON.";
  return `Write a ${type}.`;
}

function outside(input: WorkflowInput, value: unknown): string | null {
  const size =
    typeof value === "number"
      ? value
      : typeof value === "string" || Array.isArray(value)
        ? value.length
        : null;
  if (size === null) return null;
  const of = typeof value === "number" ? "" : typeof value === "string" ? " characters" : " items";
  if (input.min !== undefined && size < input.min) return `At least ${input.min}${of}.`;
  if (input.max !== undefined && size > input.max) return `At most ${input.max}${of}.`;
  return null;
}
