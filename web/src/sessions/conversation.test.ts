import { expect, it } from "vitest";
import type { Conversation, Message } from "../messages/types";
import { spoken } from "./conversation";

const said = (role: string, content: string): Message => ({ role, parts: [{ type: "text", content }] });
const call = (input: Message[], output: Message[]): Conversation => ({
  system_instructions: [], input, output, tool_definitions: [], tool: null, query: null, documents: null, flags: [], source: {},
});

it("is what the user said last and what was answered last", () => {
  const history = [said("system", "be kind"), said("user", "one"), said("assistant", "1"), said("user", "two")];
  const { asked, answered } = spoken(call(history, [said("assistant", "tool, please")]), call([], [said("assistant", "2")]));
  expect(asked).toEqual([said("user", "two")]);
  expect(answered).toEqual([said("assistant", "2")]);
});

it("is nothing where nothing was captured", () => {
  expect(spoken(call([], []), call([], []))).toEqual({ asked: [], answered: [] });
});
