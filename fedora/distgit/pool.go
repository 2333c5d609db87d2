package distgit

import (
	"context"
	"slices"
	"sync"
)

// A Pool opens repositories and keeps the processes of closed ones for their
// next readers. It is safe for concurrent use.
type Pool struct {
	git *Git
	ctx context.Context

	mu   sync.Mutex
	idle []idleBatch // oldest first
}

// An idleBatch is a running process that waits for the next reader of the same
// repository.
type idleBatch struct {
	place string
	batch *batch
}

const maxIdle = 8

// NewPool returns an empty pool whose processes end with ctx.
func NewPool(ctx context.Context, g *Git) *Pool { return &Pool{git: g, ctx: ctx} }

// Open opens the repository at exactly a directory, with a running process
// where one is idle; false when there is none.
func (p *Pool) Open(dir string) (*Repo, bool) {
	at, ok := FindDir(dir)
	if !ok {
		return nil, false
	}
	r := newRepo(p.ctx, p.git, at)
	r.home, r.place = p, dir
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, idle := range p.idle {
		if idle.place == dir {
			p.idle = slices.Delete(p.idle, i, i+1)
			r.batch = idle.batch
			break
		}
	}
	return r, true
}

// keep takes the process of a closed repository for the next reader.
func (p *Pool) keep(dir string, b *batch) {
	p.mu.Lock()
	if p.ctx.Err() == nil {
		p.idle = append(p.idle, idleBatch{dir, b})
		b = nil
		if len(p.idle) > maxIdle {
			b = p.idle[0].batch
			p.idle = slices.Delete(p.idle, 0, 1)
		}
	}
	p.mu.Unlock()
	if b != nil {
		b.stop()
	}
}

// Drop ends the idle processes of one directory, whose files are to change.
func (p *Pool) Drop(dir string) {
	p.mu.Lock()
	var drop []idleBatch
	p.idle = slices.DeleteFunc(p.idle, func(i idleBatch) bool {
		if i.place == dir {
			drop = append(drop, i)
		}
		return i.place == dir
	})
	p.mu.Unlock()
	for _, i := range drop {
		i.batch.stop()
	}
}

// Close ends all idle processes.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, i := range idle {
		i.batch.stop()
	}
}
