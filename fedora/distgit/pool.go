package distgit

import (
	"context"
	"slices"
	"sync"
)

// A Pool opens repositories and keeps the open packs and processes of closed ones
// for their next readers. It is safe for concurrent use.
type Pool struct {
	git *Git
	ctx context.Context

	mu   sync.Mutex
	idle []idleRepo // oldest first
}

// An idleRepo is what waits for the next reader of the same repository.
type idleRepo struct {
	place   string
	batch   *batch       // a running process, or nil
	objects *objectStore // open packs, or nil
}

func (i idleRepo) end() {
	if i.batch != nil {
		i.batch.stop()
	}
	if i.objects != nil {
		i.objects.close()
	}
}

const maxIdle = 8

// NewPool returns an empty pool whose processes end with ctx.
func NewPool(ctx context.Context, g *Git) *Pool { return &Pool{git: g, ctx: ctx} }

// Open opens the repository at exactly a directory, with what an earlier
// reader left open; false when there is none.
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
			r.batch, r.objects = idle.batch, idle.objects
			break
		}
	}
	return r, true
}

// keep takes what a closed repository had open.
func (p *Pool) keep(i idleRepo) {
	p.mu.Lock()
	if p.ctx.Err() == nil {
		if i.objects != nil {
			i.objects.forget()
		}
		p.idle = append(p.idle, i)
		i = idleRepo{}
		if len(p.idle) > maxIdle {
			i = p.idle[0]
			p.idle = slices.Delete(p.idle, 0, 1)
		}
	}
	p.mu.Unlock()
	i.end()
}

// Drop lets go of what is open in one directory, whose files are to change.
func (p *Pool) Drop(dir string) {
	p.mu.Lock()
	var drop []idleRepo
	p.idle = slices.DeleteFunc(p.idle, func(i idleRepo) bool {
		if i.place == dir {
			drop = append(drop, i)
		}
		return i.place == dir
	})
	p.mu.Unlock()
	for _, i := range drop {
		i.end()
	}
}

// Close ends what waits.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, i := range idle {
		i.end()
	}
}
