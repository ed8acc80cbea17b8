import { render } from "preact";
import { App } from "./app.js";
import { onChange } from "./changes.js";
import { open } from "./world.js";

const place = document.getElementById("app")!;
const draw = () => render(<App />, place);
onChange(draw);
open();
draw();
