package cli

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// Progress is one status line at the bottom of a terminal. On anything else,
// and with --quiet, it prints nothing.
type Progress struct {
	t     *terminal // nil: silent
	width int
	last  time.Time
}

// NewProgress returns the status line of this run.
func NewProgress(g *Globals) *Progress {
	t, ok := g.Stderr.(*terminal)
	if g.quiet || !ok || os.Getenv("TERM") == "dumb" {
		return &Progress{}
	}
	width, _, err := term.GetSize(int(t.file.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return &Progress{t: t, width: width}
}

// Show replaces the line, at most some ten times per second.
func (p *Progress) Show(format string, args ...any) {
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
func (p *Progress) Clear() {
	if p.t != nil {
		p.t.setStatus("")
	}
}
