import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { statusQuery } from "../api/queries";
import type { JobStatus, Status } from "../api/types";
import { TopBar } from "../frame/TopBar";
import { duration } from "../format/duration";
import { bytes, count, short } from "../format/number";
import { Failed } from "../parts/Failed";
import { CheckIcon, ErrorIcon } from "../parts/icons";
import { Figure } from "../parts/Figure";
import { Ago } from "../parts/now";
import { field, flat, instant, isObject, words } from "./fields";
import { Sampled } from "./Sampled";
import "./status.css";

const POINTS = 90; // three minutes at one every two seconds

/** How the observatory itself is doing, fresh every two seconds. */
export function StatusPage() {
  const { data, error, dataUpdatedAt } = useQuery(statusQuery);
  const [rates, setRates] = useState<{ at: number; values: number[] }>({ at: 0, values: [] });
  if (dataUpdatedAt !== rates.at) setRates({ at: dataUpdatedAt, values: [...rates.values.slice(1 - POINTS), Number(data?.ingest?.spans_per_s ?? 0)] });
  return (
    <>
      <TopBar title="Status">{data && <span className="faint">version {data.version}</span>}</TopBar>
      {data ? (
        <div className="status" tabIndex={0} role="region" aria-label="status">
          <Figures status={data} rates={rates.values} />
          <div className="status-groups">
            <Rooms status={data} />
          </div>
          {data.sampling && <Sampled sampling={data.sampling} />}
          <Jobs jobs={data.jobs ?? []} />
        </div>
      ) : (
        <Failed error={error} what="The status could not be read" />
      )}
    </>
  );
}

function Figures({ status, rates }: { status: Status; rates: readonly number[] }) {
  const { ingest = {}, journal = {}, storage = {} } = status;
  const queue = Number(ingest.queue_bytes ?? 0);
  const limit = Number(ingest.queue_limit_bytes ?? 0);
  const accepting = status.accepting?.ok !== false;
  const broken = Array.isArray(storage.broken) ? storage.broken.length : 0;
  return (
    <div className="figures">
      <Figure name="accepting" value={<span className={accepting ? "is-good" : "is-error"}>{accepting ? "yes" : "no"}</span>}>
        up {duration((status.uptime_s ?? 0) * 1000)} · {status.decoder ?? "unknown"} decoder
      </Figure>
      <Figure name="spans per second" value={short(Number(ingest.spans_per_s ?? 0))} spark={rates}>
        {count(Number(ingest.spans ?? 0))} since start
      </Figure>
      <Figure name="ingest queue" value={bytes(queue)} side={<Meter value={queue} of={limit} />}>
        {limit ? `of ${bytes(limit)}` : "no limit"}
      </Figure>
      <Figure name="journal" value={bytes(Number(journal.bytes ?? 0))}>
        {count(Number(journal.open_rows ?? 0))} rows not yet in segments, oldest {duration(Number(journal.oldest_open_s ?? 0) * 1000)}
      </Figure>
      <Figure name="stored" value={bytes(Number(storage.bytes ?? 0))}>
        {count(Number(storage.rows ?? 0))} rows in {count(Number(storage.segments ?? 0))} segments
        {broken > 0 && <span className="is-error">, {count(broken)} broken</span>}
      </Figure>
      <Figure name="disk free" value={bytes(Number(storage.disk_free_bytes ?? 0))} />
    </div>
  );
}

function Meter({ value, of }: { value: number; of: number }) {
  if (!(of > 0)) return null;
  return (
    <div className="meter" role="meter" aria-label="how full" aria-valuemin={0} aria-valuemax={of} aria-valuenow={value} aria-valuetext={`${bytes(value)} of ${bytes(of)}`}>
      <div style={{ width: `${Math.min(100, (100 * value) / of)}%` }} />
    </div>
  );
}

const SHOWN = ["accepting", "sampling"]; // elsewhere on the page

/** Every object of the status as a table of its fields: rooms that come later show up by themselves. */
function Rooms({ status }: { status: Status }) {
  const rooms = Object.entries(status).filter((pair): pair is [string, Record<string, unknown>] => isObject(pair[1]) && !SHOWN.includes(pair[0]));
  const rest = Object.entries(status).filter(([name, value]) => !isObject(value) && name !== "jobs");
  return (
    <>
      {rooms.map(([name, fields]) => (
        <Room key={name} name={name} fields={flat(fields)} />
      ))}
      <Room name="server" fields={rest} />
    </>
  );
}

function Room({ name, fields }: { name: string; fields: [string, unknown][] }) {
  return (
    <section className="room">
      <h2>{words(name)}</h2>
      <dl>
        {fields.map(([key, value]) => (
          <div key={key} className={key === "broken" && Array.isArray(value) && value.length > 0 ? "is-error" : undefined}>
            <dt>{words(key)}</dt>
            <dd className="number">
              <Said name={key} value={value} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Said({ name, value }: { name: string; value: unknown }) {
  const time = instant(name, value);
  return time === null ? field(name, value) : <Ago ms={time} />;
}

const KNOWN = ["name", "state", "last_run", "last_error", "done"];

function Jobs({ jobs }: { jobs: JobStatus[] }) {
  if (jobs.length === 0) return null;
  return (
    <section className="room">
      <h2>jobs</h2>
      <table className="jobs">
        <thead>
          <tr>
            {["job", "state", "last run", "tasks done", "last error"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.name}>
              <th scope="row">{job.name}</th>
              <td>
                {job.state ?? "—"}
                {Object.entries(job)
                  .filter(([name, value]) => !KNOWN.includes(name) && value !== null && value !== 0)
                  .map(([name, value]) => (
                    <span key={name} className="faint">
                      {" "}
                      · {words(name)} {field(name, value)}
                    </span>
                  ))}
              </td>
              <td>{job.last_run ? <Said name="last_run" value={job.last_run} /> : "never"}</td>
              <td className="number">{field("done", job.done)}</td>
              <td className={job.last_error ? "is-error" : "is-good"}>
                {job.last_error ? <ErrorIcon /> : <CheckIcon />} {job.last_error ?? "none"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
