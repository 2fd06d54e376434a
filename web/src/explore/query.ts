/** The parts of a filter that stand side by side: split at blanks outside quotes and brackets. */
export function parts(q: string): string[] {
  const found: string[] = [];
  let part = "";
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < q.length; at++) {
    const sign = q[at] ?? "";
    if (quoted && sign === "\\") part += sign + (q[++at] ?? "");
    else {
      if (sign === '"') quoted = !quoted;
      else if (!quoted && sign === "(") depth += 1;
      else if (!quoted && sign === ")") depth -= 1;
      if (/\s/.test(sign) && !quoted && depth <= 0) {
        if (part) found.push(part);
        part = "";
      } else part += sign;
    }
  }
  return part ? [...found, part] : found;
}

/** Whether a condition stands in the filter by itself. */
export function has(q: string | undefined, condition: string): boolean {
  return parts(q ?? "").includes(condition);
}

/** The filter with a condition added, or without it where it was there. What is joined by `or` is bracketed first. */
export function toggled(q: string | undefined, condition: string, opposite?: string): string | undefined {
  const now = parts(q ?? "");
  if (now.includes(condition)) return now.filter((part) => part !== condition).join(" ") || undefined;
  const kept = opposite === undefined ? now : now.filter((part) => part !== opposite);
  if (kept.some((part) => part.toLowerCase() === "or")) return `(${kept.join(" ")}) ${condition}`;
  return [...kept, condition].join(" ");
}

export interface Word {
  start: number; // of the part the caret is in
  end: number;
  field: string | null; // what stands before the operator; null while a name is being typed
  typed: string; // what is completed: a name, or a value without its opening quote
  negated: boolean;
}

/** What is being typed at the caret. */
export function wordAt(q: string, caret: number): Word {
  let start = 0;
  let quoted = false;
  for (let at = 0; at < caret; at++) {
    if (q[at] === "\\" && quoted) at += 1;
    else if (q[at] === '"') quoted = !quoted;
    else if (!quoted && /[\s(]/.test(q[at] ?? "") && !isInList(q, at)) start = at + 1;
  }
  const before = q.slice(start, caret);
  const negated = before.startsWith("-");
  const body = negated ? before.slice(1) : before;
  const [, field, value] = /^([\w.]+)(?::|!=|=)"?([^"]*)$/.exec(body) ?? [];
  let end = caret;
  while (end < q.length && !/[\s)]/.test(q[end] ?? "")) end += 1;
  return { start: start + (negated ? 1 : 0), end, field: field ?? null, typed: field === undefined ? body : (value ?? ""), negated };
}

/** Brackets right behind an operator hold a list of values. */
function isInList(q: string, at: number): boolean {
  return q[at] === "(" && /[:=]$/.test(q.slice(0, at));
}
