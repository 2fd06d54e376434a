import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { statusQuery } from "../api/queries";
import { clock } from "../format/time";
import { PLACES } from "../pages";
import { ChevronIcon, ErrorIcon, SearchIcon } from "../parts/icons";
import { LastSearch } from "../traces/memory";
import type { ExploreSearch } from "../explore/search";
import { useLostSince } from "./connection";
import { Help } from "./Help";
import { useKeys } from "./keys";
import { Palette } from "./Palette";
import { readRange } from "./range";
import { useStored } from "./stored";
import { ThemeSwitch } from "./Theme";

/** What stands around every page: the rail, banners, and the keys that work everywhere. */
export function Frame() {
  const [small, setSmall] = useStored<boolean>("rail-small", false);
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const search = useSearch({ strict: false });
  const range = readRange(search);
  const at = useLocation({ select: ({ pathname }) => pathname });
  // what is looked at in a list is of the list's place
  const here = at === "/explore" && "of" in search && search.of === "sessions" ? "/sessions" : at.startsWith("/traces/") ? "/explore" : (/^\/[^/]*/.exec(at)?.[0] ?? "/");
  const lost = useLostSince();
  const navigate = useNavigate();
  const leader = useRef(0);
  useKeys({
    "?": () => setHelp(true),
    g: () => (leader.current = Date.now()),
    ...Object.fromEntries(
      PLACES.map(({ key, path }) => [
        key,
        () => {
          if (Date.now() - leader.current >= 1000) return false; // the key is the page's own
          void navigate({ to: path, search: range });
          return true;
        },
      ]),
    ),
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setPalette((old) => !old);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const lastSearchRef = useRef<ExploreSearch>({});
  return (
    <div className={`frame${small ? " is-small" : ""}`}>
      <a className="skip" href="#main">
        skip to content
      </a>
      <nav className="rail" aria-label="pages">
        <Link to="/" className="brand" title="LLM Observatory">
          <img src="/icon.svg" width="20" height="20" alt="" />
          <span>Observatory</span>
        </Link>
        <button type="button" className="rail-find" title="go to anything (⌘K or Ctrl K)" onClick={() => setPalette(true)}>
          <SearchIcon />
          <span>go to …</span>
          <kbd>⌘K</kbd>
        </button>
        <ul>
          {PLACES.map(({ path, title, Icon }) => (
            <li key={path}>
              <Link to={path} search={range} title={title} aria-current={path === here ? "page" : undefined} className={path === here ? "is-here" : undefined}>
                <Icon />
                <span>{title}</span>
              </Link>
            </li>
          ))}
        </ul>
        <div className="rail-foot">
          <ThemeSwitch />
          <button type="button" className="quiet" aria-label="keyboard help" title="keyboard help (?)" onClick={() => setHelp(true)}>
            <span className="help-mark">?</span>
          </button>
          <button type="button" className="quiet rail-fold" aria-label={small ? "widen the rail" : "narrow the rail"} aria-expanded={!small} onClick={() => setSmall(!small)}>
            <ChevronIcon turn={small ? 0 : 180} />
          </button>
        </div>
      </nav>
      <div className="content">
        <Banners lost={lost} />
        <main id="main" tabIndex={-1} className={lost === null ? undefined : "is-lost"}>
          <LastSearch value={lastSearchRef}>
            <Outlet />
          </LastSearch>
        </main>
      </div>
      <Help open={help} onClose={() => setHelp(false)} />
      <Palette open={palette} onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />
    </div>
  );
}

/** What must be known on every page: nothing answers, nothing is accepted, or the slow decoder runs. */
function Banners({ lost }: { lost: number | null }) {
  const { data } = useQuery(statusQuery);
  if (lost !== null) {
    return (
      <div className="banner is-error" role="alert">
        <ErrorIcon />
        <p>
          <strong>The observatory does not answer</strong> since {clock(new Date(lost))}. What you see is as of then; this page tries again every two seconds and
          comes back by itself. Is <code>observatory serve</code> running?
        </p>
      </div>
    );
  }
  return (
    <>
      {data?.accepting?.ok === false && (
        <div className="banner is-error" role="alert">
          <ErrorIcon />
          <p>
            <strong>New telemetry is not being accepted:</strong> {data.accepting.reason ?? "no reason was given"}. What is stored can still be read; well-behaved
            clients wait and send again.
          </p>
        </div>
      )}
      {data?.decoder === "reference" && (
        <div className="banner is-warning" role="alert">
          <ErrorIcon />
          <p>
            <strong>The slow decoder is running.</strong> The compiled kernel is missing, so ingest is many times slower than it could be. Install the compiled wheel,
            or a C compiler and run <code>make setup</code>.
          </p>
        </div>
      )}
    </>
  );
}
