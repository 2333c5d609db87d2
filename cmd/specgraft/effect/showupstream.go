package effect

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/fedora"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/macro"
	"specgraft/fedora/macro/report"
	"specgraft/overlay"
	"specgraft/overlay/diag"
	"specgraft/render"
	"specgraft/render/rebase"
)

// upstreamRecord is a package as upstream has it.
type upstreamRecord struct {
	Package    string `json:"package"`
	Configured bool   `json:"configured"` // the project has a component of that name
	Distro     string `json:"distro"`
	Version    string `json:"version"` // of the distribution
	Repository string `json:"repository"`
	Branch     string `json:"branch"`
	Commit     string `json:"commit"`
	// Files are those of the packaging, by path.
	Files   []upstreamFile   `json:"files"`
	Sources []upstreamSource `json:"sources"` // of the sources file
	Query   *report.Report   `json:"query"`
}

type upstreamFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"` // bytes
}

type upstreamSource struct {
	Name     string `json:"name"`
	HashType string `json:"hashType"`
	Hash     string `json:"hash"`
}

// showUpstream shows a package of the upstream distribution.
func showUpstream(ctx context.Context, g *cli.Globals, what, format string) error {
	name, commit, given := strings.Cut(what, "@")
	if name == "" || given && commit == "" {
		return cli.Usagef("--upstream %s: want NAME or NAME@COMMIT", what)
	}
	p, err := g.LoadComponents()
	if err != nil {
		return err
	}
	c, problems := p.Prospect(name)
	if err := problems.Err(); err != nil {
		return err
	}
	u, problems := p.Upstream(c)
	if err := problems.Err(); err != nil {
		return err
	}
	if u.Source == "srpm" {
		return cli.Usagef("the project takes packaging from source packages: 'specgraft srpm show' shows them")
	}
	store, err := g.Store(p)
	if err != nil {
		return err
	}
	tree, id, err := upstreamTree(ctx, store, c, u, commit)
	if err != nil {
		return err
	}
	rec := upstreamRecord{Package: u.Name, Configured: slices.Contains(p.Names(), name), Distro: u.DistroName, Version: u.Version,
		Repository: u.URL, Branch: u.Branch, Commit: id, Files: []upstreamFile{{c.Name + ".spec", int64(len(tree.Spec.Bytes()))}}, Sources: []upstreamSource{}}
	res := &render.Result{Component: c.Name, Spec: tree.Spec}
	for path, f := range tree.Files {
		rec.Files = append(rec.Files, upstreamFile{path, f.Size()})
		res.Files = append(res.Files, f)
	}
	slices.SortFunc(rec.Files, func(a, b upstreamFile) int { return strings.Compare(a.Path, b.Path) })
	if f := tree.Files["sources"]; f != nil {
		text, err := f.Bytes()
		if err != nil {
			return err
		}
		sources, list := lookaside.ParseSources("sources", text)
		g.Report(list)
		for _, e := range sources.Entries() {
			rec.Sources = append(rec.Sources, upstreamSource{e.Name, e.HashType, e.Hash})
		}
	}
	r, err := g.Renderer(p)
	if err != nil {
		return err
	}
	cfg, err := r.Evaluation(c, macro.Config{FS: res.FS(), Stop: ctx.Done()})
	if err != nil {
		return err
	}
	s := macro.Eval(c.Name+".spec", tree.Spec.Bytes(), cfg)
	if s.Stopped {
		return ctx.Err()
	}
	rec.Query = report.New(s, c.Name+".spec", cfg.Arch)
	if format == "json" {
		return cli.WriteJSON(g.Stdout, rec)
	}
	g.Report(s.Problems[:min(30, len(s.Problems))])
	return rec.write(g)
}

// upstreamTree returns the packaging at a commit or branch, or at the commit
// that a new component would have.
func upstreamTree(ctx context.Context, store *fedora.Store, c *components.Component, u distro.Upstream, at string) (*overlay.Tree, string, error) {
	req := fedora.Request{URL: u.URL, Mirrors: u.Mirrors, Branch: u.Branch, Snapshot: u.Snapshot, Component: c.Name, Commit: at, Refresh: u.Snapshot.IsZero()}
	id, err := store.Resolve(ctx, req)
	if err != nil && at != "" && diag.HasCode(err, "fedora/bad-ref", "fedora/missing-commit") {
		byCommit := err
		req.Branch, req.Commit = at, ""
		if id, err = store.Resolve(ctx, req); diag.HasCode(err, "fedora/no-branch") {
			err = byCommit
		}
	}
	if err != nil {
		return nil, "", err
	}
	tree, err := rebase.TreeAt(ctx, store, u, c.Name, id)
	return tree, id, err
}

// write prints the record as text.
func (r *upstreamRecord) write(g *cli.Globals) error {
	w := bufio.NewWriter(g.Stdout)
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	state := "not in the configuration"
	if r.Configured {
		state = "in the configuration"
	}
	fmt.Fprintf(tw, "package\t%s, %s\n", r.Package, state)
	fmt.Fprintf(tw, "upstream\t%s %s, branch %s\n", r.Distro, r.Version, r.Branch)
	fmt.Fprintf(tw, "repository\t%s\n", r.Repository)
	fmt.Fprintf(tw, "commit\t%s\n", r.Commit)
	for i, f := range r.Files {
		fmt.Fprintf(tw, "%s\t%s  %s\n", onlyFirst(i, "files"), f.Path, cli.ByteCount(f.Size))
	}
	for i, s := range r.Sources {
		fmt.Fprintf(tw, "%s\t%s  %s %.16s...\n", onlyFirst(i, "sources"), s.Name, strings.ToUpper(s.HashType), s.Hash)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := r.Query.WriteText(w); err != nil {
		return err
	}
	return w.Flush()
}

func onlyFirst(i int, text string) string {
	if i > 0 {
		return ""
	}
	return text
}
