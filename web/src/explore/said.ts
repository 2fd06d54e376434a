import type { Answer } from "../api/client";

type Conversation = Answer<"/api/v1/traces/{trace_id}/spans/{span_id}/messages">;

export interface Spoken {
  role: string;
  text: string;
}

const CLIP = 600; // characters

/** The last message that went in and the first that came out, as text; null where nothing was captured. */
export function said({ input, output, tool, query }: Conversation): { asked: Spoken | null; answered: Spoken | null } {
  const last = input.findLast(({ role }) => role === "user") ?? input.at(-1);
  const first = output[0];
  const called = tool as { name?: unknown; arguments?: unknown; result?: unknown } | null;
  return {
    asked: last ? spoken(last) : called?.arguments != null ? { role: "arguments", text: clip(worded(called.arguments)) } : query != null ? { role: "query", text: clip(query) } : null,
    answered: first ? spoken(first) : called?.result != null ? { role: "result", text: clip(worded(called.result)) } : null,
  };
}

function spoken({ role, parts }: { role: string; parts: { type: string }[] }): Spoken {
  return { role, text: clip(parts.map(partText).join("\n")) };
}

function partText(part: { type: string }): string {
  const { type, content, name, arguments: given, response } = part as { type: string; content?: unknown; name?: unknown; arguments?: unknown; response?: unknown };
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
