package editor

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"specgraft/components"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/editor/buffer"
)

// Options say how a session looks at its project.
type Options struct {
	Load components.Options // Dir, Text and Cache are the session's
	// Renderer opens a renderer of a loaded project that never uses the
	// network.
	Renderer func(p *components.Project) (*render.Renderer, error)
	// Codes are the ids of all diagnostic codes there are.
	Codes []diag.Code
	Arch  string // architecture that specs are evaluated for; empty means x86_64
	// Check returns what the command line adds to the problems of loading.
	Check func(p *components.Project) diag.List
}

// A Session is one project as an editor has it. Its methods may be called from
// several goroutines.
type Session struct {
	Dir   string // absolute directory of azldev.toml
	opt   Options
	cache components.Cache

	mu      sync.Mutex
	texts   map[string]*buffer.Text // of open files, by absolute path
	version int                     // counts changes of texts and files
	epoch   int                     // counts changes of files that are no text of the editor's
	current *Snapshot

	loading sync.Mutex // held while a snapshot is made

	healthMu sync.Mutex
	health   map[string]*health // by component
	specs    map[string]*specState
	trees    map[string]upstreamTree // packaging by component
}

// NewSession returns a session of the project in a directory.
func NewSession(dir string, opt Options) *Session {
	return &Session{Dir: dir, opt: opt, texts: map[string]*buffer.Text{}, health: map[string]*health{}, specs: map[string]*specState{}, trees: map[string]upstreamTree{}}
}

// SetText tells the text of a file that is open; nil closes it.
func (s *Session) SetText(path string, text *buffer.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == nil {
		delete(s.texts, path)
	} else {
		s.texts[path] = text
	}
	s.version++
}

// Changed tells that files were written, made or removed by somebody else.
func (s *Session) Changed(paths []string) {
	for _, p := range paths {
		s.cache.Forget(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.epoch++
}

// SetArch chooses the architecture that specs are evaluated for.
func (s *Session) SetArch(arch string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Arch = arch
	s.version++
}

func (s *Session) arch() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.Arch
}

// Version counts the changes that the session was told of.
func (s *Session) Version() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// Text returns the text of a file that is open, nil for any other.
func (s *Session) Text(path string) *buffer.Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts[path]
}

// Open returns the paths of the files that are open, sorted.
func (s *Session) Open() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.texts))
}

// Close lets go of the project. What still works on a snapshot of it goes on.
func (s *Session) Close() {
	s.mu.Lock()
	s.current = nil
	s.mu.Unlock()
}

// A Snapshot is the project as it is at one moment.
type Snapshot struct {
	*Session
	Project *components.Project // nil when there is none
	Version int
	texts   map[string]*buffer.Text
	epoch   int
	loaded  diag.List
	checks  map[string]check
	shared  bool // everything but single components is as in the snapshot before
	changed map[string]bool

	quickOnce sync.Once
	quick     *render.Renderer
	quickErr  error

	filesOnce sync.Once
	byFile    map[string][]string // components by file

	checkOnce sync.Once
	problems  diag.List
}

// A check is what config check says of a component.
type check struct {
	c     *components.Component
	diags diag.List
	files []string
}

// Snapshot returns the project as it is now.
func (s *Session) Snapshot() *Snapshot {
	s.loading.Lock()
	defer s.loading.Unlock()
	s.mu.Lock()
	old, version, epoch, texts := s.current, s.version, s.epoch, maps.Clone(s.texts)
	s.mu.Unlock()
	if old != nil && old.Version == version {
		return old
	}
	snap := &Snapshot{Session: s, Version: version, texts: texts, epoch: epoch, changed: map[string]bool{}}
	if s.Dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.current = snap
		return snap // files of no project
	}
	opt := s.opt.Load
	opt.Dir, opt.Cache = s.Dir, &s.cache
	opt.Text = func(path string) (string, bool) {
		if t := texts[path]; t != nil {
			return t.S, true
		}
		return "", false
	}
	snap.Project, snap.loaded = components.Load(opt)
	snap.compare(old)
	s.mu.Lock()
	s.current = snap
	s.mu.Unlock()
	return snap
}

// compare finds out what has changed since an earlier snapshot.
func (s *Snapshot) compare(old *Snapshot) {
	if old == nil || old.Project == nil || s.Project == nil || old.epoch != s.epoch {
		return
	}
	s.shared = s.Project.SameBut(old.Project)
	for path, t := range s.texts {
		if o := old.texts[path]; o == nil || o.S != t.S {
			s.changed[path] = true
		}
	}
	for path := range old.texts {
		if s.texts[path] == nil {
			s.changed[path] = true
		}
	}
	if s.shared {
		s.checks = old.checkAll()
	}
}

// name returns the path of a file as positions have it.
func (s *Snapshot) name(path string) string {
	if s.Project == nil {
		return path
	}
	return s.Project.Display(path)
}

// path returns the absolute path of the file of a position.
func (s *Snapshot) path(name string) string {
	name = filepath.FromSlash(name)
	switch {
	case name == "" || filepath.IsAbs(name):
		return name
	}
	return filepath.Join(s.Dir, name)
}

// checkAll returns what config check says of each component. Components whose
// files did not change are as they were.
func (s *Snapshot) checkAll() map[string]check {
	s.check()
	return s.checks
}

// check resolves the components.
func (s *Snapshot) check() diag.List {
	s.checkOnce.Do(func() {
		if s.Project == nil {
			s.problems = s.loaded
			return
		}
		old := s.checks
		names := s.Project.Names()
		now := make([]check, len(names))
		changed := map[string]bool{} // as positions name files
		for path := range s.changed {
			changed[s.name(path)] = true
		}
		var wg sync.WaitGroup
		const chunk = 256
		for start := 0; start < len(names); start += chunk {
			wg.Go(func() {
				for i := start; i < min(start+chunk, len(names)); i++ {
					if o, ok := old[names[i]]; ok && !o.touched(s.changed, changed) && !slices.ContainsFunc(s.Project.DefinedIn(names[i]), func(f string) bool { return s.changed[f] }) {
						now[i] = o
						continue
					}
					c := check{diags: s.Project.CheckComponent(names[i])}
					if c.c, _ = s.Project.Component(names[i]); c.c != nil {
						c.files = c.c.OwnFiles()
					}
					now[i] = c
				}
			})
		}
		wg.Wait()
		s.checks = make(map[string]check, len(names))
		lists := make([]diag.List, len(names))
		for i, n := range names {
			s.checks[n] = now[i]
			lists[i] = now[i].diags
		}
		s.problems = s.Project.JoinChecks(s.loaded, lists)
		if s.opt.Check != nil {
			s.problems = append(s.problems, s.opt.Check(s.Project)...)
		}
		s.problems = append(s.problems, s.Project.CheckProfile()...)
		levels := map[string]overlay.Level{}
		for code, level := range s.Project.Settings.Lint {
			if len(code) > 4 && (code[:4] == "pin/" || len(code) > 7 && code[:7] == "config/") {
				levels[code] = overlay.Level(level)
			}
		}
		s.problems = overlay.Adjust(s.problems, levels)
		s.problems.Sort()
	})
	return s.problems
}

// touched reports whether one of the files that a component is made from, or
// that its problems speak of, has changed.
func (c *check) touched(paths, names map[string]bool) bool {
	for _, f := range c.files {
		if paths[f] {
			return true
		}
	}
	if c.c == nil {
		return true
	}
	for i := range c.diags {
		d := &c.diags[i]
		if names[d.Pos.Filename] {
			return true
		}
		for _, r := range d.Related {
			if names[r.Pos.Filename] {
				return true
			}
		}
	}
	return false
}

// ComponentsOf returns the components that a configuration file or overlay
// document defines or changes, sorted.
func (s *Snapshot) ComponentsOf(path string) []string {
	s.filesOnce.Do(func() {
		s.byFile = map[string][]string{}
		for name, c := range s.checkAll() {
			for _, f := range c.files {
				s.byFile[f] = append(s.byFile[f], name)
			}
		}
		for _, names := range s.byFile {
			slices.Sort(names)
		}
	})
	return s.byFile[path]
}

// Component returns a component without the errors that config check has for it,
// nil when it has some.
func (s *Snapshot) Component(name string) *components.Component {
	if s.Project == nil {
		return nil
	}
	c, problems := s.Project.Component(name)
	if problems.HasErrors() {
		return nil
	}
	return c
}

// named returns a component although it may have errors, nil for none.
func (s *Snapshot) named(name string) *components.Component {
	if s.Project == nil || name == "" {
		return nil
	}
	c, _ := s.Project.Component(name)
	return c
}

// quickly returns a renderer without history, for what must come at once.
func (s *Snapshot) quickly() (*render.Renderer, error) {
	s.quickOnce.Do(func() {
		if s.quick, s.quickErr = s.opt.Renderer(s.Project); s.quickErr == nil {
			s.quick.Lint, s.quick.WithoutHistory, s.quick.Unsaved = true, true, s.unsaved
		}
	})
	return s.quick, s.quickErr
}

// unsaved returns the text of a file that is open.
func (s *Snapshot) unsaved(path string) ([]byte, bool) {
	t := s.texts[path]
	if t == nil {
		return nil, false
	}
	return []byte(t.S), true
}

// sameMaterial reports whether the editor has the same texts of what a component
// is made of beside its configuration as it had in an earlier snapshot.
func (s *Snapshot) sameMaterial(old *Snapshot, c *components.Component) bool {
	same := func(path string) bool {
		a, b := s.texts[path], old.texts[path]
		return a == b || a != nil && b != nil && a.S == b.S
	}
	for i := range c.Overlays {
		if op := &c.Overlays[i]; op.Source != "" && !same(op.Source) {
			return false
		}
	}
	own := func(string) bool { return false }
	switch c.Spec.Type {
	case "template":
		own = isTemplate
	case "local":
		dir := filepath.Dir(c.Spec.Path) + string(filepath.Separator)
		own = func(path string) bool { return strings.HasPrefix(path, dir) && filepath.Ext(path) != ".toml" }
	}
	for _, texts := range []map[string]*buffer.Text{s.texts, old.texts} {
		for path := range texts {
			if own(path) && !same(path) {
				return false
			}
		}
	}
	return true
}

// deeply returns a renderer that does all that the command line does, prepared
// for one component.
func (s *Snapshot) deeply(ctx context.Context, name string) (*render.Renderer, diag.List, error) {
	r, err := s.opt.Renderer(s.Project)
	if err != nil {
		return nil, nil, err
	}
	r.Lint, r.Unsaved = true, s.unsaved
	problems := r.Prepare(ctx, []string{name}, false)
	return r, problems, nil
}
