package effect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
	"specgraft/render"
)

func MergeDriverCmd(g *cli.Globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge-driver BASE OURS THEIRS PATH",
		Short: "Merge a rendered file by rendering the merged configuration",
		Long: `Merge-driver is for git, which runs it when two branches both changed a rendered
file. It merges the configuration of both branches in a scratch repository,
renders the component from that, and gives git the result; no rendered file ever
has conflict markers. Set it up once in a clone:

  git config merge.specgraft.name "render the merged configuration"
  git config merge.specgraft.driver "specgraft merge-driver %O %A %B %P"

and commit a .gitattributes that names the rendered tree:

  specs/** merge=specgraft

When the configuration itself is in conflict, or what rendering needs is not in
the cache, the file stays as it is on the present branch, git reports it as
unmerged, and the message says what to run once the configuration is merged.
Nothing is fetched.`,
		Example: `  specgraft merge-driver %O %A %B %P`,
		Args:    cobra.ExactArgs(4),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ours, file := args[1], args[3]
		name := componentOfPath(file)
		text, err := mergeRendered(cmd.Context(), g, file, name)
		if err != nil {
			if cmd.Context().Err() != nil {
				return err
			}
			why, _, _ := strings.Cut(err.Error(), "\n")
			return &diag.Diagnostic{Code: "merge/left", Component: name, Message: fmt.Sprintf("%s is left as it is on this branch: %s", file, why),
				Hint: fmt.Sprintf("once the configuration is merged, run 'specgraft render %s' and git add %s", name, path.Dir(file))}
		}
		return os.WriteFile(ours, text, 0o666)
	}
	return cmd
}

// componentOfPath returns the component that a path below the rendered tree
// belongs to: the tree has a directory for each first letter.
func componentOfPath(file string) string {
	parts := strings.Split(path.Dir(file), "/")
	for i := 1; i < len(parts); i++ {
		if len(parts[i-1]) == 1 && parts[i] != "" && render.ComponentDir(parts[i]) == parts[i-1]+"/"+parts[i] {
			return parts[i]
		}
	}
	return path.Base(path.Dir(file))
}

// mergeRendered returns a rendered file as the merged configuration gives it.
func mergeRendered(ctx context.Context, g *cli.Globals, file, name string) ([]byte, error) {
	repo, err := distgit.OpenWorktree(ctx, ".")
	if err != nil {
		return nil, err
	}
	g.Closers = append(g.Closers, repo.Close)
	ours, err := repo.Head()
	if err != nil {
		return nil, err
	}
	theirs, base, err := mergedIn(repo)
	if err != nil {
		return nil, err
	}
	dir, err := g.TempDir("merge")
	if err != nil {
		return nil, err
	}
	m, err := repo.MergeInto(ctx, dir, ours, theirs, base)
	if err != nil {
		return nil, err
	}
	g.Closers = append(g.Closers, m.Repo.Close)
	p, err := mergedProject(ctx, g, repo, m, dir)
	if err != nil {
		return nil, err
	}
	rendered, err := filepath.Rel(p.Root, p.RenderedDir)
	if err != nil {
		return nil, err
	}
	g.Offline = true
	r, err := g.Renderer(p)
	if err != nil {
		return nil, err
	}
	r.SkipLockValidation = true
	if err := r.Prepare(ctx, []string{name}, false).Err(); err != nil {
		return nil, err
	}
	res := r.Render(ctx, name)
	if res.Failed() {
		return nil, res.Diags.Err()
	}
	want := strings.TrimPrefix(file, filepath.ToSlash(rendered)+"/"+render.ComponentDir(name)+"/")
	for _, f := range res.Files {
		if f.Path == want {
			return f.Bytes()
		}
	}
	return nil, fmt.Errorf("the merged configuration renders no %s", want)
}

// mergedProject loads the project as the merge has it. Its rendered tree is left
// out: nothing reads it.
func mergedProject(ctx context.Context, g *cli.Globals, repo *distgit.Repo, m *distgit.Merge, dir string) (*components.Project, error) {
	here, err := g.Load()
	if err != nil {
		return nil, err
	}
	skip := ""
	if rel, err := filepath.Rel(repo.Top(), here.RenderedDir); err == nil && filepath.IsLocal(rel) {
		skip = filepath.ToSlash(rel) + "/"
	}
	for _, c := range m.Conflicts {
		if skip == "" || !strings.HasPrefix(c, skip) {
			return nil, fmt.Errorf("%s is in conflict", c)
		}
	}
	sub, err := filepath.Rel(repo.Top(), here.Dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := m.Repo.Export(ctx, m.Commit, root, func(path string) bool { return skip != "" && strings.HasPrefix(path, skip) }); err != nil {
		return nil, err
	}
	opt := g.LoadOptions()
	opt.Dir = filepath.Join(dir, sub)
	p, problems := components.Load(opt)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, errors.New("the merge has no azldev.toml")
	}
	return p, nil
}

// mergedIn returns the commit that git is merging into the present one. base is
// set when it is one commit of a series, as in a rebase or cherry-pick: what
// counts then is what it changes.
func mergedIn(repo *distgit.Repo) (theirs, base string, err error) {
	var heads []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if id, ok := strings.CutPrefix(name, "GITHEAD_"); ok {
			heads = append(heads, id)
		}
	}
	if len(heads) == 1 {
		return heads[0], "", nil
	}
	for _, ref := range []string{"MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD"} {
		id, err := repo.RevParse(ref)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", "", err
		}
		if ref == "MERGE_HEAD" {
			return id, "", nil
		}
		c, err := repo.Commit(id)
		if err != nil {
			return "", "", err
		}
		if len(c.Parents) == 1 {
			return id, c.Parents[0], nil
		}
	}
	return "", "", errors.New("what is being merged cannot be found out")
}
