package plan

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// built is a plan of a diamond and a bystander: d needs b and c, which need a; x
// needs nothing.
func built(t *testing.T) (*Plan, *Graph) {
	t.Helper()
	g := graphOf(map[string][]string{"a": nil, "b": {"a"}, "c": {"a"}, "d": {"b", "c"}, "x": nil, "lib++": {"x"}})
	return g.Order("x86_64", all(g), nil), g
}

func write(t *testing.T, p *Plan, g *Graph, format string, farm Farm) string {
	t.Helper()
	at := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == format })
	var b strings.Builder
	if err := p.WriteFormat(&b, &Formats[at], g, farm); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// stub is a builder that notes what it builds, and fails where it is told to.
const stub = `test ! -e fail-{name} && echo {name} {srpm} {wave} >>log && printf '%s\n' "it's $HOME {arch}" >>text`

// order returns what was built, and fails when something came before what it needs.
func order(t *testing.T, dir string, p *Plan) []string {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for l := range strings.Lines(string(log)) {
		name, rest, _ := strings.Cut(l, " ")
		at := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Component == name })
		if at < 0 || rest != fmt.Sprintf("%s-1-1.src.rpm %d\n", name, p.Steps[at].Wave) {
			t.Fatalf("the builder got %q", l)
		}
		for _, a := range p.Steps[at].After {
			if !slices.Contains(names, a) {
				t.Errorf("%s was built before %s", name, a)
			}
		}
		if slices.Contains(names, name) {
			t.Errorf("%s was built twice", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// runs lets a text of the plan build everything, and then again with a failure of
// b, which must stop d and nothing else.
func runs(t *testing.T, run func(dir string) error, stopsMore ...string) {
	t.Helper()
	p, _ := built(t)
	dir := t.TempDir()
	if err := run(dir); err != nil {
		t.Errorf("it fails: %v", err)
	}
	if got := order(t, dir, p); !slices.Equal(got, []string{"a", "b", "c", "d", "lib++", "x"}) {
		t.Errorf("%v was built", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "text")); err != nil || !strings.HasPrefix(string(text), "it's "+os.Getenv("HOME")+" x86_64\n") {
		t.Errorf("quotes and variables came out as %q, %v", text, err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fail-b"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err == nil {
		t.Error("a failed build is no failure")
	}
	want := slices.DeleteFunc([]string{"a", "c", "lib++", "x"}, func(n string) bool { return slices.Contains(stopsMore, n) })
	if got := order(t, dir, p); !slices.Equal(got, want) {
		t.Errorf("after the failure of b %v was built", got)
	}
}

func shell(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return err
}

func TestMake(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed: the Makefile was not run")
	}
	p, g := built(t)
	text := write(t, p, g, "make", Farm{Command: stub})
	runs(t, func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(text), 0o644); err != nil {
			return err
		}
		return shell(dir, "make", "-k", "-j4", "-s")
	})
	// A second run goes on where the first stopped.
	dir := t.TempDir()
	for name, data := range map[string]string{"Makefile": text, "fail-b": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if shell(dir, "make", "-k", "-s") == nil {
		t.Error("a failed build is no failure")
	}
	os.Remove(filepath.Join(dir, "fail-b"))
	if err := shell(dir, "make", "-s"); err != nil {
		t.Error(err)
	}
	if got := order(t, dir, p); len(got) != 6 {
		t.Errorf("%v was built in two runs", got)
	}
}

func TestMock(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell: the script was not run")
	}
	p, g := built(t)
	text := write(t, p, g, "mock", Farm{Command: stub})
	runs(t, func(dir string) error { return shell(dir, "sh", "-c", text) })

	// The usual command calls mock as it stands in its manual page.
	dir := t.TempDir()
	fake := "#!/bin/sh\nprintf '%s|' \"$@\" >>\"$LOG\"; echo >>\"$LOG\"\n"
	if err := os.WriteFile(filepath.Join(dir, "mock"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", write(t, p, g, "mock", Farm{}))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LOG="+filepath.Join(dir, "calls"), "MOCK_CONFIG=my config", "RESULTS="+dir+"/r s")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	want := "-r|my config|--resultdir|" + dir + "/r s/a|--addrepo|file://" + dir + "/r s|--rebuild|" + dir + "/srpms/a-1-1.src.rpm|\n"
	if err != nil || !strings.HasPrefix(string(calls), want) || strings.Count(string(calls), "\n") != 6 {
		t.Errorf("mock was called with\n%s, want first %s", calls, want)
	}
}

// workflow is what we use of GitHub's workflows.
type workflow struct {
	On   map[string]any
	Jobs map[string]struct {
		Needs    []string
		RunsOn   string `json:"runs-on"`
		Strategy struct {
			FailFast *bool `json:"fail-fast"`
			Matrix   struct{ Include []map[string]string }
		}
		Steps []struct {
			Uses, Run, Shell string
			Env              map[string]string
		}
	}
}

// runWorkflow does what GitHub does with a workflow: a job runs when those it needs
// have succeeded.
func runWorkflow(dir, text string) error {
	var w workflow
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return err
	}
	state := map[string]error{}
	var failed error
	for len(state) < len(w.Jobs) {
		progress := false
		for _, name := range sortedKeys(w.Jobs) {
			job := w.Jobs[name]
			if _, done := state[name]; done || slices.ContainsFunc(job.Needs, func(n string) bool { _, done := state[n]; return !done }) {
				continue
			}
			progress = true
			state[name] = nil
			for _, n := range job.Needs {
				if state[n] != nil {
					state[name] = fmt.Errorf("%s was left out", name)
				}
			}
			if state[name] != nil {
				continue
			}
			for _, values := range job.Strategy.Matrix.Include {
				for _, step := range job.Steps {
					if step.Run == "" {
						continue
					}
					cmd := exec.Command("sh", "-e", "-c", step.Run)
					cmd.Dir = dir
					cmd.Env = os.Environ()
					for k, v := range step.Env {
						for name, value := range values {
							v = strings.ReplaceAll(v, "${{ matrix."+name+" }}", value)
						}
						cmd.Env = append(cmd.Env, k+"="+v)
					}
					if err := cmd.Run(); err != nil {
						state[name], failed = err, err
					}
				}
			}
		}
		if !progress {
			return fmt.Errorf("the jobs need each other")
		}
	}
	return failed
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell: the workflow was not run")
	}
	p, g := built(t)
	text := write(t, p, g, "github", Farm{Command: stub, Image: "img"})
	runs(t, func(dir string) error { return runWorkflow(dir, text) }, "none")

	needs := map[string][]string{"last": nil}
	for i := range 600 {
		name := fmt.Sprintf("c%03d", i)
		needs[name] = nil
		needs["last"] = append(needs["last"], name)
	}
	g = graphOf(needs)
	var w workflow
	if err := json.Unmarshal([]byte(write(t, g.Order("x86_64", all(g), nil), g, "github", Farm{})), &w); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for name, job := range w.Jobs {
		if n := len(job.Strategy.Matrix.Include); n > matrixJobs || n == 0 {
			t.Errorf("%s has %d jobs", name, n)
		}
		if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`).MatchString(name) || job.RunsOn == "" || job.Strategy.FailFast == nil {
			t.Errorf("job %q is not one that GitHub takes", name)
		}
		for _, i := range job.Strategy.Matrix.Include {
			seen[i["component"]] = true
		}
	}
	if len(w.Jobs) != 4 || len(seen) != 601 || len(w.Jobs["wave-2"].Needs) != 3 || w.On["workflow_dispatch"] == nil {
		t.Errorf("%d jobs with %d components; the last needs %v", len(w.Jobs), len(seen), w.Jobs["wave-2"].Needs)
	}
}

// TestKubernetes checks the objects against what the API server would: required
// fields, names, and the rules of Indexed Jobs.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	p, g := built(t)
	text := write(t, p, g, "kubernetes", Farm{Command: stub, Project: "rebuild", Image: "img", Shards: 3})
	var list struct {
		APIVersion, Kind string
		Items            []struct {
			APIVersion, Kind string
			Metadata         struct{ Name string }
			Data             map[string]string
			Spec             struct {
				CompletionMode           string
				Completions, Parallelism int
				BackoffLimitPerIndex     *int
				Suspend                  bool
				Template                 struct {
					Spec struct {
						RestartPolicy string
						Containers    []struct {
							Name, Image  string
							Command      []string
							VolumeMounts []struct{ Name, MountPath string }
						}
						Volumes []struct {
							Name      string
							ConfigMap *struct{ Name string }
						}
					}
				}
			}
		}
	}
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	if list.APIVersion != "v1" || list.Kind != "List" || len(list.Items) != 5 {
		t.Fatalf("%d items of %s %s", len(list.Items), list.APIVersion, list.Kind)
	}
	label := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	lines := list.Items[0].Data
	for i, item := range list.Items {
		if !label.MatchString(item.Metadata.Name) {
			t.Errorf("the name %q is none", item.Metadata.Name)
		}
		if i == 0 {
			if item.Kind != "ConfigMap" || item.APIVersion != "v1" {
				t.Errorf("the first object is a %s", item.Kind)
			}
			continue
		}
		s, pod := item.Spec, item.Spec.Template.Spec
		if item.APIVersion != "batch/v1" || item.Kind != "Job" || s.CompletionMode != "Indexed" || s.Completions < 1 || s.Parallelism < 1 ||
			s.BackoffLimitPerIndex == nil || pod.RestartPolicy != "Never" || len(pod.Containers) != 1 || pod.Containers[0].Image != "img" {
			t.Errorf("%s is no Indexed Job: %+v", item.Metadata.Name, s)
		}
		for _, m := range pod.Containers[0].VolumeMounts {
			if !slices.ContainsFunc(pod.Volumes, func(v struct {
				Name      string
				ConfigMap *struct{ Name string }
			}) bool {
				return v.Name == m.Name
			}) {
				t.Errorf("%s mounts %s, which is no volume", item.Metadata.Name, m.Name)
			}
		}
		if s.Suspend != (i > 1) {
			t.Errorf("%s: suspended %v", item.Metadata.Name, s.Suspend)
		}
		if i == 1 {
			if got := strings.Join(pod.Containers[0].Command, " "); s.Completions != 3 || !strings.Contains(got, "--shard $(JOB_COMPLETION_INDEX)/3") {
				t.Errorf("the first job runs %d times %s", s.Completions, got)
			}
			continue
		}
		wave := fmt.Sprintf("wave-%d", i-1)
		if n := strings.Count(lines[wave], "\n"); n != s.Completions {
			t.Errorf("%s has %d commands, and %d completions", wave, n, s.Completions)
		}
	}

	// The command takes its line by the completion index.
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell: the jobs were not run")
	}
	runs(t, func(dir string) error {
		for i, item := range list.Items[2:] {
			command := item.Spec.Template.Spec.Containers[0].Command
			name := fmt.Sprintf("wave-%d", i+1)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(lines[name]), 0o644); err != nil {
				return err
			}
			var failed error
			for index := range item.Spec.Completions {
				cmd := exec.Command(command[0], command[1], strings.ReplaceAll(command[2], "/plan/", dir+"/"))
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), fmt.Sprintf("JOB_COMPLETION_INDEX=%d", index))
				if err := cmd.Run(); err != nil {
					failed = err
				}
			}
			if failed != nil {
				return failed // the next wave stays suspended
			}
		}
		return nil
	})
	at := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == "kubernetes" })
	for _, bad := range []string{"Big", "a_b", "-a", strings.Repeat("a", 41)} {
		if err := p.WriteFormat(io.Discard, &Formats[at], g, Farm{Project: bad}); err == nil {
			t.Errorf("the name %q is taken", bad)
		}
	}
}

// fakeTool puts a program on the path of a script, and returns its calls.
func fakeTool(t *testing.T, name, program, script string, env ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell: the script was not run")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho \"$*\" >>\""+dir+"/calls\"\n"+program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "script.sh"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "./script.sh")
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "DIR="+dir), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%.2000s", err, out, script)
	}
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(calls)), "\n")
}

func TestKoji(t *testing.T) {
	t.Parallel()
	p, g := built(t)
	script := write(t, p, g, "koji", Farm{URL: "git+https://x.example/{name}#abc", Project: "base-tag"})
	calls := fakeTool(t, "koji", "case $1 in add-sidetag) echo side-1;; esac\n", script)
	want := []string{
		"add-sidetag --quiet --wait base-tag",
		"chain-build side-1 git+https://x.example/a#abc git+https://x.example/x#abc : git+https://x.example/b#abc git+https://x.example/c#abc git+https://x.example/lib++#abc : git+https://x.example/d#abc",
		"wait-repo side-1 --build=a-1-1 --build=x-1-1 --build=b-1-1 --build=c-1-1 --build=lib++-1-1 --build=d-1-1",
	}
	if !slices.Equal(calls, want) {
		t.Errorf("koji was called with\n%s", strings.Join(calls, "\n"))
	}
	checkKoji(t, calls)
	// Long plans are more than one call; each ends where a wave does, and has two
	// waves at least, which chain-build wants.
	for _, test := range []struct{ size, waves, calls int }{{500, 2, 2}, {500, 3, 2}, {500, 4, 4}, {150, 7, 4}, {150, 8, 6}} {
		needs := map[string][]string{}
		for i := range test.size * test.waves {
			name := fmt.Sprintf("c%04d", i)
			needs[name] = nil
			if i >= test.size {
				needs[name] = []string{fmt.Sprintf("c%04d", i-test.size)}
			}
		}
		g := graphOf(needs)
		calls := fakeTool(t, "koji", "", write(t, g.Order("x86_64", all(g), nil), g, "koji", Farm{}), "SIDE_TAG=s")
		if len(calls) != test.calls {
			t.Errorf("%d calls for %d waves of %d components, not %d", len(calls), test.waves, test.size, test.calls)
		}
		checkKoji(t, calls)
	}
	// chain-build takes no single wave.
	g = graphOf(map[string][]string{"a": nil, "b": nil})
	calls = fakeTool(t, "koji", "case $1 in build) echo 'Created task: 12';; esac\n", write(t, g.Order("x86_64", all(g), nil), g, "koji", Farm{}), "SIDE_TAG=s")
	want = []string{"build --nowait s git+https://src.example.org/rpms/a#HEAD", "build --nowait s git+https://src.example.org/rpms/b#HEAD",
		"watch-task 12 12", "wait-repo s --build=a-1-1 --build=b-1-1"}
	if !slices.Equal(calls, want) {
		t.Errorf("koji was called with\n%s", strings.Join(calls, "\n"))
	}
	checkKoji(t, calls)
	for _, bad := range []string{"chain-build s git://a git://b", "chain-build s", "chain-build s a : b", "wait-repo s t", "wait-repo --build s", "wait-repo s --bild=a-1-1",
		"add-sidetag", "build s git://a git://b", "watch-task", "watch-task x", "chain-builds s git://a : git://b"} {
		if kojiProblem(strings.Fields(bad)) == "" {
			t.Errorf("koji %s is taken", bad)
		}
	}
}

// kojiCommands are the subcommands of koji that scripts call: their options, whether
// these take a value, and how many arguments there are besides.
var kojiCommands = map[string]struct {
	options  map[string]bool
	min, max int
}{
	"add-sidetag": {map[string]bool{"--quiet": false, "--wait": false, "--suffix": true}, 1, 1},
	"build":       {map[string]bool{"--nowait": false, "--wait": false, "--quiet": false, "--background": false, "--scratch": false}, 2, 2},
	"chain-build": {map[string]bool{"--nowait": false, "--quiet": false, "--background": false}, 2, 1 << 20},
	"wait-repo":   {map[string]bool{"--build": true, "--target": false, "--timeout": true, "--quiet": false}, 1, 1},
	"watch-task":  {map[string]bool{"--quiet": false}, 1, 1 << 20},
}

// kojiProblem says why koji would not take its arguments, "" when it would.
func kojiProblem(args []string) string {
	c, ok := kojiCommands[args[0]]
	if !ok {
		return "there is no such command"
	}
	var plain []string
	for i := 1; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "--") {
			plain = append(plain, args[i])
			continue
		}
		name, _, valued := strings.Cut(args[i], "=")
		takes, known := c.options[name]
		switch {
		case !known:
			return name + " is no option of it"
		case valued && !takes:
			return name + " takes no value"
		case takes && !valued:
			i++
		}
	}
	if len(plain) < c.min || len(plain) > c.max {
		return fmt.Sprintf("it has %d arguments", len(plain))
	}
	switch args[0] {
	case "watch-task":
		for _, a := range plain {
			if strings.Trim(a, "0123456789") != "" {
				return a + " is no task"
			}
		}
	case "chain-build": // a target, then addresses or NVRs in groups
		groups, fresh := 0, true
		for _, a := range plain[1:] {
			switch {
			case a == ":":
				fresh = true
				continue
			case !strings.Contains(a, "://") && (strings.Contains(a, "/") || strings.Count(a, "-") < 2):
				return a + " is neither an address nor an NVR"
			case fresh:
				groups, fresh = groups+1, false
			}
		}
		if groups < 2 {
			return "there is nothing to wait for between its builds"
		}
	}
	return ""
}

func checkKoji(t *testing.T, calls []string) {
	t.Helper()
	for _, c := range calls {
		if why := kojiProblem(strings.Fields(c)); why != "" {
			t.Errorf("koji %.80s: %s", c, why)
		}
	}
}

func TestCopr(t *testing.T) {
	t.Parallel()
	p, g := built(t)
	script := write(t, p, g, "copr", Farm{Project: "me/proj"})
	calls := fakeTool(t, "copr-cli", "n=$(wc -l <\"$DIR/calls\"); echo \"Build was added to me/proj.\"; echo \"Created builds: $((100+n))\"\n", script, "SRPMS=s")
	want := []string{
		"build me/proj s/a-1-1.src.rpm --nowait",
		"build me/proj s/x-1-1.src.rpm --with-build-id 101 --nowait",
		"build me/proj s/b-1-1.src.rpm --after-build-id 101 --nowait",
		"build me/proj s/c-1-1.src.rpm --with-build-id 103 --nowait",
		"build me/proj s/lib++-1-1.src.rpm --with-build-id 103 --nowait",
		"build me/proj s/d-1-1.src.rpm --after-build-id 103 --nowait",
	}
	if !slices.Equal(calls, want) {
		t.Errorf("copr-cli was called with\n%s", strings.Join(calls, "\n"))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "copr-cli"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if err := cmd.Run(); err == nil {
		t.Error("a build that is not taken is no failure")
	}
}

func TestOBS(t *testing.T) {
	t.Parallel()
	p, g := built(t)
	script := write(t, p, g, "obs", Farm{Project: "base"})
	calls := fakeTool(t, "osc", "case $* in *'meta '*) cat >>\"$DIR/xml\"; echo >>\"$DIR/xml\";; esac; cp \"$DIR/xml\" /dev/null\n", script)
	if len(calls) != 1+2*6 || calls[0] != "meta prj -F - base:rebuild" || calls[1] != "meta pkg -F - base:rebuild a" ||
		calls[2] != `api -X PUT /source/base:rebuild/a/_link -d <link project="base" package="a"/>` {
		t.Errorf("osc was called with\n%s", strings.Join(calls, "\n"))
	}
	var link struct {
		XMLName xml.Name `xml:"link"`
		Project string   `xml:"project,attr"`
	}
	_, text, _ := strings.Cut(calls[2], "-d ")
	if err := xml.Unmarshal([]byte(text), &link); err != nil || link.Project != "base" {
		t.Errorf("%s: %v", text, err)
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	g := graphOf(map[string][]string{"a": {"b"}, "b": {"a"}, "lib++": {"a"}})
	p := g.Order("x86_64", all(g), nil)
	d := xml.NewDecoder(strings.NewReader(write(t, p, g, "svg", Farm{})))
	elements := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if _, ok := token.(xml.StartElement); ok {
			elements++
		}
	}
	if elements < 10 {
		t.Errorf("the picture has %d elements", elements)
	}
	dot := write(t, p, g, "dot", Farm{})
	for _, want := range []string{`"a" -> "lib++";`, "style=dashed", "subgraph cluster_1"} {
		if !strings.Contains(dot, want) {
			t.Errorf("%q is not in\n%s", want, dot)
		}
	}
	if _, err := exec.LookPath("dot"); err == nil {
		cmd := exec.Command("dot", "-Tsvg")
		cmd.Stdin = strings.NewReader(dot)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a;rm", "$(x)", "a b", "-rf", ".x", "a'b", "a\nb", "${{x}}", "a:b", "a#b", "a%b"} {
		g := graphOf(map[string][]string{name: nil})
		p := g.Order("x86_64", all(g), nil)
		for i := range Formats {
			var b strings.Builder
			if err := p.WriteFormat(&b, &Formats[i], g, Farm{}); err == nil || b.Len() > 0 {
				t.Errorf("%s: the name %q is written", Formats[i].Name, name)
			}
		}
	}
	p, g := built(t)
	for command, ok := range map[string]bool{"build {nam}": false, "build ${HOME} {name}": true, "awk '{print $1}' {name}": true, "{": true, "}{name": true} {
		if err := p.WriteFormat(io.Discard, &Formats[2], g, Farm{Command: command}); (err == nil) != ok {
			t.Errorf("%q: %v", command, err)
		}
	}
}
