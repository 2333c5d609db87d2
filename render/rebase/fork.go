package rebase

import (
	"context"
	"fmt"

	"specgraft/components/distro"
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
