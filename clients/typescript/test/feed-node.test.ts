import { describe } from "node:test";
import { openInNode } from "./support/reader.js";
import { scenarios } from "./support/scenarios.js";

describe("a feed in Node", { concurrency: true }, () => scenarios(() => openInNode));
