import type { Conversation, Message } from "../messages/types";

/** Of a trace what a reader of the session wants: what the user said last before its first call, and what its last call answered. */
export function spoken(first: Conversation, last: Conversation): { asked: Message[]; answered: Message[] } {
  let from = first.input.length;
  while (from > 0 && !["assistant", "system", "developer"].includes(first.input[from - 1]?.role ?? "")) from--;
  return { asked: first.input.slice(from), answered: last.output };
}
