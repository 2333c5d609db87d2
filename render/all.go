package render

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"specgraft/components/lock"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render/kept"
)

// A Status says what became of a component.
type Status string

// The statuses.
const (
	OK        Status = "ok"
	Error     Status = "error"
	Cancelled Status = "cancelled"
)

// An Outcome is what a run did with one component.
type Outcome struct {
	Component string       `json:"component"`
	OutputDir string       `json:"outputDir"`
	Status    Status       `json:"status"`
	Error     string       `json:"error,omitempty"`    // all errors, one per line
	Expected  bool         `json:"expected,omitempty"` // the failure is expected, by build.failure.expected
	Changed   bool         `json:"changed"`            // the output tree was not, or would not stay, as it was
	Commit    string       `json:"commit,omitempty"`   // upstream commit
	Changes   []Change     `json:"changes,omitempty"`
	Files     []FileReason `json:"files,omitempty"` // with RunOptions.ExplainFiles
	Diags     diag.List    `json:"-"`
	// Wanted are the files that the directory should have, with
	// RunOptions.Check where Changed is set.
	Wanted []*overlay.File `json:"-"`
}

// RunOptions say how to render many components.
type RunOptions struct {
	Jobs     int  // components at a time; 0 is one for each processor
	Check    bool // compare with the output tree and leave it alone
	FailFast bool // start no further component after an unexpected failure

	// Verify renders and reads everything, whatever is known of the tree.
	Verify bool

	ExplainFiles bool // give each outcome the verdicts of the file filter
}

// Run renders components and brings the output tree up to date, each component
// for itself: the failure of one stops no other. Outcomes are handed to emit in
// the order of names, each as soon as it and those before it are done; emit is
// never called twice at once. When the context ends, or the tree cannot be
// written, the components not yet done are left as they are and come out
// cancelled.
func (r *Renderer) Run(ctx context.Context, out *Output, names []string, opt RunOptions, emit func(*Outcome)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs := opt.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	index := func() *treeIndex { return nil }
	if !opt.ExplainFiles {
		// It is read while the first components' inputs are found out.
		index = sync.OnceValue(func() *treeIndex { return r.openIndex(out) })
		go index()
		defer func() { index().save() }()
	}
	locks := lock.Open(r.Project)
	defer locks.Close()
	earlier := r.openResults()
	defer earlier.Close()
	inOrder := newSequence(len(names), emit)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(jobs, len(names)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(names) {
					return
				}
				o := r.one(ctx, out, known{locks, index, earlier}, names[i], opt)
				if fatal(o.Diags) || opt.FailFast && o.Status == Error && !o.Expected {
					cancel()
				}
				inOrder.put(i, o)
			}
		})
	}
	workers.Wait()
}

// A sequence hands on what several goroutines come to in another order in the
// order that it is wanted in. It is handed on by whoever has just brought what was
// missing, so that nobody has to be woken for it; the others do not wait for that.
type sequence struct {
	emit func(*Outcome)

	mu       sync.Mutex
	ready    []*Outcome
	next     int
	emitting bool // somebody is
}

func newSequence(n int, emit func(*Outcome)) *sequence {
	return &sequence{emit: emit, ready: make([]*Outcome, n)}
}

// put brings outcome i.
func (s *sequence) put(i int, o *Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready[i] = o
	if s.emitting {
		return
	}
	s.emitting = true
	for s.next < len(s.ready) && s.ready[s.next] != nil {
		o, s.ready[s.next] = s.ready[s.next], nil
		s.next++
		s.mu.Unlock()
		s.emit(o)
		s.mu.Lock()
	}
	s.emitting = false
}

// fatal reports whether the output tree cannot be written, which will be no
// different for the next component.
func fatal(l diag.List) bool {
	for _, d := range l {
		if d.Code == "render/write" {
			return true
		}
	}
	return false
}

// known is what the components of a run are looked up in.
type known struct {
	locks   *lock.Dir
	index   func() *treeIndex // nil where nothing is known of the tree
	results *kept.Results
}

// one renders a component and compares or writes it.
func (r *Renderer) one(ctx context.Context, out *Output, k known, name string, opt RunOptions) (o *Outcome) {
	o = &Outcome{Component: name, Status: Cancelled}
	if validName(name) {
		o.OutputDir = filepath.Join(out.Dir, filepath.FromSlash(ComponentDir(name)))
	}
	defer func() {
		if p := recover(); p != nil {
			// A bug of ours, which must not take the other components along.
			o.fail(diag.List{{Code: "render/internal", Component: name, Env: true, Message: fmt.Sprintf("internal error: %v", p),
				Hint: "the component is as it was; please report this"}})
		}
	}()
	if ctx.Err() != nil {
		return o
	}
	var in *inputs
	if r.CacheDir != "" && !opt.ExplainFiles {
		in = r.inputs(ctx, k.locks, name)
	}
	if in != nil && !opt.Verify {
		if x := k.index(); x != nil {
			if same := r.reuse(out, x, name, in); same != nil {
				same.OutputDir = o.OutputDir
				return same
			}
		}
		if was := k.results.Get(name, in.kept()); was != nil {
			defer was.Release()
			o.Status, o.Commit, o.Diags = OK, in.commit, was.Diags
			r.settle(out, o, was.Files, opt)
			if o.Wanted != nil {
				o.Wanted = was.Own()
			}
			k.index().note(out, o, in, was.Files, opt)
			return o
		}
	}
	res := r.named(ctx, name, in, r.filter)
	if ctx.Err() != nil {
		return o
	}
	o.Diags, o.Commit = res.Diags, res.Upstream.Commit
	if !validName(name) {
		o.fail(nil) // there is no directory to say so in
		return o
	}
	files := res.Files
	o.Status = OK
	if res.Failed() {
		o.fail(nil)
		for _, d := range res.Diags {
			if d.Severity == diag.Error && d.Env {
				return o // not the component's fault: leave what is there
			}
		}
		o.Expected = res.Config != nil && res.Config.Build.Failure.Expected
		files = failedFiles()
	}
	if d := r.wentDown(res, o.OutputDir); d != nil {
		o.fail(diag.List{*d})
		return o // what there is stands for the newer version
	}
	if opt.ExplainFiles && !res.Failed() {
		o.Files = res.FileReasons()
	}
	if o.Status != OK || in != nil && !r.stillThere(res.Config, in) {
		in = nil // nothing is known of it next time
	}
	if in != nil {
		k.results.Put(name, in.kept(), files, o.Diags)
	}
	r.settle(out, o, files, opt)
	k.index().note(out, o, in, files, opt)
	return o
}

// settle compares the directory of a component with the files that it should
// have, or makes it so.
func (r *Renderer) settle(out *Output, o *Outcome, files []*overlay.File, opt RunOptions) {
	name := o.Component
	var err error
	if opt.Check {
		o.Changes, err = out.Compare(name, files)
	} else {
		o.Changes, err = out.Write(name, files)
	}
	if o.Changed = len(o.Changes) > 0; o.Changed && opt.Check {
		o.Wanted = files
	}
	if d := out.aliasTaken(name); d != nil && err == nil {
		if l := overlay.Adjust(diag.List{*d}, r.levels()); l.HasErrors() {
			o.fail(l)
		} else {
			o.Diags = append(o.Diags, l...)
		}
	}
	if err != nil {
		d, ok := errors.AsType[*diag.Diagnostic](err)
		if !ok {
			d = outputError(o.OutputDir, err)
		}
		c := *d
		c.Component = name
		o.fail(diag.List{c})
	}
}

// fail adds diagnostics and makes the outcome an error.
func (o *Outcome) fail(l diag.List) {
	o.Diags = append(o.Diags, l...)
	o.Status = Error
	var lines []string
	for _, d := range o.Diags {
		if d.Severity == diag.Error {
			lines = append(lines, d.Error())
		}
	}
	o.Error = strings.Join(lines, "\n")
}
