import { changed } from "./changes.js";
import { problemOf } from "./words.js";
import type { Both } from "./world.js";

/** A sentence about what has just been seen. */
export interface Step {
  readonly text: string;
  /** Whether it is what was promised; left out where nothing was. */
  readonly kept?: boolean;
  /** One word for each of many outcomes. */
  readonly outcomes?: readonly string[];
}

export type Say = (text: string, more?: Omit<Step, "text">) => void;

/** Something that can be shown with two people. */
export class Trick {
  steps: readonly Step[] = [];
  running = false;

  constructor(
    readonly name: string,
    readonly promise: string,
    private readonly play: (both: Both, say: Say) => Promise<void>,
  ) {}

  async run(both: Both): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.steps = [];
    const say: Say = (text, more) => {
      this.steps = [...this.steps, { text, ...more }];
      changed();
    };
    changed();
    try {
      await this.play(both, say);
    } catch (error) {
      say(problemOf(error).text, { kept: false });
    } finally {
      this.running = false;
      changed();
    }
  }
}
