package autospec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/distgit"
	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

func specOf(version string) string { return fmt.Sprintf(sampleSpec, version) }

// processed returns release number and changelog of a graph's HEAD.
func processed(t testing.TB, g *Graph, text string) (int64, string) {
	t.Helper()
	res, err := Process(Input{Name: "sample", Spec: []byte(text), Graph: g, Evaluator: literal})
	if err != nil {
		t.Fatal(err)
	}
	return res.Release, strings.Join(res.Append, "\n")
}

func TestCycle(t *testing.T) {
	t.Parallel()
	id := func(c string) string { return strings.Repeat(c, 40) }
	h := &forged{commits: map[string][]string{id("a"): {id("b")}, id("b"): {id("c")}, id("c"): {id("b")}}}
	_, err := Process(Input{Name: "sample", Spec: []byte(specOf("1")), Evaluator: literal,
		Graph: Upstream(NewLog("sample.spec", func() (History, error) { return h, nil }), id("a"))})
	if err == nil || !strings.Contains(err.Error(), "cycle") {
		t.Errorf("error is %v", err)
	}
	_, err = Synthesize(NewLog("sample.spec", func() (History, error) { return h, nil }), id("a"), id("d"),
		[]Change{{Hash: "x", Upstream: id("a")}}, Worktree{})
	if err == nil {
		t.Error("no error from Synthesize")
	}
}

// forged is a history that git could not have made.
type forged struct{ commits map[string][]string }

func (f *forged) Commit(id string) (*distgit.Commit, error) {
	return &distgit.Commit{ID: id, Tree: id, Parents: f.commits[id], AuthorLine: "A <a@b>"}, nil
}
func (f *forged) Tree(string) ([]distgit.TreeEntry, error) { return nil, nil }
func (f *forged) Blob(string) ([]byte, error)              { return nil, nil }
func (f *forged) Shallow() map[string]bool                 { return nil }

func TestCache(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ids := m.line(t,
		memoryCommit{"Import\n", map[string]string{"sample.spec": specOf("1")}},
		memoryCommit{"Old entries\n", map[string]string{"changelog": "* Old\n- Old\n"}},
		memoryCommit{"Update\n", map[string]string{"sample.spec": specOf("2")}},
		memoryCommit{"Rebuild\n", nil},
	)
	cache := Cache{Dir: filepath.Join(t.TempDir(), "logs")}
	evaluations := 0
	counting := Evaluator{Key: "counting", Eval: literal.Eval}
	counting.Eval = func(spec string, text []byte, files fs.FS) Facts {
		evaluations++
		return literal.Eval(spec, text, files)
	}
	run := func(open func() (History, error)) string {
		t.Helper()
		log := cache.Log("https://example.org/sample.git", "sample.spec", open)
		res, err := Process(Input{Name: "sample", Spec: []byte(specOf("2")), Graph: Upstream(log, ids[3]), Evaluator: counting})
		if err != nil {
			t.Fatal(err)
		}
		if err := cache.Save(log); err != nil {
			t.Fatal(err)
		}
		return string(res.Apply([]byte(specOf("2"))))
	}
	cold := run(func() (History, error) { return m, nil })
	if evaluations != 2 {
		t.Errorf("%d evaluations of 2 different specs", evaluations)
	}
	warm := run(func() (History, error) { t.Error("the history was opened"); return m, nil })
	if diff := cmp.Diff(cold, warm); diff != "" {
		t.Errorf("warm differs (-cold +warm):\n%s", diff)
	}
	if evaluations != 2 {
		t.Errorf("%d evaluations after a warm run", evaluations)
	}

	// A damaged file is as good as none.
	files, _ := filepath.Glob(filepath.Join(cache.Dir, "*", "*"))
	if len(files) != 1 {
		t.Fatalf("files in the cache: %q", files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range [][]byte{nil, data[:len(data)/2], append([]byte("x"), data...), append(data[:len(data):len(data)], 0)} {
		if err := os.WriteFile(files[0], broken, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := run(func() (History, error) { return m, nil }); got != cold {
			t.Errorf("after damage: %s", got)
		}
	}
	for i := range data {
		log := NewLog("sample.spec", nil)
		damaged := append([]byte(nil), data...)
		damaged[i] ^= 0x55
		if log.decode(damaged) == nil {
			t.Fatalf("a change of byte %d was not noticed", i)
		}
	}
}

// TestShallowIsNoFact makes sure that the boundary of a shallow clone does not
// survive in the cache.
func TestShallowIsNoFact(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ids := m.line(t,
		memoryCommit{"One\n", map[string]string{"sample.spec": specOf("1")}},
		memoryCommit{"Two\n", nil},
		memoryCommit{"Three\n", nil},
	)
	cache := Cache{Dir: t.TempDir()}
	for _, shallow := range []bool{true, false} {
		m.shallow = map[string]bool{ids[1]: shallow}
		log := cache.Log("key", "sample.spec", func() (History, error) { return m, nil })
		n, _ := processed(t, Upstream(log, ids[2]), specOf("1"))
		if want := map[bool]int64{true: 2, false: 3}[shallow]; n != want {
			t.Errorf("shallow %v: release %d, want %d", shallow, n, want)
		}
		if err := cache.Save(log); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCachePrunes makes sure that a Log does not grow with every edit of an
// overlay and every new version of the tool.
func TestCachePrunes(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ids := m.line(t, memoryCommit{"One\n", map[string]string{"sample.spec": specOf("1")}})
	cache := Cache{Dir: t.TempDir()}
	size := func(evaluator, work string) int {
		log := cache.Log("key", "sample.spec", func() (History, error) { return m, nil })
		g, err := Synthesize(log, ids[0], ids[0], []Change{{Hash: "x", When: time.Unix(0, 0), Upstream: ids[0]}}, Worktree{Spec: []byte(work)})
		if err != nil {
			t.Fatal(err)
		}
		ev := Evaluator{Key: evaluator, Eval: literal.Eval}
		if _, err := Process(Input{Name: "sample", Spec: []byte(work), Graph: g, Evaluator: ev}); err != nil {
			t.Fatal(err)
		}
		if err := cache.Save(log); err != nil {
			t.Fatal(err)
		}
		return len(cache.Log("key", "sample.spec", nil).facts)
	}
	for i := range 5 {
		if n := size(fmt.Sprint("v", i/3), specOf("1")+fmt.Sprintf("# edit %d\n", i)); n != 2 {
			t.Errorf("after run %d there are %d facts, want one for upstream and one for the work tree", i, n)
		}
	}
}

func FuzzLog(f *testing.F) {
	m := newMemory()
	ids := m.line(f, memoryCommit{"Import\n", map[string]string{"sample.spec": specOf("1"), "changelog": "x"}}, memoryCommit{"Two\n", nil})
	log := NewLog("sample.spec", func() (History, error) { return m, nil })
	processed(f, Upstream(log, ids[1]), specOf("1"))
	whole := log.encode()
	f.Add(whole[len(logMagic)+32:])
	f.Fuzz(func(t *testing.T, body []byte) {
		log := NewLog("sample.spec", nil)
		if log.decode(sealLog(body)) != nil {
			return
		}
		again := NewLog("sample.spec", nil)
		if err := again.decode(log.encode()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSynthesize(t *testing.T) {
	t.Parallel()
	m := newMemory()
	ids := m.line(t,
		memoryCommit{"Import\n", map[string]string{"sample.spec": specOf("1")}},
		memoryCommit{"Update\n", map[string]string{"sample.spec": specOf("2")}},
		memoryCommit{"Rebuild\n", nil},
		memoryCommit{"Not locked yet\n", nil},
	)
	at := func(day int) time.Time { return time.Date(2026, 4, day, 12, 0, 0, 0, time.UTC) }
	change := func(day int, subject, upstream string) Change {
		return Change{Hash: "abc", Name: "Lo Cker", Email: "lo@example.org", When: at(day), Subject: subject, Upstream: upstream}
	}
	log := func() *Log { return NewLog("sample.spec", func() (History, error) { return m, nil }) }
	for _, test := range []struct {
		name, head, imported string
		changes              []Change
		release              int64
		subjects             string
		dropped              int
		err                  string
	}{
		{name: "first lock", head: ids[2], imported: ids[2], changes: []Change{change(1, "Lock", ids[2])},
			release: 3, subjects: "Lock/2-3 Rebuild/2-2 Update/2-1 Import/1-1"},
		{name: "interleaved", head: ids[2], imported: ids[0], changes: []Change{
			change(1, "Lock", ids[0]), change(2, "Patch", ids[0]), change(3, "Move", ids[2])},
			release: 3, subjects: "Move/2-3 Rebuild/2-2 Update/2-1 Patch/1-3 Lock/1-2 Import/1-1"},
		{name: "without upstream on top", head: ids[2], imported: ids[2], changes: []Change{
			change(1, "Lock", ids[2]), change(2, "Local", ""), change(3, "Again", ids[2])},
			release: 5, subjects: "Again/2-5 Local/2-4 Lock/2-3 Rebuild/2-2 Update/2-1 Import/1-1"},
		{name: "unknown dropped", head: ids[2], imported: ids[1], changes: []Change{
			change(1, "Lost", strings.Repeat("f", 40)), change(2, "Lock", ids[2])},
			release: 3, subjects: "Lock/2-3 Rebuild/2-2 Update/2-1 Import/1-1", dropped: 1},
		{name: "head beyond the lock", head: ids[3], imported: ids[1], changes: []Change{change(1, "Lock", ids[2])},
			release: 3, subjects: "Lock/2-3 Rebuild/2-2 Update/2-1 Import/1-1"},
		{name: "no changes", head: ids[2], imported: ids[0], release: 2, subjects: "Rebuild/2-2 Update/2-1 Import/1-1"},
		{name: "import unknown", head: ids[2], imported: strings.Repeat("e", 40), changes: []Change{change(1, "Lock", ids[2])}, err: "import-commit"},
		{name: "upstream unknown", head: ids[2], imported: ids[0], changes: []Change{change(1, "Lock", strings.Repeat("e", 40))}, err: "upstream-commit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g, err := Synthesize(log(), test.head, test.imported, test.changes, Worktree{Spec: []byte(specOf("2"))})
			if test.err != "" {
				d, ok := errors.AsType[*diag.Diagnostic](err)
				if !ok || d.Code != "autospec/history" || !strings.Contains(d.Message, test.err) {
					t.Fatalf("error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			n, changelog := processed(t, g, specOf("2"))
			if n != test.release {
				t.Errorf("release is %d, want %d", n, test.release)
			}
			if got := subjects(changelog); got != test.subjects {
				t.Errorf("entries are %s, want %s", got, test.subjects)
			}
			if len(g.Dropped) != test.dropped {
				t.Errorf("%d changes dropped, want %d", len(g.Dropped), test.dropped)
			}
		})
	}
	t.Run("new version in the work tree", func(t *testing.T) {
		t.Parallel()
		g, err := Synthesize(log(), ids[2], ids[2], []Change{change(1, "Lock", ids[2]), change(2, "Overlay", ids[2])}, Worktree{Spec: []byte(specOf("3"))})
		if err != nil {
			t.Fatal(err)
		}
		n, changelog := processed(t, g, specOf("3"))
		if got, want := subjects(changelog), "Overlay/3-1 Lock/2-3 Rebuild/2-2 Update/2-1 Import/1-1"; n != 1 || got != want {
			t.Errorf("release %d, entries %s, want %s", n, got, want)
		}
	})
	t.Run("local component", func(t *testing.T) {
		t.Parallel()
		g, err := Synthesize(nil, "", "", []Change{change(1, "Lock", ""), change(2, "Edit", "")}, Worktree{Spec: []byte(specOf("1"))})
		if err != nil {
			t.Fatal(err)
		}
		n, changelog := processed(t, g, specOf("1"))
		if got, want := subjects(changelog), "Edit/1-3 Lock/1-2 Initial sources/1-1"; n != 3 || got != want {
			t.Errorf("release %d, entries %s, want %s", n, got, want)
		}
		if !strings.Contains(changelog, "* Thu Jan 01 1970 azldev <azldev@local>") {
			t.Errorf("first entry is wrong:\n%s", changelog)
		}
	})
}

// subjects shortens a changelog to "SUBJECT/VERSION-RELEASE ...", newest first.
func subjects(changelog string) string {
	var out []string
	evr := ""
	for line := range strings.Lines(changelog) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "* ") {
			evr = line[strings.LastIndex(line, " ")+1:]
		} else if s, ok := strings.CutPrefix(line, "- "); ok {
			out = append(out, s+"/"+evr)
		}
	}
	return strings.Join(out, " ")
}

// longHistory is a repository with n commits of one version.
func longHistory(t testing.TB, n int) (*memory, string) {
	m := newMemory()
	commits := make([]memoryCommit, n)
	for i := range commits {
		commits[i] = memoryCommit{message: fmt.Sprintf("Rebuild number %d for a good reason that takes a line\n\n- one item\n- another item\n", i)}
		if i%10 == 0 {
			commits[i].files = map[string]string{"sample.spec": specOf("1") + fmt.Sprintf("# %d\n", i)}
		}
	}
	ids := m.line(t, commits...)
	return m, ids[n-1]
}

func TestLongHistory(t *testing.T) {
	t.Parallel()
	m, head := longHistory(t, 3000)
	log := NewLog("sample.spec", func() (History, error) { return m, nil })
	n, changelog := processed(t, Upstream(log, head), specOf("1"))
	if got := strings.Count(changelog, "\n* "); n != 3000 || got != 3000 {
		t.Errorf("release %d, %d entries, want 3000 of both", n, got)
	}
	// Two reads a commit and one for each different spec, none twice.
	if limit := 2*3000 + 300; m.reads > limit {
		t.Errorf("%d objects were read, want at most %d", m.reads, limit)
	}
}

func BenchmarkProcess(b *testing.B) {
	m, head := longHistory(b, 5000)
	for _, bench := range []struct {
		name string
		ev   Evaluator
	}{{"walk", literal}, {"evaluate", NewEvaluator(macro.Config{})}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				log := NewLog("sample.spec", func() (History, error) { return m, nil })
				if _, err := Process(Input{Name: "sample", Spec: []byte(specOf("1")), Graph: Upstream(log, head), Evaluator: bench.ev}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("warm", func(b *testing.B) {
		log := NewLog("sample.spec", func() (History, error) { return m, nil })
		in := Input{Name: "sample", Spec: []byte(specOf("1")), Graph: Upstream(log, head), Evaluator: literal}
		if _, err := Process(in); err != nil {
			b.Fatal(err)
		}
		data := log.encode()
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			log := NewLog("sample.spec", nil)
			if err := log.decode(data); err != nil {
				b.Fatal(err)
			}
			in.Graph = Upstream(log, head)
			if _, err := Process(in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestChangeFrom(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC)
	commit := distgit.Commit{ID: "abc", Encoding: "ISO-8859-1", Message: "Gr\xfc\xdfe\nan alle\n\nmehr\n",
		Author: distgit.Ident{Name: "J\xf6rg", Email: "j@example.org", When: when}}
	want := Change{Hash: "abc", Name: "Jörg", Email: "j@example.org", When: when, Subject: "Grüße an alle", Upstream: "def"}
	if diff := cmp.Diff(want, ChangeFrom(&commit, "def")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	commit.Encoding = "klingon"
	if got := ChangeFrom(&commit, "").Name; got != "J\ufffdrg" {
		t.Errorf("name is %q", got)
	}
}
