// Package static serves files that are in the program, such as pages and their
// scripts: packed for who takes that, and sent anew only when they have changed.
package static
