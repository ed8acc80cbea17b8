// Builds dist/, which the server embeds. With the versions of package-lock.json it
// comes out the same everywhere, so that CI can build it again and compare.
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

await rm("dist", { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { page: "src/main.tsx" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none", // their licenses are in a file of their own, whole
  metafile: true,
});
await build({ entryPoints: ["src/page.css"], outdir: "dist", minify: true, target: ["chrome123", "firefox120", "safari17.5"] });
await copyFile("src/index.html", "dist/index.html");
await writeFile("dist/page.js.LICENSE.txt", await licenses(Object.keys(metafile.inputs)));

/** The licenses of the packages that are in the bundle. */
async function licenses(inputs) {
  const folders = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
  const texts = await Promise.all([...folders].sort().map(license));
  return `page.js contains these packages, besides what is of this project.\n${texts.join("")}`;
}

async function license(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const text = await readFile(`${folder}/LICENSE`, "utf8").catch(() => "");
  return `\n== ${name} ${version} (${license})\n${text && `\n${text.trim()}\n`}`;
}
