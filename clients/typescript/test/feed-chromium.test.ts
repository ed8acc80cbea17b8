import { after, before, describe } from "node:test";
import { findChromium } from "./support/chromium.js";
import { Pages } from "./support/page.js";
import { scenarios } from "./support/scenarios.js";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium on PATH: no feed is read in a browser";

describe("a feed in Chromium", { concurrency: true, skip }, () => {
  let pages: Pages;
  before(async () => {
    pages = await Pages.open(chromium!);
  });
  after(() => pages.close());
  scenarios(() => pages.reader);
});
