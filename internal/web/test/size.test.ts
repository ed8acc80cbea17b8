import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const most = 60_000;

test("the page is small: 60 kB, packed", async () => {
  const files = await Promise.all(["index.html", "page.css", "page.js"].map((name) => readFile(`dist/${name}`)));
  const packed = files.map((file) => gzipSync(file, { level: 9 }).length);
  const size = packed.reduce((sum, each) => sum + each, 0);
  assert.ok(packed.every((each) => each > 100) && size < most, `it has ${packed.join(" + ")} = ${size} bytes`);
});
