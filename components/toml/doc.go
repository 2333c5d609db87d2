// Package toml reads TOML documents with the position of every key and value, and the
// tokens of those that are still being typed.
package toml
