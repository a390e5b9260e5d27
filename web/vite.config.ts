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
    restoreMocks: true,
  },
});
