import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Range } from "../frame/range";
import type { RowKind } from "./search";

interface Props {
  range: Range;
  of?: RowKind;
  q?: string | undefined;
  sort?: string;
  className?: string;
  title?: string | undefined;
  children: ReactNode;
}

/** A link to the rows that something is made of. */
export function RowsLink({ range, of = "traces", q, sort, children, ...more }: Props) {
  const { range: name, from, to } = range;
  return (
    <Link
      to="/explore"
      search={{ ...(name && { range: name }), ...(from && { from }), ...(to && { to }), ...(of !== "traces" && { of }), ...(q && { q }), ...(sort && { sort }) }}
      {...more}
    >
      {children}
    </Link>
  );
}
