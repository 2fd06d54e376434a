// Vercel AI SDK 7: npm install ai @ai-sdk/openai @ai-sdk/otel
import { provider } from "./tracing.js";

import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { generateText, registerTelemetry, streamText } from "ai";

registerTelemetry(new OpenTelemetry({ runtimeContext: true }));

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
const call = {
  model: openai.chat("gpt-4.1"),
  runtimeContext: { sessionId: "conversation-17", userId: "ada" },
  telemetry: { functionId: "greeter", includeRuntimeContext: { sessionId: true, userId: true } },
};

console.log((await generateText({ ...call, prompt: "Say hello." })).text);
for await (const text of streamText({ ...call, prompt: "Count to three." }).textStream) process.stdout.write(text);
await provider.shutdown();
