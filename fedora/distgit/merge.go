package distgit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Merge is what merging two commits of a repository gives.
type Merge struct {
	Repo      *Repo    // a scratch repository whose HEAD is the merge
	Commit    string   // the merge commit
	Conflicts []string // paths that could not be merged
}

// MergeInto merges theirs into ours in a scratch repository that it makes in the
// empty directory dir. It borrows the objects of r, to which nothing is written,
// and nothing is checked out. No merge driver runs. base is the commit that
// theirs is compared with, or empty for the merge base of the two; then theirs is
// also a parent of the merge.
func (r *Repo) MergeInto(ctx context.Context, dir, ours, theirs, base string) (*Merge, error) {
	if err := r.git.prepare(); err != nil {
		return nil, err
	}
	format := "sha1"
	if len(ours) == 2*sha256.Size {
		format = "sha256"
	}
	gitDir := filepath.Join(dir, ".git")
	init := exec.CommandContext(ctx, r.git.Path, "init", "--quiet", "--template=", "--initial-branch=main", "--object-format="+format, dir)
	init.Env, init.Dir = r.git.env, "/"
	if _, err := Output(init); err != nil {
		return nil, err
	}
	objects := filepath.Join(r.at.Common, "objects")
	if err := os.WriteFile(filepath.Join(gitDir, "objects", "info", "alternates"), []byte(objects+"\n"), 0o666); err != nil {
		return nil, err
	}
	args := []string{"merge-tree", "--write-tree", "--name-only", "--no-messages", "-z"}
	if base != "" {
		args = append(args, "--merge-base="+base)
	}
	cmd, err := r.git.Command(ctx, gitDir, append(args, ours, theirs)...)
	if err != nil {
		return nil, err
	}
	var merged bytes.Buffer
	said := &Tail{}
	cmd.Stdout, cmd.Stderr = &merged, said
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 { // 1 says that there are conflicts
		return nil, CommandError(cmd, err, said.String())
	}
	fields := strings.Split(strings.TrimRight(merged.String(), "\x00"), "\x00")
	m := &Merge{Conflicts: fields[1:]}
	parents := []string{"-p", ours}
	if base == "" {
		parents = append(parents, "-p", theirs)
	}
	c, err := r.Commit(theirs)
	if err != nil {
		return nil, err
	}
	cmd, err = r.git.Command(ctx, gitDir, append(append([]string{"commit-tree"}, parents...), "-m", "Merge", fields[0])...)
	if err != nil {
		return nil, err
	}
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		cmd.Env = append(cmd.Env, "GIT_"+who+"_NAME="+c.Committer.Name, "GIT_"+who+"_EMAIL="+c.Committer.Email,
			fmt.Sprintf("GIT_%s_DATE=@%d +0000", who, c.Committer.When.Unix()))
	}
	out, err := Output(cmd)
	if err != nil {
		return nil, err
	}
	m.Commit = strings.TrimSpace(string(out))
	if cmd, err = r.git.Command(ctx, gitDir, "update-ref", "refs/heads/main", m.Commit); err != nil {
		return nil, err
	}
	if _, err := Output(cmd); err != nil {
		return nil, err
	}
	m.Repo, err = OpenWorktree(ctx, dir)
	return m, err
}
