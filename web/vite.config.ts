import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// `npm run dev` shows the page with hot reload on top of a server that runs: OBSERVATORY=http://127.0.0.1:4319
const server = process.env.OBSERVATORY ?? "http://127.0.0.1:4319";

/** Writes a `.br` beside every text file of the build, from what is on disk at the end; the server sends it to browsers that take it. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    writeBundle({ dir = "" }, bundle) {
      for (const name of Object.keys(bundle)) {
        const source = readFileSync(join(dir, name));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: source.length };
        if (source.length > 1024) writeFileSync(join(dir, `${name}.br`), brotliCompressSync(source, { params }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), precompress()],
  build: {
    outDir: "../observatory/api/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy allows files of this origin only, no data: scripts or fonts
    modulePreload: { polyfill: false },
    // one file for what pages share: a first look then takes 8 requests and not 25, each of which waits for the one that names it
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "ahead", test: /src\/(api\/(ahead|asked)|frame\/(buckets|range)|format\/time|explore\/(condition|search))\.ts/, priority: 1 }, { name: "shared", test: /src\/(api|charts|format|frame|parts|traces|explore\/(condition|link|rows|search|query))|node_modules\/(?!marked)/, minShareCount: 2 }] } } },
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // the first with light-dark()
  },
  server: { proxy: { "/api": server, "/healthz": server, "/readyz": server, "/metrics": server } },
  test: { include: ["src/**/*.test.ts"], environment: "node", setupFiles: ["vitest.setup.ts"] },
});
