import { type ReactNode, useState } from "react";
import type { Value } from "../api/types";
import { count } from "../format/number";
import { Json } from "./Json";
import { Anything, Card, MessagePart, type Where } from "./Part";
import type { Conversation as Said, Document, Flag, Message, Part } from "./types";

/** All that was said in a span. */
export function Conversation({ said, where }: { said: Said; where: Where }) {
  const nothing = said.system_instructions.length + said.input.length + said.output.length === 0 && !said.tool && said.query === null && !said.documents;
  return (
    <div className="conversation">
      <Flags flags={said.flags} />
      {said.tool_definitions.length > 0 && <Tools said={said} />}
      {said.system_instructions.length > 0 && <Turn role="system">{parts(said.system_instructions, where)}</Turn>}
      {said.input.map((message, index) => (
        <MessageTurn key={index} message={message} where={where} />
      ))}
      {said.output.map((message, index) => (
        <MessageTurn key={`out${index}`} message={message} where={where} choice={said.output.length > 1 ? index + 1 : undefined} answer />
      ))}
      {said.tool && (
        <>
          <Turn role="asked">
            <Anything value={said.tool.arguments ?? null} where={where} />
          </Turn>
          <Turn role="result">{said.tool.result === undefined ? <p className="faint">no result was captured</p> : <Anything value={said.tool.result} where={where} />}</Turn>
        </>
      )}
      {said.query !== null && (
        <Turn role="query">
          <Anything value={said.query} where={where} />
        </Turn>
      )}
      {said.documents && (
        <Turn role="found">
          <DocumentCards documents={said.documents} where={where} />
        </Turn>
      )}
      {nothing && said.flags.length === 0 && <p className="faint">No messages are in this span.</p>}
      {Object.keys(said.source).length > 0 && (
        <p className="faint conversation-source">
          as found in {[...new Set(Object.values(said.source))].join(", ").replaceAll("_", " ")}
        </p>
      )}
    </div>
  );
}

/** A message: its role in the gutter, its parts beside it. */
export function MessageTurn({ message, where, choice, answer = false }: { message: Message; where: Where; choice?: number | undefined; answer?: boolean }) {
  return (
    <Turn role={message.role || "?"} {...(message.name !== undefined && { name: message.name })} answer={answer}>
      {choice !== undefined && <span className="tag">choice {choice}</span>}
      {parts(message.parts, where)}
      {message.parts.length === 0 && <p className="faint">an empty message</p>}
      {answer && message.finish_reason !== undefined && !["stop", "end_turn", "tool_calls", "tool_use", "tool_call", "STOP"].includes(message.finish_reason) && (
        <p className="finish">ended by {message.finish_reason}</p>
      )}
    </Turn>
  );
}

/** A row of a conversation: who in the gutter, what beside it. */
export function Turn({ role, name, answer = false, children }: { role: string; name?: string; answer?: boolean; children: ReactNode }) {
  return (
    <div className={`turn is-${knownRole(role)}${answer ? " is-answer" : ""}`}>
      <div className="turn-role">
        {role}
        {name !== undefined && <span className="faint">{name}</span>}
      </div>
      <div className="turn-said">{children}</div>
    </div>
  );
}

function knownRole(role: string): string {
  return ["user", "assistant", "system", "developer", "tool"].includes(role) ? role : "other";
}

export function parts(all: readonly Part[], where: Where): ReactNode {
  return all.map((part, index) => <MessagePart key={index} part={part} where={where} />);
}

const FLAGS: Record<Flag["flag"], string> = {
  malformed_json: "should be JSON and is not; its text is shown",
  truncated: "was cut by the sender's limits; what there is, is shown",
  not_captured: "was not captured: most instrumentations record content only when told to",
  stored_elsewhere: "was put elsewhere by an upload hook; the address is shown",
};

/** What is wrong with the messages, each with its place. */
export function Flags({ flags }: { flags: readonly Flag[] }) {
  if (flags.length === 0) return null;
  return (
    <ul className="flags">
      {flags.map(({ flag, where }) => (
        <li key={`${flag}${where}`}>
          <code>{where}</code> {FLAGS[flag]}
        </li>
      ))}
    </ul>
  );
}

function Tools({ said }: { said: Said }) {
  const [open, setOpen] = useState(false);
  const tools = said.tool_definitions;
  return (
    <Turn role="tools">
      <button type="button" className="link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {count(tools.length)} {tools.length === 1 ? "tool" : "tools"} could be called
      </button>
      {!open && <span className="faint"> {tools.map((tool) => tool.name ?? "?").join(", ").slice(0, 160)}</span>}
      {open &&
        tools.map((tool, index) => (
          <Card key={index} kind="other" name={tool.name ?? "?"} {...(tool.description !== undefined && { preview: tool.description })}>
            {tool.description !== undefined && <p className="is-plain">{tool.description}</p>}
            <Json value={tool.parameters ?? (tool as unknown as Value)} open={2} />
          </Card>
        ))}
    </Turn>
  );
}

/** What a retriever found, best first as it was told. */
export function DocumentCards({ documents, where }: { documents: readonly Document[]; where: Where }) {
  if (documents.length === 0) return <p className="faint">nothing was found</p>;
  return documents.map((document, index) => (
    <Card
      key={index}
      kind="other"
      name={document.id === undefined || document.id === null ? `document ${index + 1}` : word(document.id)}
      preview={document.content ?? null}
      side={document.score != null && <span className="faint number">{word(document.score)}</span>}
    >
      <Anything value={document.content ?? null} where={where} />
      {document.metadata != null && <Json value={document.metadata} open={0} name="metadata" />}
    </Card>
  ));
}

function word(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
