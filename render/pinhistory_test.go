package render_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"specgraft/components"
	"specgraft/fedora"
	"specgraft/render"
)

// A scripted repository gets a date of its own for each commit.
type scripted struct {
	t    testing.TB
	dir  string
	tick int
}

func (s *scripted) git(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	date := fmt.Sprintf("%d +0000", 1735732800+3600*s.tick) // 2025-01-01 12:00 and on
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Kim", "GIT_AUTHOR_EMAIL=kim@example.org",
		"GIT_COMMITTER_NAME=Kim", "GIT_COMMITTER_EMAIL=kim@example.org", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *scripted) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scripted) commit(subject string) string {
	s.tick++
	s.git("add", "-A")
	s.git("commit", "-q", "--allow-empty", "-m", subject)
	return s.git("rev-parse", "HEAD")
}

const pinnedSpec = `Name:     x
Version:  1.0
Release:  5%{?dist}
Summary:  X
License:  MIT
# COMMIT

%description
X.

%changelog
%autochangelog
`

// pinUpstream makes the repository x with the commits u1 to u6, of which u3 is
// a merge of u2 and s1, and the repository y with four commits of one version
// that uses autorelease.
func pinUpstream(t testing.TB) (dir string, commits map[string]string) {
	dir = t.TempDir()
	commits = map[string]string{}
	for _, name := range []string{"x", "y"} {
		r := &scripted{t: t, dir: filepath.Join(dir, name+".git"), tick: -1000}
		if err := os.Mkdir(r.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		r.git("init", "-q", "-b", "f43")
		text := func(id string) string {
			s := strings.Replace(pinnedSpec, "COMMIT", id, 1)
			if name == "y" {
				s = strings.NewReplacer("Name:     x", "Name:     y", "5%{?dist}", "%autorelease").Replace(s)
			}
			return s
		}
		add := func(id string) {
			r.write(name+".spec", text(id))
			if name == "y" {
				id = "y" + id[1:]
			}
			commits[id] = r.commit(id)
		}
		add("u1")
		add("u2")
		if name == "x" {
			r.git("checkout", "-q", "-b", "side", "HEAD~1")
			r.write("side", "side")
			commits["s1"] = r.commit("s1")
			r.git("checkout", "-q", "f43")
			r.tick++
			r.git("merge", "-q", "--no-ff", "-m", "u3", "side")
			commits["u3"] = r.git("rev-parse", "HEAD")
		} else {
			add("u3")
		}
		for _, id := range []string{"u4", "u5", "u6"} {
			add(id)
		}
	}
	return dir, commits
}

// A pinCase is the history of a project and what release and changelog have to
// follow from it. The steps are:
//
//	pin X U       write the generated pin of component X
//	hand X U      write the pin into the component's own file
//	file F TEXT   write a file
//	append F TEXT add to a file
//	rm F, mv F G  remove or move a file
//	commit S      commit everything with the subject S
//	git ARGS      run git
//
// The history is written out by hand from the rule: for each commit that
// touched the file with the pin one entry; those with the last pin, or none, on
// top, those with an older one behind that commit, others dropped.
type pinCase struct {
	name    string
	steps   string
	want    string // subjects of the history, newest first
	release string // of the rendered spec
	warns   string // text of a warning
	fails   string // text of the error, of Prepare or Render
	comp    string // component, x when empty
}

const genDir = "base/upstream-commits/"

var pinCases = []pinCase{
	{name: "one pin", steps: "pin x u3; commit A", want: "A u3 u2 u1", release: "6%{?dist}"},
	{name: "a change of an overlay makes no entry", steps: "pin x u3; commit A; append comps/x.toml [components.x.build]\\nwith = ['q']; commit B", want: "A u3 u2 u1", release: "6%{?dist}"},
	{name: "moved forward", steps: "pin x u3; commit A; pin x u4; commit B", want: "B u4 A u3 u2 u1", release: "7%{?dist}"},
	{name: "moved forward twice in one commit each", steps: "pin x u3; commit A; pin x u5; commit B; pin x u6; commit C", want: "C u6 B u5 u4 A u3 u2 u1", release: "8%{?dist}"},
	{name: "moved back", steps: "pin x u4; commit A; pin x u3; commit B", want: "B u3 u2 u1", release: "7%{?dist}", warns: "pinned upstream commit"},
	{name: "forward and back", steps: "pin x u3; commit A; pin x u4; commit B; pin x u3; commit C", want: "C A u3 u2 u1", release: "8%{?dist}", warns: "(B) pinned upstream commit"},
	{name: "touched without a change of the pin", steps: "pin x u3; commit A; append " + genDir + "x.toml # again; commit B", want: "B A u3 u2 u1", release: "7%{?dist}"},
	{name: "deleted and restored", steps: "pin x u3; commit A; rm " + genDir + "x.toml; commit B; pin x u3; commit C", want: "C B A u3 u2 u1", release: "8%{?dist}"},
	{name: "deleted and restored at a newer commit", steps: "pin x u3; commit A; rm " + genDir + "x.toml; commit B; pin x u4; commit C", want: "C u4 B A u3 u2 u1", release: "8%{?dist}"},
	{name: "deleted and not restored", steps: "pin x u3; commit A; rm " + genDir + "x.toml; commit B", want: "u6 u5 u4 u3 u2 u1", release: "5%{?dist}"},
	{name: "an uncommitted move forward keeps the history at the old pin", steps: "pin x u3; commit A; pin x u4", want: "A u3 u2 u1", release: "6%{?dist}"},
	{name: "an uncommitted move back fails", steps: "pin x u4; commit A; pin x u3", fails: "is not in the first-parent history"},
	{name: "an uncommitted touch", steps: "pin x u3; commit A; append " + genDir + "x.toml # again", want: "A u3 u2 u1", release: "6%{?dist}"},
	{name: "an uncommitted first pin", steps: "pin x u3", want: "u3 s1 u2 u1", release: "5%{?dist}", warns: "is not committed yet"},
	{name: "moved by a merge", steps: "pin x u3; commit A; git checkout -q -b side; pin x u4; commit S; git checkout -q main; file other x; commit B; git merge -q --no-ff -m M side", want: "S u4 A u3 u2 u1", release: "7%{?dist}"},
	{name: "a merge that takes the other side", steps: "pin x u3; commit A; git checkout -q -b side; pin x u5; commit S; git checkout -q main; pin x u4; commit B; git merge -q --no-ff -m M -X theirs side", want: "S u5 u4 A u3 u2 u1", release: "7%{?dist}"},
	{name: "a merge that makes a pin of its own", steps: "pin x u3; commit A; git checkout -q -b side; pin x u5; commit S; git checkout -q main; pin x u4; commit B; git merge -q -s ours --no-commit side; pin x u6; commit M", want: "M u6 S u5 B u4 A u3 u2 u1", release: "9%{?dist}"},
	{name: "a renamed pin begins anew", steps: "pin x u3; commit A; mv " + genDir + "x.toml late/upstream-commits/x.toml; commit R", want: "R u3 u2 u1", release: "6%{?dist}"},
	{name: "pinned in the component's own file", steps: "hand x u3; commit A; append comps/x.toml [components.x.build]\\nwith = ['q']; commit B; append comps/x.toml without = ['r']; commit C", want: "C B A Start u3 u2 u1", release: "9%{?dist}"},
	{name: "a hand pin wins over the generated one", steps: "pin x u5; commit A; hand x u3; commit B", want: "B Start u3 u2 u1", release: "7%{?dist}"},
	{name: "a hand pin that moves", steps: "hand x u3; commit A; hand x u4; commit B", want: "B Start u4 A u3 u2 u1", release: "8%{?dist}"},
	{name: "a file that does not know the component yet", steps: "file late/shared.toml [components.y]; commit A; append late/shared.toml [components.x.spec]\\nupstream-commit = '{u3}'; commit B", want: "B u3 u2 u1", release: "6%{?dist}", warns: "1 of the 2 commits"},
	{name: "two components in one file", steps: "file late/shared.toml [components.x.spec]\\nupstream-commit = '{u3}'\\n[components.y.spec]\\nupstream-commit = '{y2}'; commit A; append late/shared.toml # for y; commit B", want: "B A u3 u2 u1", release: "7%{?dist}"},
	{name: "the pin of another component", steps: "pin x u3; commit A; pin y y2; commit B; pin y y3; commit C", want: "A u3 u2 u1", release: "6%{?dist}"},
	{name: "one commit for two pins", steps: "pin x u3; pin y y2; commit A; pin x u4; pin y y3; commit B", want: "B u4 A u3 u2 u1", release: "7%{?dist}"},
	{name: "a shallow clone", steps: "pin x u3; commit A; pin x u4; commit B; shallow", fails: "shallow clone"},
	{name: "no pin at all", steps: "file other x; commit A", want: "u6 u5 u4 u3 u2 u1", release: "5%{?dist}"},
	{name: "a pin from the defaults", steps: "append azldev.toml [default-component-config]\\nspec = {{type='upstream',upstream-commit='{u3}'}}; commit A", want: "Start u3 u2 u1", release: "6%{?dist}"},
	{name: "a pin that is not in the chain", steps: "pin x s1; commit A; pin x u5; commit B", want: "B u5 u4 u3 u2 u1", release: "7%{?dist}", warns: "(A) pinned upstream commit"},
	{name: "a file that was no TOML for a while", steps: "pin x u3; commit A; append " + genDir + "x.toml <<<<<<<; commit B; pin x u4; commit C", want: "C u4 A u3 u2 u1", release: "7%{?dist}", warns: "1 of the 3 commits"},
	{name: "an abbreviated pin", steps: "hand x u3 short; commit A", want: "A Start u3 u2 u1", release: "7%{?dist}"},
	{name: "a file of August", steps: "file " + genDir + "x.toml [components.x.spec]\\ntype = 'upstream'\\nupstream-commit = '{u3}'; commit A", want: "A u3 u2 u1", release: "6%{?dist}"},
	{name: "a pin that was empty for a while", steps: "pin x u3; commit A; file " + genDir + "x.toml [components.x.spec]\\nupstream-commit = ''; commit B; pin x u4; commit C", want: "C B u4 A u3 u2 u1", release: "8%{?dist}"},
	{name: "a manual release", steps: "append comps/x.toml [components.x.release]\\ncalculation = 'manual'; pin x u3; commit A; append " + genDir + "x.toml #; commit B", want: "B A u3 u2 u1", release: "5%{?dist}"},
	{name: "a static release", steps: "append comps/x.toml [components.x.release]\\ncalculation = 'static'; pin x u3; commit A; append " + genDir + "x.toml #; commit B", want: "B A u3 u2 u1", release: "7%{?dist}"},
	{name: "autorelease counts the commit of the pin", comp: "y", steps: "pin y y3; commit A", want: "A y3 y2 y1", release: "%autorelease 4"},
	{name: "autorelease counts on after a move", comp: "y", steps: "pin y y2; commit A; pin y y4; commit B", want: "B y4 y3 A y2 y1", release: "%autorelease 6"},
	{name: "a local component has no changes", comp: "z", steps: "file other x; commit A", want: "", release: "%autorelease 1"},
}

func TestPinHistory(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	if len(pinCases) < 25 {
		t.Fatalf("only %d histories", len(pinCases))
	}
	dir, commits := pinUpstream(t)
	store, err := fedora.Open(fedora.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Add(len(pinCases))
	go func() { wg.Wait(); store.Close() }()
	for _, tt := range pinCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			defer wg.Done()
			tt.run(t, store, dir, commits)
		})
	}
}

func (tt *pinCase) run(t *testing.T, store *fedora.Store, upstream string, commits map[string]string) {
	s := &scripted{t: t, dir: filepath.Join(t.TempDir(), "project")}
	if err := os.Mkdir(s.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s.git("init", "-q", "-b", "main")
	s.write("azldev.toml", `includes = ["base/upstream-commits/*.toml", "comps/*.toml", "late/*.toml", "late/upstream-commits/*.toml"]
[project]
default-distro = { name = "d", version = "1" }
[distros.d.versions.1]
release-ver = "1"
default-component-config.spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43" } }
[distros.fedora]
dist-git-base-uri = "file://`+upstream+`/$pkg.git"
lookaside-base-uri = "https://lookaside.example/$pkg/$filename"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
`)
	s.write("comps/x.toml", "[components.x]\n")
	s.write("comps/y.toml", "[components.y]\n")
	s.write("comps/z.toml", "[components.z]\nspec = { type = \"local\", path = \"z.spec\" }\n")
	s.write("comps/z.spec", strings.NewReplacer("Name:     x", "Name:     z", "5%{?dist}", "%autorelease").Replace(pinnedSpec))
	s.commit("Start")
	shallow := tt.play(s, commits)
	root := s.dir
	if shallow {
		root = filepath.Join(t.TempDir(), "shallow")
		s.git("clone", "-q", "--depth", "1", "file://"+s.dir, root)
	}
	without := true
	p, problems := components.Load(components.Options{Dir: root, WithoutLocks: &without})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	comp := tt.comp
	if comp == "" {
		comp = "x"
	}
	r := &render.Renderer{Project: p, Store: store}
	defer r.Close()
	all := r.Prepare(t.Context(), []string{"x", "y", "z"}, true)
	res := r.Render(t.Context(), comp)
	all = append(all, res.Diags...)
	if tt.fails != "" {
		if err := all.Err(); err == nil || !strings.Contains(err.Error(), tt.fails) {
			t.Fatalf("got %v, want %q", err, tt.fails)
		}
		return
	}
	if err := all.Err(); err != nil {
		t.Fatal(err)
	}
	warned := ""
	for _, d := range res.Diags {
		if d.Pos.Filename == "" {
			t.Errorf("%s has no position", d.Message)
		}
		warned += d.Message + "\n"
	}
	if tt.warns == "" && warned != "" || !strings.Contains(warned, tt.warns) {
		t.Errorf("warnings %q, want %q", warned, tt.warns)
	}
	text := string(res.Text())
	release := regexp.MustCompile(`(?m)^Release: *(.*)$`).FindStringSubmatch(text)[1]
	if strings.HasPrefix(tt.release, "%autorelease ") {
		n := regexp.MustCompile(`release_number = (\d+);`).FindStringSubmatch(text)
		if n == nil {
			t.Fatalf("no release number in\n%s", text)
		}
		release += " " + n[1]
	}
	if release != tt.release {
		t.Errorf("the release is %s, want %s", release, tt.release)
	}
	if tt.want == "" {
		if !strings.Contains(text, "- Uncommitted changes\n") || !strings.Contains(text, "* Wed Jan 01 2025 ") {
			t.Errorf("the changelog is not the one of a directory without git, dated by HEAD:\n%s", text)
		}
		return
	}
	out := filepath.Join(t.TempDir(), "history")
	if err := r.ExportHistory(t.Context(), comp, out); err != nil {
		t.Fatal(err)
	}
	got := strings.Fields((&scripted{t: t, dir: out}).git("log", "--format=%s", "--topo-order", "--first-parent"))
	want := strings.Fields(tt.want)
	if strings.Contains(tt.want, "s1") { // upstream as it is: the whole graph
		want = strings.Fields(strings.Replace(tt.want, " s1", "", 1))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the history is\n%v, want\n%v", got, want)
	}
}

// play runs the steps; it reports whether the project is to be cloned.
func (tt *pinCase) play(s *scripted, commits map[string]string) (shallow bool) {
	expand := func(text string) string {
		text = strings.ReplaceAll(text, `\n`, "\n")
		text = strings.NewReplacer("{{", "\x01", "}}", "\x02").Replace(text)
		text = regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(text, func(id string) string { return commits[id[1:len(id)-1]] })
		return strings.NewReplacer("\x01", "{", "\x02", "}").Replace(text) + "\n"
	}
	for step := range strings.SplitSeq(tt.steps, "; ") {
		f := strings.Fields(step)
		rest := strings.Join(f[min(2, len(f)):], " ")
		switch f[0] {
		case "pin":
			s.write(genDir+f[1]+".toml", string(components.Pin(f[1], commits[f[2]])))
		case "hand":
			id := commits[f[2]]
			if len(f) > 3 {
				id = id[:10]
			}
			s.write("comps/"+f[1]+".toml", "[components."+f[1]+"]\nspec.upstream-commit = '"+id+"'\n")
		case "file":
			s.write(f[1], expand(rest))
		case "append":
			data, err := os.ReadFile(filepath.Join(s.dir, f[1]))
			if err != nil {
				s.t.Fatal(err)
			}
			s.write(f[1], string(data)+expand(rest))
		case "rm":
			s.git("rm", "-q", f[1])
		case "mv":
			if err := os.MkdirAll(filepath.Join(s.dir, filepath.Dir(f[2])), 0o777); err != nil {
				s.t.Fatal(err)
			}
			s.git("mv", f[1], f[2])
		case "commit":
			s.commit(f[1])
		case "git":
			s.tick++
			s.git(f[1:]...)
		case "shallow":
			shallow = true
		default:
			s.t.Fatalf("unknown step %q", step)
		}
	}
	return shallow
}
