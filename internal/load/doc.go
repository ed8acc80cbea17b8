// Package load measures the whole: the program as it is built, in processes of its
// own, on a PostgreSQL that keeps its promises (fsync on) and a Redis, both real. Its
// benchmarks are run by `task bench:load`; docs/scaling.md tells what they show.
//
// Everything shares one machine, so absolute figures drift with it. What counts is what
// a benchmark reports as a ratio, or as CPU time, within one run.
package load
