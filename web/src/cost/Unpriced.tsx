import { useQuery } from "@tanstack/react-query";
import { type Figures, type Group, summaryQuery } from "../api/llm";
import { all, condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import type { Range } from "../frame/range";
import { count, short } from "../format/number";
import { type Column, Table } from "../parts/Table";

/** Calls that have no known price, by model: what the sums lack. Absent where there are none. */
export function Unpriced({ range, totals }: { range: Range; totals: Figures | undefined }) {
  const some = (totals?.unpriced_calls ?? 0) > 0;
  const { data } = useQuery({ ...summaryQuery(range, { by: ["provider", "model"], filter: "unpriced_reason:*", order: "-calls", limit: 50 }), enabled: some });
  if (!totals || !some) return null;
  const columns: Column<Group>[] = [
    { key: "model", label: "model", render: ({ group }) => <>{group.model} <span className="faint">{group.provider}</span></> },
    {
      key: "calls",
      label: "calls",
      right: true,
      render: (row) => (
        <RowsLink range={range} of="calls" q={all("unpriced_reason:*", condition("model_name", row.group.model ?? null), condition("provider", row.group.provider ?? null))}>
          {count(row.calls)}
        </RowsLink>
      ),
    },
    { key: "input", label: "tokens in", right: true, render: (row) => short(Number(row.input_tokens)) },
    { key: "output", label: "tokens out", right: true, render: (row) => short(Number(row.output_tokens)) },
  ];
  return (
    <section>
      <div className="section-head">
        <h2>{count(totals.unpriced_calls)} calls have no known price</h2>
        <span className="faint">
          <code>[[prices.override]]</code> in the configuration gives a model a price; <code>observatory prices recompute</code> then prices what is stored.
        </span>
      </div>
      <Table label="calls without a price" columns={columns} rows={data?.items} rowKey={({ group }) => `${group.provider ?? ""}/${group.model ?? ""}`} />
    </section>
  );
}
