import { CallsPanel } from "./calls-panel.js";
import { DayBar } from "./day-bar.js";
import { Side } from "./side.js";
import { mint } from "./token.js";
import { Tricks } from "./tricks.js";

export function App() {
  return (
    <>
      <header class="top">
        <h1>Bookings</h1>
        <p>Two people, one backend: book a free hour on one side, and see the other change in the same moment.</p>
        {mint && <a href="docs">API reference</a>}
      </header>
      <main>
        <DayBar />
        <div class="sides">
          <Side role="customer" />
          <Side role="provider" />
        </div>
        <Tricks />
        <CallsPanel />
      </main>
    </>
  );
}
