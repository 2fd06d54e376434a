import fc from "fast-check";
import { expect, it } from "vitest";
import { clip, parseStructure } from "./ValueText";

it("a clipped text is the beginning of the whole, and short text is left alone", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2000, unit: fc.constantFrom("a", "\n", "é") }), (text) => {
      const short = clip(text);
      if (short === null) expect(text.length <= 600 && text.split("\n").length <= 12).toBe(true);
      else {
        expect(text.startsWith(short)).toBe(true);
        expect(short.length).toBeLessThan(text.length);
        expect(short.split("\n").length).toBeLessThanOrEqual(12);
      }
    }),
  );
});

it("only objects and arrays count as structure", () => {
  expect(parseStructure('[{"role": "user"}]')).toEqual([{ role: "user" }]);
  expect(parseStructure(' {"a": 1} ')).toEqual({ a: 1 });
  for (const text of ["12", "true", '"text"', "{broken", "[citation needed]", ""]) expect(parseStructure(text)).toBeUndefined();
});
