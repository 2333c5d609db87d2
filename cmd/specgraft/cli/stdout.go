package cli

import (
	"io"
	"sync"
)

// A pipe is a stdout that is not a terminal: a file, a pipe, a device. It
// remembers that something could not be written to it, whoever wrote it and
// whether or not that one looked: a command whose results nobody got has failed.
type pipe struct {
	w   io.Writer
	mu  sync.Mutex
	err error // the first one
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err // what follows a gap is worth nothing
	}
	n, err := p.w.Write(b)
	p.err = err
	return n, err
}

// lost returns why results could not be written, or nil.
func (g *Globals) lost() error {
	p, ok := g.Stdout.(*pipe)
	if !ok {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
