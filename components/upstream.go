package components

import (
	"cmp"
	"fmt"
	"go/token"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"specgraft/components/distro"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// PlaceUpstream returns a problem with the packaging of c, as the store reports
// it, at the place in the configuration that its author can change: a commit
// that is missing at the pin, everything else at the component. That its
// distribution is chosen elsewhere is a related place. A problem that has a
// place keeps it.
func (c *Component) PlaceUpstream(d diag.Diagnostic, u distro.Upstream) diag.Diagnostic {
	if d.Pos.Filename != "" {
		return d
	}
	d.Component, d.Pos = c.Name, c.Pos
	switch d.Code {
	case "fedora/missing-commit", "fedora/ambiguous-commit":
		if o, ok := c.Origin("spec.upstream-commit"); ok {
			d.Pos = o.Pos
			return d
		}
	}
	chosen := diag.Related{Pos: u.Pos, Message: "its upstream is chosen here"}
	if o, ok := c.Origin("spec.upstream-distro.snapshot"); ok && d.Code == "fedora/no-snapshot" {
		chosen = diag.Related{Pos: o.Pos, Message: "the snapshot is chosen here"}
	}
	if d.Pos.Line == 0 {
		d.Pos = chosen.Pos
	} else if chosen.Pos != d.Pos && !d.Env {
		d.Related = append(d.Related[:len(d.Related):len(d.Related)], chosen)
	}
	return d
}

// UpstreamName returns the name of the component's package upstream, which is
// its own name unless spec.upstream-name says otherwise.
func (c *Component) UpstreamName() string { return cmp.Or(c.Spec.UpstreamName, c.Name) }

// Upstream returns where the packaging of c comes from. Only components of
// type "upstream" have an upstream; the distribution must give its dist-git
// address, branch and lookaside address, and the snapshot must be a date.
func (p *Project) Upstream(c *Component) (distro.Upstream, diag.List) {
	var diags diag.List
	u := p.upstream(c, &diags)
	for i := range diags {
		diags[i].Component = c.Name
	}
	return u, diags
}

func (p *Project) upstream(c *Component, diags *diag.List) distro.Upstream {
	at := fmt.Sprintf("components.%s.spec", toml.QuoteKey(c.Name))
	u := distro.Upstream{Name: c.UpstreamName(), Pos: c.Pos, Commit: c.Spec.UpstreamCommit, Source: cmp.Or(c.Spec.Source, "dist-git"), SRPM: c.Spec.SRPM}
	if c.Spec.Type != "upstream" {
		pos := c.Pos
		if v := c.merged.Get("spec", "type"); v != nil {
			pos = v.Pos()
		}
		d := diags.Add(pos, "config/no-upstream", "component %q has no upstream", c.Name)
		d.Hint = fmt.Sprintf(`set %s = { type = "upstream" }`, at)
		return u
	}
	ref := c.merged.Get("spec", "upstream-distro")
	if ref == nil {
		ref = c.merged.Get("spec", "type")
	}
	u.Pos = ref.Pos()
	for _, key := range []string{"version", "name"} {
		if v := c.merged.Get("spec", "upstream-distro", key); v != nil {
			u.Pos = v.Pos()
			break
		}
	}
	if c.Spec.UpstreamDistro.Name == "" {
		d := diags.Add(ref.Pos(), "config/no-distro", "component %q does not say from which distro its packaging comes", c.Name)
		d.Hint = fmt.Sprintf("set upstream-distro = { name = ... } in %s or in a default-component-config", at)
		return u
	}
	version, distro := p.lookupVersion(diags, c.Spec.UpstreamDistro, c.merged.Get("spec", "upstream-distro"), at+".upstream-distro")
	if version == nil {
		return u
	}
	tab := p.root.Get("distros", distro.Name)
	need := func(v *toml.Value, table, key, text string) {
		if text != "" || u.Source == "srpm" { // which asks neither dist-git nor a lookaside cache
			return
		}
		d := diags.Add(v.Pos(), "config/missing-key", "missing key %q in %s: distro %q serves as upstream", key, table, distro.Name)
		d.Related = []diag.Related{{Pos: ref.Pos(), Message: fmt.Sprintf("component %q takes its packaging from it here", c.Name)}}
	}
	name := "distros." + toml.QuoteKey(distro.Name)
	need(tab, name, "dist-git-base-uri", distro.DistGitBaseURI)
	need(tab.Get("versions", version.Name), name+".versions."+toml.QuoteKey(version.Name), "dist-git-branch", version.DistGitBranch)
	need(tab, name, "lookaside-base-uri", distro.LookasideBaseURI)

	u.DistroName, u.Version, u.RefVersion = distro.Name, version.Name, c.Spec.UpstreamDistro.Version
	u.Branch, u.ReleaseVer = version.DistGitBranch, version.ReleaseVer
	u.DistGitBaseURI, u.LookasideURI = distro.DistGitBaseURI, distro.LookasideBaseURI
	u.DisableOrigins, u.Repos = distro.DisableOrigins, distro.Repos
	u.URL = u.Expand(distro.DistGitBaseURI)
	if v := tab.Get("dist-git-base-uri"); v != nil && (strings.HasPrefix(u.URL, "./") || strings.HasPrefix(u.URL, "../")) {
		// An extension: repositories or bundles that the project carries.
		u.URL = (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(v.Src.Dir, distro.DistGitBaseURI))}).String()
		u.URL = strings.ReplaceAll(u.URL, "$pkg", url.PathEscape(u.Name))
	}
	for _, m := range distro.MirrorBaseURIs {
		u.Mirrors = append(u.Mirrors, u.Expand(m))
	}
	if u.SnapshotText = c.Spec.UpstreamDistro.Snapshot; u.SnapshotText != "" {
		t, err := time.Parse(time.RFC3339, u.SnapshotText)
		if err != nil {
			v := c.merged.Get("spec", "upstream-distro", "snapshot")
			d := diags.Add(v.Pos(), "config/bad-value", "snapshot %q is not an RFC 3339 date and time", u.SnapshotText)
			d.End = v.EndPos()
			d.Hint = `write it like "2026-02-24T00:00:00Z"`
		}
		u.Snapshot = t
	}
	return u
}

// MacroSet returns the absolute path of the macro set that the specs of c are
// evaluated with and the place that says so: macro-set of the distribution
// version that its packaging comes from, or for a component of the project's
// own that of the default distribution. Empty means the built-in set.
func (p *Project) MacroSet(c *Component) (string, token.Position) {
	d, v := p.DistroVersion(c.Spec.UpstreamDistro)
	if v == nil || v.MacroSet == "" {
		return "", token.Position{}
	}
	return v.MacroSet, p.root.Get("distros", d.Name, "versions", v.Name, "macro-set").Pos()
}
