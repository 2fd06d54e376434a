import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, redirect } from "@tanstack/react-router";
import { arriving } from "./frame/arriving";
import { Broken, Fetching } from "./frame/Fallbacks";
import { Frame } from "./frame/Frame";
import { readRange } from "./frame/range";
import { TopBar } from "./frame/TopBar";
import { type Page, PAGES } from "./pages";
import { Notice } from "./parts/Notice";
import { fromSessions, fromTraces } from "./explore/search";
import { readTraceView } from "./trace/view";

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound });

/** The route of a row of `PAGES`. */
function route<const P extends Page>(page: P) {
  const path: P["path"] = page.path; // as written, so that links are checked
  return createRoute({
    getParentRoute: () => root,
    path,
    validateSearch: page.readSearch as P["readSearch"],
    component: lazyRouteComponent(() => arriving(path, async () => ({ default: await page.load() }))),
  });
}
type Routes<T extends readonly Page[]> = { [N in keyof T]: ReturnType<typeof route<T[N]>> };

// where the list of traces was: links that people kept lead to the same rows
const traces = createRoute({
  getParentRoute: () => root,
  path: "/traces",
  beforeLoad: ({ search }) => {
    // the router expects its redirects thrown
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw redirect({ to: "/explore", search: fromTraces(search as Record<string, unknown>), replace: true });
  },
});
// sessions are rows of the explorer; their own address is what the rail says, and what people kept
const sessions = createRoute({
  getParentRoute: () => root,
  path: "/sessions",
  beforeLoad: ({ search }) => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw redirect({ to: "/explore", search: fromSessions(search as Record<string, unknown>), replace: true });
  },
});
const trace = createRoute({
  getParentRoute: () => root,
  path: "/traces/$traceId",
  validateSearch: readTraceView,
  component: lazyRouteComponent(() => arriving("/traces/$traceId", () => import("./trace/TracePage")), "TracePage"),
});

const session = createRoute({
  getParentRoute: () => root,
  path: "/sessions/$sessionId",
  validateSearch: readRange,
  component: lazyRouteComponent(() => arriving("/sessions/$sessionId", () => import("./sessions/SessionPage")), "SessionPage"),
});

/** Addresses are plain: `?service=shop&min=500ms`, text as it is, nothing wrapped in JSON. */
export const router = createRouter({
  routeTree: root.addChildren([...(PAGES.map(route) as unknown as Routes<typeof PAGES>), traces, trace, sessions, session]),
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const pairs = Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === "string");
    const text = new URLSearchParams(pairs).toString().replaceAll("%3A", ":");
    return text && `?${text}`;
  },
  defaultPreload: "intent",
  defaultPendingMs: 300,
  defaultPendingComponent: Fetching,
  defaultErrorComponent: Broken,
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
          <Link to="/explore" className="button">
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
