import { type ReactNode, useState } from "react";
import type { Value } from "../api/types";
import { bytes } from "../format/number";
import { Copy } from "../parts/Copy";
import { ChevronIcon } from "../parts/icons";
import { parseStructure } from "../parts/ValueText";
import { Json, oneLine } from "./Json";
import { hostOf, Markdown } from "./Markdown";
import { clipped, looksLikeMarkdown, sizeOf } from "./text";
import type { Part } from "./types";

const CLIP = 2400; // characters of a text shown at first: about a screen

/** Where a part lies, so that its large blobs can be asked for. */
export interface Where {
  traceId: string;
  spanId: string;
}

/** One part of a message, by its type. What is not known is shown as it came. */
export function MessagePart({ part, where }: { part: Part; where: Where }) {
  switch (part.type) {
    case "text":
      return <Text value={part.content} />;
    case "reasoning":
      return (
        <Card kind="reasoning" name="reasoning" size={sizeOf(plain(part.content))}>
          <Text value={part.content} />
        </Card>
      );
    case "redacted_reasoning":
      return <p className="faint">reasoning, encrypted by the provider{part.size === undefined ? "" : ` (${bytes(part.size)})`}</p>;
    case "tool_call":
    case "server_tool_call":
      return (
        <Card kind="call" name={part.name ?? "tool"} preview={part.arguments} {...(part.id !== undefined && { title: part.id })}>
          <Anything value={part.arguments ?? null} where={where} />
        </Card>
      );
    case "tool_call_response":
    case "server_tool_call_response":
      return (
        <Card kind="result" name={part.name ?? "result"} preview={part.response} {...(part.id !== undefined && { title: part.id })}>
          <Anything value={part.response ?? null} where={where} />
        </Card>
      );
    case "blob":
      return <Blob part={part} where={where} />;
    case "uri":
    case "file":
      return <Elsewhere part={part} />;
    case "refusal":
      return (
        <div className="refusal">
          <span className="tag">refusal</span>
          <Text value={part.content} />
        </div>
      );
    case "json":
      return <Anything value={part.content ?? null} where={where} />;
    default:
      return (
        <Card kind="other" name={part.type}>
          <Json value={part as unknown as Value} />
        </Card>
      );
  }
}

/** Text as markdown or as it is, clipped, with its size. */
export function Text({ value, clip = CLIP }: { value: Value | undefined; clip?: number }) {
  const [all, setAll] = useState(false);
  const [raw, setRaw] = useState(false);
  const text = plain(value);
  const cut = clipped(text, clip);
  const shown = all || cut === null ? text : cut;
  const laidOut = looksLikeMarkdown(shown);
  if (text === "") return <p className="faint">empty text</p>;
  return (
    <div className="said">
      {laidOut && !raw ? <Markdown text={shown} /> : <p className="is-plain">{shown}</p>}
      {(cut !== null || laidOut) && (
        <div className="value-tools">
          {cut !== null && (
            <button type="button" className="link" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? "show less" : `show all ${bytes(sizeOf(text))}`}
            </button>
          )}
          {laidOut && (
            <button type="button" className="link" onClick={() => setRaw(!raw)}>
              {raw ? "lay out" : "as written"}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** Text, a structure, or parts in it. */
export function Anything({ value, where, clip = CLIP }: { value: Value; where: Where; clip?: number }) {
  if (typeof value === "string") {
    const structure = value.length < 200_000 ? parseStructure(value) : undefined;
    return structure === undefined ? <Text value={value} clip={clip} /> : <Json value={structure} open={2} />;
  }
  if (Array.isArray(value) && value.length > 0 && value.every(isPart)) {
    return (
      <>
        {value.map((part, index) => (
          <MessagePart key={index} part={part as unknown as Part} where={where} />
        ))}
      </>
    );
  }
  return <Json value={value} open={2} />;
}

function isPart(value: Value): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value) && typeof value.type === "string" && ("content" in value || "uri" in value || "file_id" in value);
}

function plain(value: Value | undefined): string {
  return value == null ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

interface CardProps {
  kind: "call" | "result" | "reasoning" | "other";
  name: string;
  title?: string;
  preview?: Value | undefined;
  size?: number;
  side?: ReactNode; // at the end of the line
  children: ReactNode;
}

const SIGNS = { call: "→", result: "←", reasoning: "∴", other: "·" };

/** A collapsed card: what it is in one line, the body when it is opened. */
export function Card({ kind, name, title, preview, size, side, children }: CardProps) {
  const [open, setOpen] = useState(false);
  const line = preview === undefined ? null : preview === null ? "" : typeof preview === "string" ? preview.slice(0, 200) : (oneLine(preview) ?? JSON.stringify(preview).slice(0, 200));
  return (
    <div className={`part-card is-${kind}`}>
      <button type="button" className="part-head" aria-expanded={open} title={title} onClick={() => setOpen(!open)}>
        <ChevronIcon turn={open ? 90 : 0} />
        <span className="part-sign" aria-hidden="true">
          {SIGNS[kind]}
        </span>
        <strong>{name}</strong>
        {line !== null && !open && <span className="part-preview mono">{line}</span>}
        {size !== undefined && <span className="faint number">{bytes(size)}</span>}
        {side}
      </button>
      {open && <div className="part-body">{children}</div>}
    </div>
  );
}

const SHOWN_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Bytes in the message: small pictures are shown, large ones are fetched from this server when asked, all else is offered as a file. */
function Blob({ part, where }: { part: Part; where: Where }) {
  const [open, setOpen] = useState(false);
  const [broken, setBroken] = useState(false);
  const type = part.mime_type ?? part.modality ?? "bytes";
  const picture = SHOWN_TYPES.includes(part.mime_type ?? "") || (part.mime_type === undefined && part.modality === "image");
  const inline = typeof part.content === "string" && picture ? `data:${part.mime_type ?? "image/png"};base64,${part.content}` : null;
  const size = part.size_bytes ?? (typeof part.content === "string" ? Math.floor((part.content.length * 3) / 4) : undefined);
  const address = part.ref === undefined ? null : `/api/v1/traces/${where.traceId}/spans/${where.spanId}/messages/blob?ref=${encodeURIComponent(part.ref)}`;
  const source = inline ?? (picture && open ? address : null);
  return (
    <figure className="blob">
      {source !== null && !broken && <img src={source} alt={`${type} in the message`} onError={() => setBroken(true)} />}
      <figcaption>
        <span className="tag">{type}</span>
        {size !== undefined && <span className="faint number">{bytes(size)}</span>}
        {broken && <span className="faint">this is no picture that a browser can show</span>}
        {inline === null && picture && address !== null && !open && (
          <button type="button" className="link" onClick={() => setOpen(true)}>
            show
          </button>
        )}
        {address !== null && (
          <a href={address} download>
            save
          </a>
        )}
        {part.sha256 !== undefined && (
          <code className="faint" title={part.sha256}>
            sha256 {part.sha256.slice(0, 12)}…
          </code>
        )}
      </figcaption>
    </figure>
  );
}

/** Content that lies elsewhere is named, never fetched. */
function Elsewhere({ part }: { part: Part }) {
  const address = part.uri ?? part.file_id ?? "";
  const host = hostOf(address);
  return (
    <p className="not-fetched">
      <span className="tag">{part.mime_type ?? part.modality ?? part.type}</span>{" "}
      {host === null ? (
        <code>{address.slice(0, 200)}</code>
      ) : (
        <a href={address} target="_blank" rel="noopener noreferrer nofollow">
          {address.slice(0, 200)}
        </a>
      )}{" "}
      <Copy text={address} label="copy the address" /> <span className="faint">not fetched</span>
    </p>
  );
}
