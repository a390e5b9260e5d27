import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The page loads everything from its own origin; the Python package carries the output.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../vega_trio/_web",
    emptyOutDir: true,
    // A data: URL would be refused as a font or a script by the page's content security policy.
    assetsInlineLimit: 0,
    // Every browser that runs the page (ES2022) preloads modules by itself.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What every page but the chat shares is one file: a dozen small ones would each be named in the first load.
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            {
              name: "base",
              test: /node_modules\/(react|react-dom|scheduler|wouter|regexparam|use-sync-external-store|@tanstack\/(react-query|query-core))\//,
            },
            {
              name: "pages",
              test: /src\/(ui\/(Choice|Code|Dialog|Facts|FilterBar|Gauge|Page|Remote|Section|Since)|api\/(lists|manage))\./,
            },
          ],
        },
      },
    },
    license: { fileName: "third-party-licenses.md" },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "/api": process.env.VEGA_URL ?? "http://localhost:3001",
    },
  },
  test: {
    environment: "happy-dom",
    // A file has its own globals, but not a process of its own: three quarters less work for the same tests.
    pool: "vmThreads",
    restoreMocks: true,
  },
});
