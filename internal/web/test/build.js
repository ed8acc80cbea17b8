// Bundles the tests into one program, build/page.test.js, so that all of them share
// one server and one browser.
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
if (tests.length === 0) throw new Error("there are no tests");

await build({
  stdin: { contents: tests.map((name) => `import "./${name}";`).join("\n"), resolveDir: "test" },
  outfile: "build/page.test.js",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "inline",
  external: ["playwright-core", "pg-native"],
  // What is written for CommonJS, as pg is, wants this.
  banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` },
});
