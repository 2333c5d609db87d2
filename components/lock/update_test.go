package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/overlay/diag"
)

const commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// planned plans an update in which upstream has commit for everybody.
func planned(t *testing.T, p *components.Project, commit string, o Options) *Update {
	t.Helper()
	if o.Names == nil {
		o.Names = p.Names()
	}
	o.Resolve = func(context.Context, *components.Component, distro.Upstream) (string, error) { return commit, nil }
	up, problems := Plan(t.Context(), p, o)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return up
}

func readLocks(t *testing.T, p *components.Project) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(p.LockDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	locks := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(p.LockDir, e.Name()))
		if err != nil {
			b = []byte(err.Error())
		}
		locks[e.Name()] = string(b)
	}
	return locks
}

func TestUpdateKeepsCommits(t *testing.T) {
	t.Parallel()
	p := writeProject(t, `[components.other]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "42" } }
[components.pinned]
spec = { type = "upstream", upstream-commit = "1234567" }
[components.snap]
`, nil)
	if err := planned(t, p, commitA, Options{}).Write(); err != nil {
		t.Fatal(err)
	}
	first := readLocks(t, p)
	commits := func(commit string, o Options) (list []string) {
		up := planned(t, p, commit, o)
		for i := range up.Locks {
			l := &up.Locks[i]
			list = append(list, fmt.Sprintf("%s %.7s %v", l.Component, l.New.UpstreamCommit, l.Changed()))
		}
		return list
	}
	tests := []struct {
		name string
		o    Options
		want []string
	}{
		{"nothing changed", Options{}, []string{"other aaaaaaa false", "pinned 1234567 false", "snap aaaaaaa false"}},
		{"asked again", Options{Force: true}, []string{"other bbbbbbb true", "pinned 1234567 false", "snap bbbbbbb true"}},
		{"bump", Options{Bump: true}, []string{"other aaaaaaa true", "pinned 1234567 true", "snap aaaaaaa true"}},
		{"some", Options{Names: []string{"snap"}, Force: true}, []string{"snap bbbbbbb true"}},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, commits(strings.Repeat("b", 40), tt.o)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	if d := cmp.Diff(first, readLocks(t, p)); d != "" {
		t.Errorf("planning changed files (-before +after):\n%s", d)
	}

	// A new commit moves upstream-commit; import-commit stays for ever.
	if err := planned(t, p, strings.Repeat("b", 40), Options{Force: true, Names: []string{"snap"}}).Write(); err != nil {
		t.Fatal(err)
	}
	l, err := Read(p, "snap")
	if err != nil || l.ImportCommit != commitA || l.UpstreamCommit != strings.Repeat("b", 40) {
		t.Errorf("lock %+v, %v", l, err)
	}
}

func TestUpdateFollowsHead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := strings.Replace(lockProject, `, snapshot = "2026-02-24T00:00:00Z"`, "", 1) + "[components.c]\n"
	if err := os.WriteFile(filepath.Join(dir, "azldev.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if err := planned(t, p, commitA, Options{}).Write(); err != nil {
		t.Fatal(err)
	}
	up := planned(t, p, strings.Repeat("b", 40), Options{})
	if !up.Locks[0].Changed() || up.Locks[0].New.UpstreamCommit != strings.Repeat("b", 40) {
		t.Errorf("a component without snapshot stays at %+v", up.Locks[0].New)
	}
	// A changed address alone is written, but changes nothing that is built.
	text = strings.Replace(text, "https://dist-git.example", "https://mirror.example", 1)
	if err := os.WriteFile(filepath.Join(dir, "azldev.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if p, problems = components.Load(components.Options{Dir: dir}); problems.HasErrors() {
		t.Fatal(problems)
	}
	up = planned(t, p, commitA, Options{})
	if up.Locks[0].Changed() || !up.Locks[0].Stale() {
		t.Errorf("changed %v, stale %v", up.Locks[0].Changed(), up.Locks[0].Stale())
	}
}

// TestUpdateAllOrNothing checks that one failure keeps every lock as it was,
// whether it comes from upstream or from the disk.
func TestUpdateAllOrNothing(t *testing.T) {
	t.Parallel()
	p := writeProject(t, "[components.a]\n[components.b]\n[components.c]\n", nil)
	if err := planned(t, p, commitA, Options{}).Write(); err != nil {
		t.Fatal(err)
	}
	before := readLocks(t, p)

	var asked atomic.Int64
	up, problems := Plan(t.Context(), p, Options{Names: p.Names(), Force: true, Jobs: 4,
		Resolve: func(_ context.Context, c *components.Component, _ distro.Upstream) (string, error) {
			asked.Add(1)
			if c.Name == "b" {
				return "", &diag.Diagnostic{Code: "fedora/no-branch", Message: "no such branch"}
			}
			return strings.Repeat("b", 40), nil
		}})
	if asked.Load() != 3 || len(problems) != 1 || problems[0].Component != "b" || problems[0].Pos.Line == 0 {
		t.Errorf("%d asked, problems %+v", asked.Load(), problems)
	}
	if up.Locks[1].New != nil {
		t.Error("there is a lock for the component that failed")
	}

	// A directory in the place of a lock makes its rename fail, after that of
	// the locks before it.
	up = planned(t, p, strings.Repeat("b", 40), Options{Force: true})
	block := filepath.Join(p.LockDir, "c.lock")
	if err := os.Remove(block); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(block, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := up.Write()
	d, ok := errors.AsType[*diag.Diagnostic](err)
	if !ok || d.Code != "lock/write" || !d.Env {
		t.Fatalf("got %v", err)
	}
	after := readLocks(t, p)
	for _, name := range []string{"a.lock", "b.lock"} {
		if after[name] != before[name] {
			t.Errorf("%s was changed by an update that failed", name)
		}
	}
	if len(after) != 3 {
		t.Errorf("files left behind: %v", after)
	}

	// What a killed run left is swept by the next.
	if err := os.RemoveAll(block); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.LockDir, tempPrefix+"old"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := planned(t, p, commitA, Options{}).Write(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, readLocks(t, p)); d != "" {
		t.Errorf("locks (-want +got):\n%s", d)
	}
}

// TestUpdateSamePlan checks that the number of jobs does not show.
func TestUpdateSamePlan(t *testing.T) {
	t.Parallel()
	var toml strings.Builder
	for i := range 50 {
		fmt.Fprintf(&toml, "[components.c%d]\nbuild.with = [\"x%d\"]\n", i, i)
	}
	p := writeProject(t, toml.String(), nil)
	text := func(jobs int) (list []string) {
		up := planned(t, p, commitA, Options{Jobs: jobs})
		for _, l := range up.Locks {
			list = append(list, l.Component+"\n"+string(l.New.Bytes()))
		}
		return list
	}
	if d := cmp.Diff(text(1), text(16)); d != "" {
		t.Errorf("(-1 job +16 jobs):\n%s", d)
	}
}

func TestUpdateInterrupted(t *testing.T) {
	t.Parallel()
	p := writeProject(t, "[components.a]\n[components.b]\n", nil)
	ctx, cancel := context.WithCancel(t.Context())
	_, problems := Plan(ctx, p, Options{Names: p.Names(), Resolve: func(context.Context, *components.Component, distro.Upstream) (string, error) {
		cancel()
		return commitA, nil
	}})
	if len(problems) != 1 || !problems[0].Env {
		t.Errorf("got %+v", problems)
	}
}

func TestValidateLocks(t *testing.T) {
	t.Parallel()
	const toml = `[components.fine]
[components.here]
spec = { type = "local", path = "here/here.spec" }
[components.pinned]
spec = { type = "upstream", upstream-commit = "1234567" }
[components.same-pin]
spec = { type = "upstream", upstream-commit = "1234567" }
[components.missing]
[components.empty]
[components.broken]
[components.future]
`
	files := map[string]string{
		"here/here.spec":      "",
		"locks/fine.lock":     header + "version = 1\nupstream-commit = '" + commitA + "'\n",
		"locks/pinned.lock":   header + "version = 1\nupstream-commit = '" + commitA + "'\n",
		"locks/same-pin.lock": header + "version = 1\nupstream-commit = '1234567'\n",
		"locks/empty.lock":    header + "version = 1\n",
		"locks/broken.lock":   "version = \n",
		"locks/future.lock":   "version = 2\n",
		"locks/fin.lock":      header + "version = 1\n",
		"locks/.hidden.lock":  "",
		"locks/README":        "",
	}
	p := writeProject(t, toml, files)
	var got []string
	for _, d := range Validate(p, p.Names(), true) {
		got = append(got, d.Error()+" | "+d.Hint)
		for _, r := range d.Related {
			got = append(got, "  "+diag.Position(r.Pos)+" "+r.Message)
		}
	}
	want := []string{
		`azldev.toml:30:1: component "missing" has no lock file locks/missing.lock [lock/missing] | run ` + "`specgraft update missing`",
		`locks/broken.lock:1:11: `,
		`locks/empty.lock:2:1: the lock has no upstream-commit, but the component comes from upstream [lock/stale] | run ` + "`specgraft update empty`",
		`  azldev.toml:8:17 made an upstream component here`,
		`locks/fin.lock: no component is called "fin" [lock/orphan] | remove it with ` + "`specgraft update -a`" + `, or is component "fine" meant?`,
		`locks/future.lock:1:1: unsupported lock file version 2 (expected 1) [lock/version]`,
		`locks/pinned.lock:3:1: the lock has upstream-commit ` + commitA + `, but the component is pinned to 1234567 [lock/stale] | run ` + "`specgraft update pinned`",
		`  azldev.toml:27:47 pinned here`,
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	// Without all, only the named ones are looked at.
	if l := Validate(p, []string{"fine", "here", "same-pin"}, false); len(l) > 0 {
		t.Errorf("got %v", l)
	}
	// A project without locks has nothing to validate.
	if err := os.RemoveAll(p.LockDir); err != nil {
		t.Fatal(err)
	}
	if l := Validate(p, p.Names(), true); len(l) > 0 || Any(p) {
		t.Errorf("got %v", l)
	}
	if orphans, err := Orphans(p); err != nil || len(orphans) > 0 {
		t.Errorf("got %v, %v", orphans, err)
	}
}

// TestHostileLockDir checks that locks are neither read nor written through
// links that lead outside, and that nothing but plain files is opened.
func TestHostileLockDir(t *testing.T) {
	t.Parallel()
	p := writeProject(t, "[components.out]\n[components.dir]\n[components.big]\n", map[string]string{"locks/dir.lock/x": ""})
	outside := filepath.Join(t.TempDir(), "outside.lock")
	if err := os.WriteFile(outside, []byte(header+"version = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(p.LockDir, "out.lock")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.LockDir, "big.lock"), make([]byte, maxSize+1), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range p.Names() {
		if l, err := Read(p, name); err == nil {
			t.Errorf("%s: read as %+v", name, l)
		}
	}
	if !slices.Equal(p.Names(), []string{"big", "dir", "out"}) {
		t.Fatal(p.Names())
	}
}

func TestLockDirOutside(t *testing.T) {
	t.Parallel()
	p := writeProject(t, "[components.a]\n", nil)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "precious.lock"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, p.LockDir); err != nil {
		t.Fatal(err)
	}
	err := planned(t, p, commitA, Options{Prune: true}).Write()
	if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "config/outside" {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
