import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, redirect } from "@tanstack/react-router";
import { Frame } from "./frame/Frame";
import { TopBar } from "./frame/TopBar";
import { Notice } from "./parts/Notice";
import { readTraceView } from "./trace/view";
import { readSearch } from "./traces/search";
import { TracesPage } from "./traces/TracesPage";

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    // the router expects its redirects thrown
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw redirect({ to: "/traces", replace: true });
  },
});
const traces = createRoute({ getParentRoute: () => root, path: "/traces", validateSearch: readSearch, component: TracesPage });
const trace = createRoute({
  getParentRoute: () => root,
  path: "/traces/$traceId",
  validateSearch: readTraceView,
  component: lazyRouteComponent(() => import("./trace/TracePage"), "TracePage"),
});
const status = createRoute({
  getParentRoute: () => root,
  path: "/status",
  component: lazyRouteComponent(() => import("./status/StatusPage"), "StatusPage"),
});

/** Addresses are plain: `?service=shop&min=500ms`, text as it is, nothing wrapped in JSON. */
export const router = createRouter({
  routeTree: root.addChildren([home, traces, trace, status]),
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const pairs = Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === "string");
    const text = new URLSearchParams(pairs).toString().replaceAll("%3A", ":");
    return text && `?${text}`;
  },
  defaultPreload: "intent",
  defaultPendingMs: 300,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function NotFound() {
  return (
    <>
      <TopBar title="Not found" />
      <Notice
        code="404"
        title="There is no such page"
        actions={
          <Link to="/traces" className="button">
            all traces
          </Link>
        }
      >
        <p>
          Nothing is at <code>{location.pathname}</code>.
        </p>
      </Notice>
    </>
  );
}
