package rebase

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/edit"
	"specgraft/fedora"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/overlay/spec"
)

// TreeAt returns a component's packaging as an upstream commit has it.
func TreeAt(ctx context.Context, store *fedora.Store, u distro.Upstream, name, commit string) (*overlay.Tree, error) {
	snap, err := store.Snapshot(ctx, u.URL, commit)
	if err != nil {
		return nil, err
	}
	t := &overlay.Tree{Name: name, Files: make(map[string]*overlay.File, len(snap.Files))}
	for i := range snap.Files {
		f := &snap.Files[i]
		if f.Path != u.Name+".spec" {
			t.Files[f.Path] = overlay.LazyFile(f.Path, f.Mode, f.Size, f.Bytes)
			continue
		}
		data, err := f.Bytes()
		if err != nil {
			return nil, err
		}
		t.Spec = spec.Parse(name+".spec", data)
	}
	if t.Spec == nil {
		return nil, &diag.Diagnostic{Code: "render/no-spec", Component: name, Message: fmt.Sprintf("%s at commit %.12s has no %s.spec", u.URL, commit, u.Name)}
	}
	return t, nil
}

// A Nearest is the upstream commit that a forked spec comes from, as far as
// its text can tell.
type Nearest struct {
	Commit string
	Same   int // lines of the fork's spec that the commit's spec has, too
	Lines  int // lines of the fork's spec
	Looked int // versions of the spec that were compared
}

// maxVersions bounds how many versions of a spec a fork is compared with.
const maxVersions = 3000

// NearestCommit returns the commit before or at head whose spec has the most
// lines in common with that of a fork; the newest of several.
func NearestCommit(ctx context.Context, store *fedora.Store, u distro.Upstream, head string, fork *spec.File) (Nearest, error) {
	repo, err := store.Repo(ctx, u.URL)
	if err != nil {
		return Nearest{}, err
	}
	defer repo.Close()
	file := u.Name + ".spec"
	logs, err := repo.PathLog(ctx, head, file)
	if err != nil {
		return Nearest{}, err
	}
	want := map[string]int{}
	for i := range fork.Len() {
		want[fork.Line(i).Text]++
	}
	best := Nearest{Lines: fork.Len()}
	most := -1 << 31
	for _, c := range logs[file] {
		if c.Blob == "" {
			continue
		}
		if best.Looked++; best.Looked > maxVersions {
			break
		}
		data, err := repo.Blob(c.Blob)
		if err != nil {
			return Nearest{}, err
		}
		f := spec.Parse(file, data)
		left := make(map[string]int, len(want))
		same := 0
		for i := range f.Len() {
			if t := f.Line(i).Text; left[t] < want[t] {
				left[t]++
				same++
			}
		}
		// What the commit has beyond the fork counts against it.
		if score := 2*same - f.Len(); score > most {
			most, best.Same, best.Commit = score, same, c.Commit
		}
	}
	if best.Commit == "" {
		return best, &diag.Diagnostic{Code: "render/no-spec", Message: fmt.Sprintf("%s never had a %s", u.URL, file)}
	}
	return best, nil
}

// A Fork is a package that somebody keeps apart from its upstream, and the upstream
// commit that it is compared with.
type Fork struct {
	Name          string
	Upstream      distro.Upstream
	Commit        string
	Near          *Nearest // how the commit was found; nil when it was given
	Before, After *overlay.Tree
}

// OpenFork compares a fork, as ReadFork reads it, with a commit of its upstream: the
// nearest one when none is given.
func OpenFork(ctx context.Context, store *fedora.Store, u distro.Upstream, commit string, after *overlay.Tree) (*Fork, error) {
	f := &Fork{Name: after.Name, Upstream: u, After: after}
	var err error
	f.Commit, err = store.Resolve(ctx, fedora.Request{URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Commit: commit, Component: f.Name})
	if err != nil {
		return nil, err
	}
	if commit == "" {
		near, err := NearestCommit(ctx, store, u, f.Commit, after.Spec)
		if err != nil {
			return nil, err
		}
		f.Near, f.Commit = &near, near.Commit
	}
	f.Before, err = TreeAt(ctx, store, u, f.Name, f.Commit)
	return f, err
}

// Config returns the TOML of a component that is taken from the upstream commit.
func (f *Fork) Config() ([]byte, error) {
	e, problems := edit.Edit("", nil)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for _, kv := range [][2]string{{"type", "upstream"}, {"upstream-name", f.Upstream.Name}, {"upstream-commit", f.Commit}} {
		if kv[0] == "upstream-name" && f.Upstream.Name == f.Name {
			continue
		}
		if err := e.Set([]string{"components", f.Name, "spec", kv[0]}, kv[1]); err != nil {
			return nil, err
		}
	}
	return e.Bytes(), nil
}

// ForkUpstream returns the upstream of a component that is, or has, a fork.
func ForkUpstream(p *components.Project, c *components.Component) (distro.Upstream, error) {
	u, problems := p.Upstream(c)
	if problems.HasErrors() && !c.IsUpstream() {
		// The component is the fork: it has no upstream yet.
		u, problems = likelyUpstream(p, c)
	}
	return u, problems.Err()
}

// likelyUpstream returns the upstream that a component with a spec of its own
// would have if it had one like the others; without others, that of the
// distribution which its own settings or the defaults name.
func likelyUpstream(p *components.Project, c *components.Component) (distro.Upstream, diag.List) {
	for _, n := range p.Names() {
		other, problems := p.Component(n)
		if problems.HasErrors() || !other.IsUpstream() {
			continue
		}
		mine := *other
		mine.Name, mine.Spec.UpstreamName, mine.Spec.UpstreamCommit = c.Name, c.Spec.UpstreamName, ""
		return p.Upstream(&mine)
	}
	mine := *c
	mine.Spec.Type, mine.Spec.Path = "upstream", ""
	return p.Upstream(&mine)
}

// maxForkSpec bounds the spec of a fork, in bytes; the largest in Fedora has 11 MB.
const maxForkSpec = 256 << 20

// ReadFork reads the directory of a package. An error of the file system is an
// *fs.PathError with the name of the directory.
func ReadFork(dir, name string) (*overlay.Tree, error) {
	t := &overlay.Tree{Name: name, Files: map[string]*overlay.File{}}
	err := eachFile(dir, func(root *os.Root, p string, e fs.DirEntry) error {
		info, err := e.Info()
		if err != nil {
			return err
		}
		if p == name+".spec" && info.Size() > maxForkSpec {
			return fmt.Errorf("%s has more than %d MiB", p, maxForkSpec>>20)
		}
		data, err := root.ReadFile(p)
		if err != nil {
			return err
		}
		if p == name+".spec" {
			t.Spec = spec.Parse(filepath.Join(dir, p), data)
			return nil
		}
		t.Files[p] = overlay.NewFile(p, info.Mode().Perm(), data, nil)
		return nil
	})
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: dir, Err: err}
	}
	if t.Spec == nil {
		return nil, &diag.Diagnostic{Code: "absorb/input", Message: fmt.Sprintf("%s has no %s.spec", dir, name), Hint: "the spec bears the name of the package"}
	}
	return t, nil
}
