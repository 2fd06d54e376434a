import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Dimension, dollars, topQuery } from "../api/llm";
import { condition } from "../explore/condition";
import { RowsLink } from "../explore/link";
import type { Range } from "../frame/range";
import { short } from "../format/number";
import { BarList } from "../parts/BarList";
import { Money } from "../parts/Money";

const SHOWN = 6;

/** The dearest models, applications and users. */
export function Breakdown({ range }: { range: Range }) {
  return (
    <div className="overview-row">
      <By dimension="model" field="model_name" title="By model" range={range} more={<Link to="/models" search={range}>all models</Link>} />
      <By dimension="application" field="application" title="By application" range={range} more={<Link to="/cost" search={range}>cost by anything</Link>} />
      <By dimension="user" field="user" title="By user" range={range} more={<Link to="/users" search={range}>all users</Link>} />
    </div>
  );
}

interface Props {
  dimension: Dimension;
  field: string;
  title: string;
  range: Range;
  more: React.ReactNode;
}

function By({ dimension, field, title, range, more }: Props) {
  const { data } = useQuery(topQuery(range, dimension, SHOWN));
  return (
    <BarList
      title={title}
      head="spend"
      aside="calls"
      none="No calls in this time range."
      more={more}
      rows={data?.items.map((item) => ({
        key: item.name ?? "",
        name: (
          <RowsLink range={range} of="calls" q={condition(field, item.name)} sort="-cost">
            {item.name ?? <span className="faint">without {dimension}</span>}
          </RowsLink>
        ),
        size: dollars(item.total_cost_usd),
        value: <Money value={item.total_cost_usd} unpriced={item.unpriced_calls} said="sign" />,
        aside: short(item.calls),
      }))}
    />
  );
}
