// Package cli is what all commands share: the global flags, how a project and its
// history are opened, how components and formats are chosen, how things are
// printed, and which exit code comes of it.
package cli
