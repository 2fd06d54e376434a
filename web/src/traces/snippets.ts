/** The exact lines a first run needs, for the address that receives OTLP over HTTP. A browser test copies and runs them. */
export function snippets(endpoint: string): { id: string; title: string; hint: string; lines: string }[] {
  return [
    {
      id: "python",
      title: "Python",
      hint: "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http",
      lines: `from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "my-app"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("${endpoint}/v1/traces")))
trace.set_tracer_provider(provider)

with trace.get_tracer("first").start_as_current_span("hello from Python"):
    print("hello")
provider.shutdown()`,
    },
    {
      id: "typescript",
      title: "TypeScript",
      hint: "npm install @opentelemetry/api @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto",
      lines: `import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({
  serviceName: "my-app",
  traceExporter: new OTLPTraceExporter({ url: "${endpoint}/v1/traces" }),
});
sdk.start();

trace.getTracer("first").startActiveSpan("hello from TypeScript", (span) => span.end());
await sdk.shutdown();`,
    },
    {
      id: "curl",
      title: "curl",
      hint: "nothing to install",
      lines: `curl ${endpoint}/v1/traces -H 'Content-Type: application/json' -d '{"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my-app"}}]},
  "scopeSpans": [{"spans": [{"name": "hello from curl",
    "traceId": "'$(openssl rand -hex 16)'", "spanId": "'$(openssl rand -hex 8)'",
    "startTimeUnixNano": "'$(date +%s)000000000'", "endTimeUnixNano": "'$(date +%s)345000000'"}]}]}]}'`,
    },
    {
      id: "environment",
      title: "already instrumented",
      hint: "any program with an OpenTelemetry SDK",
      lines: `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_SERVICE_NAME=my-app`,
    },
  ];
}

/** The address programs on this machine send to. A wildcard address is reached by the name the page was reached by. */
export function endpointOf(listener: string | null | undefined, pageHost: string): string {
  const [, host = "127.0.0.1", port = "4318"] = /^(.*):(\d+)$/.exec(listener ?? "") ?? [];
  const wildcard = host === "0.0.0.0" || host === "[::]" || host === "" || host === "*";
  return `http://${wildcard ? pageHost : host}:${port}`;
}
