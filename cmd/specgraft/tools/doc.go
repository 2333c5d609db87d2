// Package tools has the commands about the program itself: its macros, its codes,
// its limits and its version.
package tools
