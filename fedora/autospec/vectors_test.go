package autospec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"specgraft/fedora/macro"
	"specgraft/overlay/diag"
)

// A vector is a history with the result that is expected for it. The format is
// that of the published rpmautospec vectors: history.json, expected.json and
// expected.spec in a directory.
type vector struct {
	Name    string         `json:"name"`
	Spec    string         `json:"spec"`
	Rule    string         `json:"rule"`
	NoGit   bool           `json:"no_git"`
	Now     int64          `json:"now"`
	Head    string         `json:"head"`
	Shallow []string       `json:"shallow"`
	Commits []vectorCommit `json:"commits"`
	Config  struct {
		Name  string `json:"user.name"`
		Email string `json:"user.email"`
	} `json:"git_config"`
	Options struct {
		ErrorOnUnparseable *bool `json:"error_on_unparseable_spec"`
	} `json:"options"`
	Worktree struct {
		Files map[string]json.RawMessage `json:"files"`
		Stage []string                   `json:"stage"`
	} `json:"worktree"`
}

type vectorCommit struct {
	ID            string                     `json:"id"`
	Parents       *[]string                  `json:"parents"`
	TreeFrom      string                     `json:"tree_from"`
	Files         map[string]json.RawMessage `json:"files"`
	Author        vectorIdent                `json:"author"`
	Committer     *vectorIdent               `json:"committer"`
	Message       string                     `json:"message"`
	MessageBase64 *string                    `json:"message_base64"`
	Encoding      string                     `json:"encoding"`
}

type vectorIdent struct {
	Name        *string `json:"name"`
	NameBase64  *string `json:"name_base64"`
	Email       *string `json:"email"`
	EmailBase64 *string `json:"email_base64"`
	Date        *string `json:"date"`
}

// line returns the identity as git stores it; what is missing comes from base.
func (v vectorIdent) line(t *testing.T, base vectorIdent) string {
	pick := func(own, ownRaw, other, otherRaw *string) string {
		switch {
		case ownRaw != nil:
			return unbase64(t, *ownRaw)
		case own != nil:
			return *own
		case otherRaw != nil:
			return unbase64(t, *otherRaw)
		case other != nil:
			return *other
		}
		return ""
	}
	date := v.Date
	if date == nil {
		date = base.Date
	}
	when, err := time.Parse(time.RFC3339, *date)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s <%s> %d %s", pick(v.Name, v.NameBase64, base.Name, base.NameBase64),
		pick(v.Email, v.EmailBase64, base.Email, base.EmailBase64), when.Unix(), when.Format("-0700"))
}

func unbase64(t *testing.T, s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// apply changes files as a commit or a work tree of a vector says.
func applyFiles(t *testing.T, files map[string]memoryFile, changes map[string]json.RawMessage) {
	for path, raw := range changes {
		var text *string
		var object struct {
			Content *string `json:"content"`
			Base64  *string `json:"base64"`
			Mode    string  `json:"mode"`
		}
		if err := json.Unmarshal(raw, &text); err == nil {
			if text == nil {
				delete(files, path)
			} else {
				files[path] = memoryFile{"100644", []byte(*text)}
			}
			continue
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			t.Fatal(err)
		}
		f := memoryFile{mode: "100644", data: files[path].data}
		if object.Mode != "" {
			f.mode = object.Mode
		}
		if object.Content != nil {
			f.data = []byte(*object.Content)
		}
		if object.Base64 != nil {
			f.data = []byte(unbase64(t, *object.Base64))
		}
		files[path] = f
	}
}

// build stores the commits of a vector. It returns their names and the files
// at HEAD.
func (v *vector) build(t *testing.T, m *memory) (ids map[string]string, head string, files map[string]memoryFile) {
	ids, trees := map[string]string{}, map[string]map[string]memoryFile{}
	prev := ""
	for i, c := range v.Commits {
		name := c.ID
		if name == "" {
			name = fmt.Sprintf("c%d", i+1)
		}
		var parents []string
		if c.Parents != nil {
			parents = *c.Parents
		} else if prev != "" {
			parents = []string{prev}
		}
		from := c.TreeFrom
		if from == "" && len(parents) > 0 {
			from = parents[0]
		}
		tree := map[string]memoryFile{}
		maps.Copy(tree, trees[from])
		applyFiles(t, tree, c.Files)
		trees[name] = tree

		var b bytes.Buffer
		fmt.Fprintf(&b, "tree %s\n", m.tree(tree))
		for _, p := range parents {
			fmt.Fprintf(&b, "parent %s\n", ids[p])
		}
		committer := c.Author
		if c.Committer != nil {
			committer = *c.Committer
		}
		fmt.Fprintf(&b, "author %s\ncommitter %s\n", c.Author.line(t, c.Author), committer.line(t, c.Author))
		if c.Encoding != "" {
			fmt.Fprintf(&b, "encoding %s\n", c.Encoding)
		}
		message := c.Message
		if c.MessageBase64 != nil {
			message = unbase64(t, *c.MessageBase64)
		}
		b.WriteString("\n" + message)
		ids[name] = m.put("commit", b.Bytes())
		prev = name
	}
	if v.Head != "" {
		prev = v.Head
	}
	m.shallow = map[string]bool{}
	for _, s := range v.Shallow {
		m.shallow[ids[s]] = true
	}
	return ids, ids[prev], trees[prev]
}

// input returns what Process is to be called with.
func (v *vector) input(t *testing.T) (in Input, ids map[string]string) {
	m := newMemory()
	ids, head, tracked := v.build(t, m)
	spec := v.Spec
	if spec == "" {
		spec = v.Name + ".spec"
	}
	work := map[string]memoryFile{}
	maps.Copy(work, tracked)
	applyFiles(t, work, v.Worktree.Files)
	in = Input{
		Name: strings.TrimSuffix(filepath.Base(spec), ".spec"),
		Spec: work[spec].data,
		Now:  time.Unix(v.Now, 0),
		User: User{v.Config.Name, v.Config.Email},
		// The vectors were made with the macros of Debian and these two.
		Evaluator:            NewEvaluator(macro.Config{}),
		NoErrorOnUnparseable: v.Options.ErrorOnUnparseable != nil && !*v.Options.ErrorOnUnparseable,
	}
	files := filesAt(work)
	in.Files = files
	// A repository is used only when it is the spec's own directory.
	if !v.NoGit && !strings.Contains(spec, "/") {
		in.Graph = Upstream(NewLog(spec, func() (History, error) { return m, nil }), head)
	}
	for name, f := range tracked {
		w, ok := work[name]
		if !ok || w.mode != f.mode || !bytes.Equal(w.data, f.data) {
			in.Dirty = true
			in.ChangelogRemoved = in.ChangelogRemoved || name == "changelog" && !ok
		}
	}
	return in, ids
}

type expectation struct {
	Status  string `json:"status"`
	Error   string `json:"error"`
	Commits map[string]struct {
		EpochVersion *string `json:"epoch-version"`
		Release      *int64  `json:"release-number"`
		Complete     *string `json:"release-complete"`
		Error        *string `json:"error"`
		Entries      *int    `json:"changelog-entries"`
	} `json:"commits"`
}

// expectedErrors maps the reference's errors to ours.
var expectedErrors = map[string]string{
	"SpecParseFailure specfile-parse-error": "autospec/spec-rejected",
	"SpecParseFailure specfile-missing":     "autospec/spec-missing",
	"AttributeError":                        "autospec/merge-drops-changelog",
}

// knownDifferences lists vectors that come out otherwise, with the reason.
var knownDifferences = map[string]string{
	"b24-shell-reads-file": "the version is the one of the file in each commit, where the reference evaluates without files first and takes the fallback of the shell command for it",
}

func TestSharedVectors(t *testing.T) {
	t.Parallel()
	dirs, _ := filepath.Glob("../../../shared/autospec/vectors/*/history.json")
	if len(dirs) == 0 {
		t.Skip("no shared vectors beside the repository")
	}
	for _, dir := range dirs {
		runVector(t, filepath.Dir(dir))
	}
}

func runVector(t *testing.T, dir string) {
	name := filepath.Base(dir)
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		problem := checkVector(t, dir)
		why, known := knownDifferences[name]
		switch {
		case problem != "" && known:
			t.Skipf("differs on purpose: %s", why)
		case problem != "":
			t.Error(problem)
		case known:
			t.Errorf("passes, so it is no known difference any more: %s", why)
		}
	})
}

// checkVector returns what is wrong with the result, or nothing.
func checkVector(t *testing.T, dir string) string {
	var v vector
	readJSON(t, filepath.Join(dir, "history.json"), &v)
	var want expectation
	readJSON(t, filepath.Join(dir, "expected.json"), &want)
	in, ids := v.input(t)
	res, err := Process(in)
	if want.Status == "error" {
		code := expectedErrors[want.Error]
		if code == "" {
			t.Fatalf("no equivalent of error %q", want.Error)
		}
		if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != code {
			return fmt.Sprintf("error is %v, want one with code %s", err, code)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("unexpected error: %v", err)
	}
	if res.Changed != (want.Status == "processed") {
		return fmt.Sprintf("changed is %v, want status %q", res.Changed, want.Status)
	}
	wantSpec, err := os.ReadFile(filepath.Join(dir, "expected.spec"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(wantSpec), string(res.Apply(in.Spec))); diff != "" {
		return "spec differs (-want +got):\n" + diff
	}
	return compareFacts(want, res, ids)
}

func compareFacts(want expectation, res *Result, ids map[string]string) string {
	got := map[string]CommitFacts{}
	for _, c := range res.Commits {
		got[c.ID] = c
	}
	for name, w := range want.Commits {
		g, ok := got[ids[name]]
		if !ok {
			return fmt.Sprintf("commit %s was not evaluated", name)
		}
		str := func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		}
		if g.EpochVersion != str(w.EpochVersion) || g.Error != str(w.Error) ||
			w.Release != nil && g.Release != *w.Release || w.Complete != nil && g.Complete != *w.Complete ||
			(g.Entries == nil) != (w.Entries == nil) || w.Entries != nil && *g.Entries != *w.Entries {
			wj, _ := json.Marshal(w)
			gj, _ := json.Marshal(g)
			return fmt.Sprintf("commit %s: got %s, want %s", name, gj, wj)
		}
	}
	return ""
}

func readJSON(t *testing.T, path string, v any) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
