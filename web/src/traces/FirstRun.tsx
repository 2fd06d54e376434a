import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { statusQuery } from "../api/queries";
import { count } from "../format/number";
import { Copy } from "../parts/Copy";
import { LiveIcon } from "../parts/icons";
import { endpointOf, snippets } from "./snippets";

/** The empty page: what to run so that it is not empty. The list takes its place by itself when the first trace is there. */
export function FirstRun() {
  const { data } = useQuery(statusQuery);
  const endpoint = endpointOf(data?.listeners?.otlp_http, location.hostname);
  const ways = snippets(endpoint);
  const [chosen, setChosen] = useState("python");
  const way = ways.find(({ id }) => id === chosen);
  const received = Number(data?.ingest?.spans ?? 0);
  return (
    <section className="firstrun">
      <h2>Send the first trace</h2>
      <p className="muted">
        Anything that speaks OpenTelemetry can be pointed here: OTLP over HTTP at <code>{endpoint}</code>
        {data?.listeners?.otlp_grpc && (
          <>
            , over gRPC at <code>{data.listeners.otlp_grpc}</code>
          </>
        )}
        .
      </p>
      <div className="tabs" role="tablist" aria-label="how to send">
        {ways.map(({ id, title }) => (
          <button key={id} type="button" role="tab" id={`way-${id}`} aria-selected={id === chosen} aria-controls="way" onClick={() => setChosen(id)}>
            {title}
          </button>
        ))}
      </div>
      {way && (
        <div id="way" role="tabpanel" aria-labelledby={`way-${way.id}`} className="snippet">
          <div className="snippet-head">
            <code>{way.hint}</code>
            <Copy text={way.lines} label={`copy the lines for ${way.title}`} wide />
          </div>
          <pre data-way={way.id} tabIndex={0}>
            {way.lines}
          </pre>
        </div>
      )}
      <p className="listening" role="status">
        <LiveIcon /> listening, {count(received)} {received === 1 ? "span" : "spans"} received
      </p>
    </section>
  );
}
