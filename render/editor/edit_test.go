package editor_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/editor"
	"specgraft/render/editor/buffer"
)

// open returns how sessions of a copy of the example are made, with a mirror.
func open(t testing.TB) (dir string, session func() *editor.Session) {
	t.Helper()
	real, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(real, "harbor")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "testdata", "example"))); err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(real, "cache")
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	online, err := fedora.Open(fedora.Options{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	r := &render.Renderer{Project: p, Store: online}
	for _, name := range p.Names() {
		if c, problems := p.Component(name); !problems.HasErrors() {
			_, _, _ = r.Source(t.Context(), c)
		}
	}
	online.Close()
	store, err := fedora.Open(fedora.Options{CacheDir: cache, Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return dir, func() *editor.Session {
		return editor.NewSession(dir, editor.Options{Renderer: func(p *components.Project) (*render.Renderer, error) {
			return &render.Renderer{Project: p, Store: store, CacheDir: cache}, nil
		}})
	}
}

// view is all that an editor shows of the open files.
func view(t testing.TB, s *editor.Session) map[string]diag.List {
	snap := s.Snapshot()
	lists := snap.CheckDiagnostics()
	for _, path := range s.Open() {
		lists[path] = snap.Diagnostics(context.Background(), path, true)
	}
	for path, l := range lists {
		if len(l) == 0 {
			delete(lists, path)
		}
	}
	return lists
}

// words are what random edits insert: what is often typed, and what breaks things.
var words = []string{"\n", "[", "]", "[[", "]]", "\"", "'", "'''", "=", "{", "}", "#", ",", " ", "a", "é", "😀", "type = \"spec-set-tag\"\n", "tag = \"Version\"\n",
	"[[components.hello-harbor.overlays]]\n", "[components.hello-harbor]\n", "value = \"1\"\n", "\x00", "\r\n", "includes = [\"*\"]\n", "overlay-files = [\"overlays/*.toml\"]\n", "%if 1\n", "%endif\n", "%{version}"}

// TestRandomEdits makes random edits to files of the example and compares after
// each 50 what the session shows with what a fresh one does.
// SPECGRAFT_EDIT_TIME, a duration, makes it longer, SPECGRAFT_EDIT_SEED chooses the edits.
func TestRandomEdits(t *testing.T) {
	t.Parallel()
	dir, session := open(t)
	seed := uint64(1)
	limit := time.Duration(0)
	if v := os.Getenv("SPECGRAFT_EDIT_TIME"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			t.Fatal(err)
		}
		limit, seed = d, uint64(time.Now().UnixNano())
	}
	if v := os.Getenv("SPECGRAFT_EDIT_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	rnd := rand.New(rand.NewPCG(seed, 0))
	var files []string
	for _, name := range []string{"azldev.toml", "components/components.toml", "components/hello-harbor/hello-harbor.comp.toml",
		"components/lighthouse/lighthouse.comp.toml", "components/lighthouse/overlays/20-keeper.toml", "distro/fedora.toml",
		"components/harbor-release/harbor-release.spec", "specs/h/hello-harbor/hello-harbor.spec"} {
		files = append(files, filepath.Join(dir, filepath.FromSlash(name)))
	}
	s := session()
	defer s.Close()
	texts := map[string]*buffer.Text{}
	original := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		original[f] = string(b)
		texts[f] = buffer.New(string(b))
		s.SetText(f, texts[f])
	}
	began := time.Now()
	rounds := 0
	for ; rounds < 3 || time.Since(began) < limit; rounds++ {
		for range 50 {
			f := files[rnd.IntN(len(files))]
			edit(rnd, f, texts, original)
			s.SetText(f, texts[f])
			snap := s.Snapshot()
			// Whatever is asked between the edits must change nothing.
			at := texts[f].Point(rnd.IntN(len(texts[f].S) + 1))
			switch rnd.IntN(8) {
			case 0:
				snap.Hover(t.Context(), f, at)
			case 1:
				snap.Complete(t.Context(), f, at)
			case 2:
				snap.Definition(t.Context(), f, at)
			case 3:
				snap.Actions(t.Context(), f, buffer.Span{Start: at, End: at})
			case 4:
				snap.Symbols(f)
				snap.Folds(f)
			case 5:
				snap.Lenses(t.Context(), f)
			case 6:
				snap.Diagnostics(t.Context(), f, false)
			}
		}
		fresh := session()
		for _, f := range files {
			fresh.SetText(f, texts[f])
		}
		got, want := show(t, view(t, s)), show(t, view(t, fresh))
		fresh.Close()
		if d := cmp.Diff(want, got); d != "" {
			for _, f := range files {
				t.Logf("%s: %q", f, texts[f].S)
			}
			t.Fatalf("seed %d, round %d: the session shows something else than a fresh one (-want +got):\n%s", seed, rounds, d)
		}
	}
	t.Logf("seed %d: %d edits", seed, 50*rounds)
}

// edit changes a text at random; now and then it is as on disk again.
func edit(rnd *rand.Rand, f string, texts map[string]*buffer.Text, original map[string]string) {
	text := texts[f].S
	switch n := rnd.IntN(20); {
	case n < 4 || len(text) > 2*len(original[f])+200:
		texts[f] = buffer.New(original[f])
		return
	case n < 10:
		i := rnd.IntN(len(text) + 1)
		texts[f] = buffer.New(text[:i] + words[rnd.IntN(len(words))] + text[i:])
	case n < 14 && len(text) > 0:
		i := rnd.IntN(len(text))
		texts[f] = buffer.New(text[:i] + text[min(len(text), i+1+rnd.IntN(8)):])
	default: // lines move
		lines := strings.SplitAfter(text, "\n")
		i, k := rnd.IntN(len(lines)), rnd.IntN(len(lines))
		switch rnd.IntN(3) {
		case 0:
			lines[i], lines[k] = lines[k], lines[i]
		case 1:
			lines = slices.Insert(lines, i, "# a comment\n")
		case 2:
			lines = slices.Delete(lines, i, min(len(lines), i+1))
		}
		texts[f] = buffer.New(strings.Join(lines, ""))
	}
}

// show writes problems as lines, for comparing.
func show(t testing.TB, m map[string]diag.List) map[string][]string {
	out := map[string][]string{}
	for path, l := range m {
		for i := range l {
			b, err := json.Marshal(l[i])
			if err != nil {
				t.Fatal(err)
			}
			out[path] = append(out[path], string(b))
		}
		slices.Sort(out[path])
	}
	return out
}
