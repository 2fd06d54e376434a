import type { Conversation, Part } from "../messages/types";

export interface Spoken {
  role: string;
  text: string;
}

const CLIP = 600; // characters

/** The last message that went in and the first that came out, as text; null where nothing was captured. */
export function said({ input, output, tool, query }: Conversation): { asked: Spoken | null; answered: Spoken | null } {
  const last = input.findLast(({ role }) => role === "user") ?? input.at(-1);
  const first = output[0];
  return {
    asked: last ? spoken(last) : tool?.arguments != null ? { role: "arguments", text: clip(worded(tool.arguments)) } : query != null ? { role: "query", text: clip(query) } : null,
    answered: first ? spoken(first) : tool?.result != null ? { role: "result", text: clip(worded(tool.result)) } : null,
  };
}

function spoken({ role, parts }: { role: string; parts: Part[] }): Spoken {
  return { role, text: clip(parts.map(partText).join("\n")) };
}

function partText({ type, content, name, arguments: given, response }: Part): string {
  if (type === "tool_call") return `→ ${worded(name)} ${worded(given)}`;
  if (type === "tool_call_response") return worded(response);
  if (content !== undefined && (type === "text" || type === "reasoning" || type === "json")) return worded(content);
  return `[${type}]`;
}

function worded(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function clip(text: string): string {
  return text.length > CLIP ? `${text.slice(0, CLIP)}…` : text;
}
