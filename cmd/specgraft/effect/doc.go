// Package effect has the commands that show cause and effect: what a
// configuration changes in upstream's packaging, where, and why.
package effect
