import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneLine } from "./Json";
import { hostOf, lexed } from "./Markdown";
import { clipped, looksLikeMarkdown, sizeOf } from "./text";

describe("long text", () => {
  it("is cut at a line or word, and not for the sake of a few more characters", () => {
    expect(clipped("short", 100)).toBeNull();
    expect(clipped("x".repeat(110), 100)).toBeNull();
    expect(clipped("word ".repeat(40), 100)).toBe("word ".repeat(20).trimEnd());
    expect(clipped(`${"a".repeat(80)}\n${"b".repeat(80)}`, 100)).toBe("a".repeat(80));
  });

  it("is a beginning of itself", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.integer({ min: 1, max: 100 }), (text, most) => {
        const cut = clipped(text, most);
        if (cut === null) expect(text.length).toBeLessThanOrEqual(most * 1.2);
        else expect(text.startsWith(cut) && cut.length <= most).toBe(true);
      }),
    );
  });

  it("is measured in bytes", () => {
    expect([sizeOf("a"), sizeOf("ü"), sizeOf("🙂")]).toEqual([1, 2, 4]);
  });
});

describe("a structure in one line", () => {
  it("is its JSON when it is short", () => {
    expect(oneLine({ a: [1, "x", null, true] })).toBe('{"a":[1,"x",null,true]}');
    expect(oneLine({ text: "x".repeat(100) })).toBeNull();
    expect(oneLine(Array.from({ length: 100_000 }, (_, i) => i))).toBeNull();
  });

  it("is never much longer than a line", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const line = oneLine(value as never);
        // escapes make text longer than it is
        if (line !== null) expect(line.length).toBeLessThan(72 * 6);
      }),
    );
  });
});

describe("markdown", () => {
  it("is told from plain text", () => {
    expect(["# head", "a **b** c", "- item", "1. item", "see [x](http://y)", "```\ncode\n```", "| a | b |"].map(looksLikeMarkdown)).not.toContain(false);
    expect(["plain", "2 * 3 = 6", "a - b", "snake_case", "e.g. this"].map(looksLikeMarkdown)).not.toContain(true);
  });

  it("of any text is read or refused, never thrown at", () => {
    for (const text of ["> ".repeat(20_000), "[".repeat(50_000), "*".repeat(50_000), "\u0000<!--", "- ".repeat(20_000)]) expect(() => lexed(text)).not.toThrow();
    expect(lexed("x".repeat(200_001))).toBeNull();
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("*", "_", "[", "]", "(", ")", "<", ">", "`", "#", "-", "|", "\n", " ", "a", "!") }), (text) => void lexed(text)));
  });

  it("links lead to http and nowhere else", () => {
    expect(["http://a.b/c", "https://a.b:8/c"].map(hostOf)).toEqual(["a.b", "a.b:8"]);
    for (const href of ["javascript:x", "JAVASCRIPT:x", "data:text/html,x", "vbscript:x", "/relative", "//a.b", "file:///x", "mailto:a@b", " javascript:x", "java\nscript:x"]) expect(hostOf(href)).toBeNull();
  });
});
