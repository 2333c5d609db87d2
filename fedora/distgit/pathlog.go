package distgit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// A PathChange is one commit in the log of a file.
type PathChange struct {
	Commit string // full name
	Blob   string // the file's blob in that commit; empty when the commit deleted it
}

// PathLog returns, for each file at or below any of paths (slash-separated,
// relative to the top level), what "git log head -- FILE" lists, newest first,
// with git's default simplification of history: a merge that agrees with one
// of its parents about the file is not listed and only that parent is followed.
//
// All files share one child process, two where merges brought changes; files
// that a merge changed against all of its parents cost one more each.
func (r *Repo) PathLog(ctx context.Context, head string, paths ...string) (map[string][]PathChange, error) {
	if !IsObjectID(head) {
		return nil, diag.Errorf("fedora/bad-ref", "%q is not a full commit name", head)
	}
	for _, p := range paths {
		if !fs.ValidPath(p) {
			return nil, diag.Errorf("fedora/bad-ref", "%q is not a path in a repository", p)
		}
	}
	g, err := r.logGraph(ctx, head, paths)
	if err != nil {
		return nil, err
	}
	evil, err := r.evilMerges(ctx, g, paths)
	if err != nil {
		return nil, err
	}
	logs := make(map[string][]PathChange, len(g.touches))
	for path, touches := range g.touches {
		log, ok := g.walk(path, touches, evil)
		if !ok {
			if log, err = r.onePathLog(ctx, head, path); err != nil {
				return nil, err
			}
		}
		if len(log) > 0 {
			logs[path] = log
		}
	}
	return logs, nil
}

// A logGraph is a history as far as some paths are concerned. Commits lie on
// chains of first parents, so that a walk can jump from one change of a file
// to the next.
type logGraph struct {
	commits []logCommit
	index   map[string]int
	chains  []int // per chain the commit that follows its end, -1 for none
	touches map[string][]touch
}

type logCommit struct {
	id         string
	parents    []string
	chain, pos int
	touched    bool
}

// A touch is a change of one file against the first parent.
type touch struct {
	chain, pos int
	commit     int
	blob       string
}

// logGraph reads the whole history behind head with each commit's changes
// against its first parent below paths.
func (r *Repo) logGraph(ctx context.Context, head string, paths []string) (*logGraph, error) {
	g := &logGraph{index: map[string]int{}, touches: map[string][]touch{}}
	args := []string{"--full-history", "--sparse", "--diff-merges=first-parent", "--end-of-options", head, "--"}
	err := r.rawLog(ctx, "", append(args, paths...), func(id, parents string) {
		g.index[id] = len(g.commits)
		g.commits = append(g.commits, logCommit{id: id, parents: strings.Fields(parents), chain: -1})
	}, func(path, blob string) {
		c := len(g.commits) - 1
		g.commits[c].touched = true
		g.touches[path] = append(g.touches[path], touch{commit: c, blob: blob})
	})
	if err != nil {
		return nil, err
	}
	for i := range g.commits {
		for at, pos := i, 0; at >= 0 && g.commits[at].chain < 0; pos++ {
			if pos == 0 {
				g.chains = append(g.chains, -1)
			}
			c := &g.commits[at]
			c.chain, c.pos = len(g.chains)-1, pos
			if at = g.parent(at, 0); at >= 0 && g.commits[at].chain >= 0 {
				g.chains[c.chain] = at
			}
		}
	}
	for _, list := range g.touches {
		for i := range list {
			c := &g.commits[list[i].commit]
			list[i].chain, list[i].pos = c.chain, c.pos
		}
		slices.SortFunc(list, func(a, b touch) int { return cmp.Or(cmp.Compare(a.chain, b.chain), cmp.Compare(a.pos, b.pos)) })
	}
	return g, nil
}

// parent returns the index of a commit's n-th parent, -1 when it has none.
func (g *logGraph) parent(c, n int) int {
	if n >= len(g.commits[c].parents) {
		return -1
	}
	if i, ok := g.index[g.commits[c].parents[n]]; ok {
		return i
	}
	return -1
}

// walk follows one file from the head. It gives up where a merge differs from
// all of its parents, because git then follows several lines at once.
func (g *logGraph) walk(path string, touches []touch, evil map[string]map[string]bool) ([]PathChange, bool) {
	var log []PathChange
	for at := 0; at >= 0 && at < len(g.commits); {
		c := &g.commits[at]
		i, _ := slices.BinarySearchFunc(touches, c, func(t touch, c *logCommit) int {
			return cmp.Or(cmp.Compare(t.chain, c.chain), cmp.Compare(t.pos, c.pos))
		})
		if i == len(touches) || touches[i].chain != c.chain {
			at = g.chains[c.chain]
			continue
		}
		t := touches[i]
		c = &g.commits[t.commit]
		switch len(c.parents) {
		case 0, 1:
			log = append(log, PathChange{c.id, t.blob})
			at = g.parent(t.commit, 0)
		case 2:
			if evil[c.id][path] {
				return nil, false
			}
			at = g.parent(t.commit, 1)
		default:
			return nil, false
		}
	}
	return log, true
}

// evilMerges returns, for each merge that changed something against its first
// parent, the files that it changed against all of its parents.
func (r *Repo) evilMerges(ctx context.Context, g *logGraph, paths []string) (map[string]map[string]bool, error) {
	var merges strings.Builder
	for _, c := range g.commits {
		if c.touched && len(c.parents) > 1 {
			merges.WriteString(c.id)
			merges.WriteByte('\n')
		}
	}
	if merges.Len() == 0 {
		return nil, nil
	}
	evil := map[string]map[string]bool{}
	var set map[string]bool
	args := append([]string{"--no-walk=unsorted", "--diff-merges=combined", "--stdin", "--"}, paths...)
	err := r.rawLog(ctx, merges.String(), args, func(id, _ string) {
		set = map[string]bool{}
		evil[id] = set
	}, func(path, _ string) { set[path] = true })
	return evil, err
}

// onePathLog asks git for the log of one file.
func (r *Repo) onePathLog(ctx context.Context, head, path string) ([]PathChange, error) {
	cmd, err := r.git.Command(ctx, r.at.GitDir, "--literal-pathspecs", "log", "--no-mailmap", "--format=tformat:%H", "--end-of-options", head, "--", path)
	if err != nil {
		return nil, err
	}
	out, err := Output(cmd)
	if err != nil {
		return nil, r.logFailure(ctx, err)
	}
	var log []PathChange
	for id := range strings.FieldsSeq(string(out)) {
		e, err := r.Entry(id, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		log = append(log, PathChange{id, e.ID})
	}
	return log, nil
}

func (r *Repo) logFailure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return diag.Environment(diag.Errorf("fedora/unreadable-repository", "history of %s: %v", r.at.GitDir, err), "")
}

// rawLog runs git log and reports each commit and, after it, its changes.
func (r *Repo) rawLog(ctx context.Context, stdin string, args []string, commit func(id, parents string), change func(path, blob string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fixed := []string{"--literal-pathspecs", "log", "--raw", "-z", "--no-renames", "--no-abbrev",
		"--no-ext-diff", "--no-textconv", "--no-mailmap", "--no-color", "--format=tformat:%x01%H %P"}
	cmd, err := r.git.Command(ctx, r.at.GitDir, append(fixed, args...)...)
	if err != nil {
		return err
	}
	stderr := &Tail{}
	cmd.Stderr = stderr
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return diag.Environment(diag.Errorf("fedora/no-git", "git cannot be started: %v", err), "install git 2.32 or later")
	}
	perr := parseRawLog(bufio.NewReaderSize(out, 64<<10), commit, change)
	if perr != nil {
		cancel()
	}
	if err := cmd.Wait(); err != nil && perr == nil {
		perr = CommandError(cmd, err, stderr.String())
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			perr = err
		}
	}
	if perr != nil {
		return r.logFailure(ctx, perr)
	}
	return nil
}

// parseRawLog reads the output of git log --raw -z: records end in NUL; one
// that begins with 0x01 is a commit and its parents, one that begins with a
// colon (after a line feed) describes a change of the path in the next record.
func parseRawLog(in *bufio.Reader, commit func(id, parents string), change func(path, blob string)) error {
	seen := false
	for {
		record, err := in.ReadBytes(0)
		if err == io.EOF && len(record) == 0 {
			return nil
		}
		if err != nil {
			return errors.New("the output of git log is cut off")
		}
		record = bytes.TrimPrefix(record[:len(record)-1], []byte("\n"))
		if len(record) == 0 {
			continue
		}
		if record[0] == 1 {
			id, parents, _ := strings.Cut(string(record[1:]), " ")
			if !IsObjectID(id) {
				return fmt.Errorf("git log gave the unexpected commit %q", id)
			}
			commit(id, parents)
			seen = true
			continue
		}
		// ":mode mode id id status", with one more mode, id and colon per
		// further parent in a combined diff; the new blob is the last id.
		f := strings.Fields(string(record))
		if record[0] != ':' || len(f) < 5 || !IsObjectID(f[len(f)-2]) || !seen {
			return fmt.Errorf("git log gave the unexpected line %q", record)
		}
		path, err := in.ReadString(0)
		if err != nil {
			return errors.New("the output of git log is cut off")
		}
		blob := f[len(f)-2]
		if strings.Trim(blob, "0") == "" {
			blob = ""
		}
		change(strings.TrimSuffix(path, "\x00"), blob)
	}
}
