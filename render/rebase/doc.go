// Package rebase follows overlays through the life of their upstream: what
// becomes of each when upstream moves, which ones have had their day, and how
// edits that were made by hand become overlays.
package rebase
