package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is one status line at the bottom of a terminal. On anything else,
// and with --quiet, it prints nothing.
type progress struct {
	t     *terminal // nil: silent
	width int
	last  time.Time
}

// newProgress returns the status line of this run.
func newProgress(g *globals) *progress {
	t, ok := g.stderr.(*terminal)
	if g.quiet || !ok || os.Getenv("TERM") == "dumb" {
		return &progress{}
	}
	width, _, err := term.GetSize(int(t.file.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return &progress{t: t, width: width}
}

// Show replaces the line, at most some ten times per second.
func (p *progress) Show(format string, args ...any) {
	if p.t == nil {
		return
	}
	now := time.Now()
	if now.Sub(p.last) < 80*time.Millisecond {
		return
	}
	line := []rune(fmt.Sprintf(format, args...))
	if len(line) > p.width-1 {
		line = line[:p.width-1]
	}
	p.t.setStatus(string(line))
	p.last = now
}

// Clear takes the line away at the end. Other output does so, too.
func (p *progress) Clear() {
	if p.t != nil {
		p.t.setStatus("")
	}
}
