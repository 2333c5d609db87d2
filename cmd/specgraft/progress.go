package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is one status line at the bottom of a terminal. On anything else,
// and with --quiet, it prints nothing.
type progress struct {
	w     io.Writer // nil: silent
	width int
	last  time.Time
	shown bool
}

// newProgress returns the status line of this run.
func newProgress(g *globals) *progress {
	if g.quiet || !isTerminal(g.stderr) || os.Getenv("TERM") == "dumb" {
		return &progress{}
	}
	width := 80
	if t, ok := g.stderr.(*terminal); ok {
		if w, _, err := term.GetSize(int(t.file.Fd())); err == nil && w > 0 {
			width = w
		}
	}
	return &progress{w: g.stderr, width: width}
}

// Show replaces the line, at most some ten times per second.
func (p *progress) Show(format string, args ...any) {
	if p.w == nil {
		return
	}
	now := time.Now()
	if p.shown && now.Sub(p.last) < 80*time.Millisecond {
		return
	}
	line := []rune(fmt.Sprintf(format, args...))
	if len(line) > p.width-1 {
		line = line[:p.width-1]
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", string(line))
	p.last, p.shown = now, true
}

// Clear takes the line away, before other output and at the end.
func (p *progress) Clear() {
	if p.shown {
		io.WriteString(p.w, "\r\x1b[K")
		p.shown = false
	}
}
