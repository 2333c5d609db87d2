// Package toml reads TOML documents with the position of every key and value.
package toml
