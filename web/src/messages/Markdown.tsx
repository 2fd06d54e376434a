import { Marked, type Token, type Tokens } from "marked";
import { createElement, type ReactNode } from "react";
import { Copy } from "../parts/Copy";

const LONGEST = 200_000; // characters; beyond, plain text is read as well as laid out
const DEEPEST = 20; // lists in quotes in lists …: nobody writes more, attacks do

const markdown = new Marked({ gfm: true, breaks: true });

/**
 * Markdown as React elements, made from its tokens: there is no HTML string anywhere, so nothing in the text can become markup. HTML in it stands as
 * it was written, images are named and never fetched, links lead only to http(s) and say where.
 */
export function Markdown({ text }: { text: string }) {
  const tokens = lexed(text);
  return <div className="markdown">{tokens ? blocks(tokens, 0) : <p className="is-plain">{text}</p>}</div>;
}

/** The tokens, or null where the text is too long or too nested to be laid out. */
export function lexed(text: string): Token[] | null {
  if (text.length > LONGEST) return null;
  try {
    return markdown.lexer(text);
  } catch {
    return null; // its recursion ends before ours
  }
}

function blocks(tokens: readonly Token[], depth: number): ReactNode {
  if (depth > DEEPEST) return tokens.map((token) => token.raw).join("");
  return tokens.map((token, index) => <Block key={index} token={token} depth={depth} />);
}

function Block({ token, depth }: { token: Token; depth: number }): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "code":
      return <Code text={(token as Tokens.Code).text} language={(token as Tokens.Code).lang ?? ""} />;
    case "heading":
      // one level below the page's own
      return createElement("p", { className: `markdown-h is-h${(token as Tokens.Heading).depth}` }, inlines((token as Tokens.Heading).tokens, depth));
    case "blockquote":
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens, depth + 1)}</blockquote>;
    case "list": {
      const list = token as Tokens.List;
      const items = list.items.map((item, index) => (
        <li key={index}>
          {item.task && <span aria-label={item.checked ? "done" : "not done"}>{item.checked ? "☑ " : "☐ "}</span>}
          {blocks(item.tokens, depth + 1)}
        </li>
      ));
      return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "table":
      return <Table table={token as Tokens.Table} depth={depth} />;
    case "html":
      return <p className="is-plain">{token.raw}</p>;
    case "paragraph":
      return <p>{inlines((token as Tokens.Paragraph).tokens, depth)}</p>;
    default: {
      const inside = (token as Tokens.Text).tokens;
      return inside ? <span>{inlines(inside, depth)}</span> : <span>{(token as Tokens.Text).text}</span>;
    }
  }
}

function Table({ table, depth }: { table: Tokens.Table; depth: number }) {
  return (
    <div className="markdown-table">
      <table>
        <thead>
          <tr>
            {table.header.map((cell, index) => (
              <th key={index}>{inlines(cell.tokens, depth)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{inlines(cell.tokens, depth)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inlines(tokens: readonly Token[] | undefined, depth: number): ReactNode {
  if (!tokens) return null;
  if (depth > DEEPEST) return tokens.map((token) => token.raw).join("");
  return tokens.map((token, index) => <Inline key={index} token={token} depth={depth + 1} />);
}

function Inline({ token, depth }: { token: Token; depth: number }): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inlines(token.tokens, depth)}</strong>;
    case "em":
      return <em>{inlines(token.tokens, depth)}</em>;
    case "del":
      return <del>{inlines(token.tokens, depth)}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link": {
      const link = token as Tokens.Link;
      const host = hostOf(link.href);
      const said = inlines(link.tokens, depth);
      if (host === null) return <span title={link.href}>{said}</span>;
      return (
        <>
          <a href={link.href} target="_blank" rel="noopener noreferrer nofollow" title={link.href}>
            {said}
          </a>
          {!link.text.includes(host) && <span className="faint"> ({host})</span>}
        </>
      );
    }
    case "image":
      return (
        <span className="not-fetched" title={(token as Tokens.Image).href}>
          image {(token as Tokens.Image).text ? `“${(token as Tokens.Image).text}”` : ""} at {hostOf((token as Tokens.Image).href) ?? "an address that is not http"}, not fetched
        </span>
      );
    case "escape":
      return (token as Tokens.Escape).text;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inlines(tokens, depth) : text;
    }
    default:
      return token.raw;
  }
}

/** The host of an http(s) address, null for all others: those are not made links. */
export function hostOf(href: string): string | null {
  try {
    const url = new URL(href);
    return url.protocol === "http:" || url.protocol === "https:" ? url.host : null;
  } catch {
    return null;
  }
}

/** A block of code with its language and a way to copy it. */
export function Code({ text, language }: { text: string; language: string }) {
  return (
    <figure className="code">
      <figcaption>
        <span className="faint">{language || "code"}</span>
        <Copy text={text} label="copy the code" />
      </figcaption>
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}
