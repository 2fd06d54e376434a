import type { Value } from "../api/types";

/** What was said in a span: docs/MESSAGES.md. */
export interface Conversation {
  system_instructions: Part[];
  input: Message[];
  output: Message[];
  tool_definitions: ToolDefinition[];
  tool: ToolUse | null;
  query: string | null;
  documents: Document[] | null;
  flags: Flag[];
  source: Record<string, string>;
}

export interface Message {
  role: string;
  parts: Part[];
  name?: string;
  finish_reason?: string;
}

/** A part of a message. `type` says which of the others there are; senders may send types of their own. */
export interface Part {
  type: string;
  content?: Value;
  id?: string;
  name?: string;
  arguments?: Value;
  response?: Value;
  signature?: string;
  size?: number;
  modality?: string;
  mime_type?: string;
  size_bytes?: number;
  sha256?: string;
  ref?: string;
  uri?: string;
  file_id?: string;
}

export interface ToolDefinition {
  type?: string;
  name?: string;
  description?: string;
  parameters?: Value;
}

export interface ToolUse {
  name?: string;
  id?: string;
  type?: string;
  description?: string;
  arguments?: Value;
  result?: Value;
}

export interface Document {
  id?: Value;
  content?: Value;
  score?: Value;
  metadata?: Value;
}

export interface Flag {
  flag: "malformed_json" | "truncated" | "not_captured" | "stored_elsewhere";
  where: string;
}
