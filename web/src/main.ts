import { begin, moment } from "./api/ahead";
import { firstAsked, urlOf } from "./api/asked";

// small, so that it runs at once: it asks, and then fetches the page that shows the answers
for (const url of [urlOf("status"), ...firstAsked(location.pathname, location.search, moment())]) begin(url);
void import("./app");
