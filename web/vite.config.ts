import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// TWOSTROKE_PAGE_OUT: where the build goes (scripts/build_page sets it). TWOSTROKE_URL: the server that `npm run dev`
// talks to. Relative base: the page works behind any path prefix.
const server = process.env.TWOSTROKE_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  plugins: [svelte()],
  build: {
    outDir: process.env.TWOSTROKE_PAGE_OUT ?? "../build/web/dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: URLs
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/health", "/props", "/tokenize", "/apply-template", "/metrics", "/reset_prefix_cache"].map((path) => [
        path,
        server,
      ]),
    ),
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
