// Package upstream has the commands that fetch packaging and move pins and locks.
package upstream
