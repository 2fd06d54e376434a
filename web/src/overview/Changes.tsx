import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { errorsQuery } from "../api/llm";
import { newModelsQuery } from "../models/news";
import { condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import type { Range } from "../frame/range";
import { short } from "../format/number";
import { ErrorIcon, NewIcon } from "../parts/icons";

/** What was not there in the seven days before: models that were never called, failures that never happened. Nothing is said when nothing is new. */
export function Changes({ range }: { range: Range }) {
  const models = useQuery(newModelsQuery(range)).data ?? [];
  const errors = useQuery(errorsQuery(range, { limit: 20, order: "-first" })).data?.items.filter((item) => item.before === 0) ?? [];
  if (models.length === 0 && errors.length === 0) return null;
  return (
    <section className="changes" aria-label="what is new">
      <h2>New in this time</h2>
      <ul>
        {models.slice(0, 4).map((model) => (
          <li key={model.name}>
            <NewIcon /> model{" "}
            <RowsLink range={range} of="calls" q={condition("model_name", model.name)}>
              {model.name}
            </RowsLink>{" "}
            <span className="faint">{short(model.calls)} calls</span>
          </li>
        ))}
        {errors.slice(0, 4).map((error) => (
          <li key={`${error.service_name ?? ""}${error.name}${error.error_type ?? ""}${error.pattern ?? ""}`}>
            <span className="is-error">
              <ErrorIcon />
            </span>{" "}
            <Link to="/traces/$traceId" params={{ traceId: error.trace_id }} search={{ span: error.span_id }} title={error.message ?? undefined}>
              {error.error_type ?? error.message ?? error.name}
            </Link>{" "}
            <span className="faint">
              in {error.name}, {short(error.count)}×
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
