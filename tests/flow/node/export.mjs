// Sends one trace of three spans, two log records and two metrics by the real exporters, and says how each export ended.
//
//   node export.mjs <json|proto|grpc> <url> [none|gzip]
//
// One JSON line on stdout: {"traceId": …, "spanIds": […], "traces": "SUCCESS", "logs": "SUCCESS", "metrics": "SUCCESS"}

import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, BatchLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [transport, url, compression = "none"] = process.argv.slice(2);
const flavour = { json: "http", proto: "proto", grpc: "grpc" }[transport];
const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${flavour}`);
const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${flavour}`);
const { OTLPMetricExporter } = await import(`@opentelemetry/exporter-metrics-otlp-${flavour}`);

const answers = {};

function exporter(Exporter, signal) {
  const made = new Exporter({ url: transport === "grpc" ? url : `${url}/v1/${signal}`, compression, timeoutMillis: 10_000 });
  const send = made.export.bind(made);
  made.export = (items, done) =>
    send(items, (result) => {
      answers[signal] = result.code === 0 ? "SUCCESS" : `FAILED ${result.error?.message}`;
      done(result);
    });
  return made;
}

const resource = resourceFromAttributes({ "service.name": `node-${transport}`, "deployment.environment.name": "test" });

const tracers = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter(OTLPTraceExporter, "traces"))] });
const tracer = tracers.getTracer("node-clients", "1.2.3");
const root = tracer.startSpan("GET /ask", { kind: SpanKind.SERVER, attributes: { "http.route": "/ask", big: Number.MAX_SAFE_INTEGER, ratio: 0.5 } });
const within = trace.setSpan(context.active(), root);
const chat = tracer.startSpan(
  "chat gpt-4.1-mini",
  {
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4.1-mini",
      "gen_ai.usage.input_tokens": 1234,
      "gen_ai.usage.output_tokens": 56,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Größe? 🙂"}]}]',
    },
    links: [{ context: root.spanContext(), attributes: { why: "linked" } }],
  },
  within,
);
chat.addEvent("first token", { index: 0 });
chat.end();
const tool = tracer.startSpan("execute_tool lookup", {}, within);
tool.recordException(new Error("no such article"));
tool.setStatus({ code: SpanStatusCode.ERROR, message: "no such article" });
tool.end();
root.end();

const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: exporter(OTLPLogExporter, "logs") })] });
const logger = loggers.getLogger("node-clients");
logger.emit({ body: "plain", severityNumber: SeverityNumber.INFO, severityText: "INFO", context: within });
logger.emit({ body: { nested: [1, "two", null] }, eventName: "gen_ai.choice", attributes: { n: 1 }, context: within });

const meters = new MeterProvider({
  resource,
  readers: [new PeriodicExportingMetricReader({ exporter: exporter(OTLPMetricExporter, "metrics"), exportIntervalMillis: 3_600_000 })],
});
const meter = meters.getMeter("node-clients");
meter.createCounter("calls").add(3, { model: "gpt-4.1-mini" });
meter.createHistogram("seconds").record(0.25);

await Promise.allSettled([tracers.shutdown(), loggers.shutdown(), meters.shutdown()]);
const spans = [root, chat, tool].map((span) => span.spanContext());
console.log(JSON.stringify({ traceId: spans[0].traceId, spanIds: spans.map((span) => span.spanId), ...answers }));
