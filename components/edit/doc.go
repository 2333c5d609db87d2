// Package edit changes TOML documents at single places: whatever an edit is not
// about stays as it is, to the byte.
package edit
