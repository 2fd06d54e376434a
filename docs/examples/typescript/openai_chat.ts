// OpenAI's client with spans of your own: npm install openai @opentelemetry/api … (see package.json)
import { provider } from "./tracing.js";

import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import OpenAI from "openai";

const client = new OpenAI();
const tracer = trace.getTracer("openai-chat");

/** A streamed answer, in a span that says what it took: model, tokens, time to the first chunk. */
async function ask(question: string, who: { session: string; user: string }): Promise<string> {
  const model = "gpt-4.1";
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": model,
    "gen_ai.request.stream": true,
    "session.id": who.session,
    "user.id": who.user,
  };
  return tracer.startActiveSpan(`chat ${model}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    const begun = performance.now();
    let first = 0;
    let answer = "";
    try {
      const stream = await client.chat.completions.create({
        model,
        messages: [{ role: "user", content: question }],
        stream: true,
        stream_options: { include_usage: true },
      });
      for await (const chunk of stream) {
        first ||= performance.now() - begun;
        answer += chunk.choices[0]?.delta.content ?? "";
        if (chunk.usage) {
          span.setAttributes({
            "gen_ai.response.id": chunk.id,
            "gen_ai.response.model": chunk.model,
            "gen_ai.usage.input_tokens": chunk.usage.prompt_tokens,
            "gen_ai.usage.output_tokens": chunk.usage.completion_tokens,
          });
        }
      }
      return answer;
    } catch (error) {
      span.setAttribute("error.type", (error as Error).constructor.name);
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      if (first) span.setAttribute("gen_ai.response.time_to_first_chunk", first / 1000);
      const said = (role: string, content: string) => JSON.stringify([{ role, parts: [{ type: "text", content }] }]);
      span.setAttributes({ "gen_ai.input.messages": said("user", question), "gen_ai.output.messages": said("assistant", answer) });
      span.end();
    }
  });
}

console.log(await ask("Say hello.", { session: "conversation-17", user: "ada" }));
await provider.shutdown();
