package autospec

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

// TestGolden processes the histories in testdata. Each is a txtar archive whose
// comment says which rule it is about; the file "history" has one line per
// commit, oldest first:
//
//	ID: [<PARENT...>] [tree=ID] [PATH=FILE...] [KEY=VALUE...] "message"
//
// Parents are the commit before unless given. The tree is that of the
// first parent (or of the commit named by tree=) with the files given: the
// content is that of an archive member, of the sample spec with a version
// ("@1.0"), or nothing, which removes the file. PATH+x=FILE makes it
// executable. Keys author, date (of the committer) and encoding replace
// what is made up. Instead of an ID, "worktree" changes files after the checkout,
// "nogit" takes the repository away, and "shallow" names commits whose
// parents are cut off.
//
// The file "want" holds the result: an error, "unchanged", or the spec. With
// the sample spec, only its header and generated part are shown.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no files in testdata")
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := goldenResult(t, a)
			want := ""
			for i := range a.Files {
				if a.Files[i].Name == "want" {
					want = string(a.Files[i].Data)
					a.Files[i].Data = []byte(got)
				}
			}
			if got == want {
				return
			}
			if *update {
				if want == "" {
					a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(got)})
				}
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("result differs (-want +got):\n%s", cmp.Diff(want, got))
		})
	}
}

// sampleSpec is the spec that "@VERSION" stands for.
const sampleSpec = `Name:     sample
Version:  %s
Release:  %%autorelease
Summary:  Sample
License:  MIT

%%description
Sample.

%%prep

%%files

%%changelog
%%autochangelog
`

type golden struct {
	t       *testing.T
	members map[string][]byte
	m       *memory
	ids     map[string]string
	trees   map[string]map[string]memoryFile
	last    string
	sampled bool // the spec is the sample
}

func goldenResult(t *testing.T, a *txtar.Archive) string {
	g := &golden{t: t, members: map[string][]byte{}, m: newMemory(), ids: map[string]string{}, trees: map[string]map[string]memoryFile{}}
	g.m.shallow = map[string]bool{}
	for _, f := range a.Files {
		g.members[f.Name] = f.Data
	}
	in := Input{Name: "sample", Evaluator: NewEvaluator(macro.Config{}), Now: time.Unix(1735734896, 0)}
	var work map[string]memoryFile
	inGit := true
	for line := range strings.Lines(string(g.members["history"])) {
		id, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case id == "" || id[0] == '#':
		case !ok:
			t.Fatalf("history: %q is not ID: ...", line)
		case id == "worktree":
			work = maps.Clone(g.trees[g.last])
			for _, field := range strings.Fields(rest) {
				g.file(work, field)
			}
		case id == "nogit":
			inGit = false
		case id == "lenient":
			in.NoErrorOnUnparseable = true
		case id == "user":
			name, mail, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(rest), ">"), " <")
			in.User = User{name, mail}
		case id == "shallow":
			for _, field := range strings.Fields(rest) {
				g.m.shallow[g.ids[field]] = true
			}
		default:
			g.commit(id, rest)
		}
	}
	tracked := g.trees[g.last]
	if work == nil {
		work = tracked
	}
	in.Spec = work["sample.spec"].data
	in.Files = filesAt(work)
	if inGit {
		in.Graph = Upstream(NewLog("sample.spec", func() (History, error) { return g.m, nil }), g.ids[g.last])
		for name, f := range tracked {
			w, ok := work[name]
			if !ok || w.mode != f.mode || !bytes.Equal(w.data, f.data) {
				in.Dirty = true
				in.ChangelogRemoved = in.ChangelogRemoved || name == "changelog" && !ok
			}
		}
	}
	res, err := Process(in)
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		message := d.Error()
		if d.Code == "autospec/unknown-version" || d.Code == "autospec/spec-rejected" {
			where, _, _ := strings.Cut(d.Message, ":")
			message = where + ": ... [" + d.Code + "]" // the evaluator's words are tested with it
		}
		for name, id := range g.ids {
			message = strings.ReplaceAll(message, short(id), name)
		}
		return "error: " + message + "\n"
	} else if err != nil {
		t.Fatal(err)
	}
	if !res.Changed {
		return "unchanged\n"
	}
	if !g.sampled {
		return string(res.Apply(in.Spec))
	}
	return strings.Join(slices.Concat(res.Header, []string{"[...]"}, res.Append), "\n") + "\n"
}

// commit adds one line of a history.
func (g *golden) commit(id, rest string) {
	var parents []string
	if g.last != "" {
		parents = []string{g.last}
	}
	rest = strings.TrimSpace(rest)
	if list, after, ok := strings.Cut(strings.TrimPrefix(rest, "<"), ">"); ok && strings.HasPrefix(rest, "<") {
		parents, rest = strings.Fields(list), after
	}
	message := id + "\n"
	if i := strings.IndexByte(rest, '"'); i >= 0 {
		text, err := strconv.Unquote(rest[i:])
		if err != nil {
			g.t.Fatalf("history: commit %s: message %s: %v", id, rest[i:], err)
		}
		message, rest = text, rest[:i]
	}
	when := 1704189600 + 86400*int64(len(g.ids))
	author, encoding := "Ann Packager <ann@example.org>", ""
	files := map[string]memoryFile{}
	if len(parents) > 0 {
		maps.Copy(files, g.trees[parents[0]])
	}
	for _, field := range strings.Fields(rest) {
		key, value, ok := strings.Cut(field, "=")
		switch {
		case !ok:
			g.t.Fatalf("history: commit %s: %q is not KEY=VALUE", id, field)
		case key == "tree":
			files = maps.Clone(g.trees[value])
		case key == "author":
			author = string(bytes.TrimSpace(g.members[value]))
		case key == "date":
			d, err := time.Parse(time.RFC3339, value)
			if err != nil {
				g.t.Fatal(err)
			}
			when = d.Unix()
		case key == "encoding":
			encoding = "encoding " + value + "\n"
		case key == "message":
			message = string(g.members[value])
		default:
			g.file(files, field)
		}
	}
	g.trees[id] = files
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", g.m.tree(files))
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", g.ids[p])
	}
	fmt.Fprintf(&b, "author %s 1 +0000\ncommitter Com Mitter <com@example.org> %d +0000\n%s\n%s", author, when, encoding, message)
	g.ids[id] = g.m.put("commit", b.Bytes())
	g.last = id
}

// file carries out PATH=CONTENT.
func (g *golden) file(files map[string]memoryFile, field string) {
	path, content, _ := strings.Cut(field, "=")
	mode := "100644"
	if p, ok := strings.CutSuffix(path, "+x"); ok {
		path, mode = p, "100755"
	}
	version, sample := strings.CutPrefix(content, "@")
	switch data, ok := g.members[content]; {
	case content == "":
		delete(files, path)
	case sample:
		g.sampled = g.sampled || path == "sample.spec"
		files[path] = memoryFile{mode, fmt.Appendf(nil, sampleSpec, version)}
	case ok:
		files[path] = memoryFile{mode, data}
	default:
		files[path] = memoryFile{mode, []byte(content + "\n")}
	}
}
