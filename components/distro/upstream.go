package distro

import (
	"go/token"
	"net/url"
	"strings"
	"time"
)

// An Upstream is where the packaging of a component comes from.
type Upstream struct {
	Name           string // upstream package name
	DistroName     string
	Version        string // version label in use, after the default
	RefVersion     string // version label as the reference gives it, may be empty
	URL            string // dist-git repository
	Mirrors        []string
	Branch         string
	Commit         string // the pin, "" for none
	Snapshot       time.Time
	SnapshotText   string // as written
	ReleaseVer     string
	DistGitBaseURI string // the template as written
	LookasideURI   string // the template as written
	DisableOrigins bool
	Repos          []string
	Source         string         // "dist-git" or "srpm"
	SRPM           string         // URL or absolute path, "" to find it in Repos
	Pos            token.Position // of the value that chose the upstream
}

// Expand fills the package name into an address template.
func (u *Upstream) Expand(template string) string {
	return strings.ReplaceAll(template, "$pkg", url.PathEscape(u.Name))
}

// Lookaside returns the address of a source file in the lookaside cache. All
// parts are escaped as path segments, the hash type is in lower case.
func (u *Upstream) Lookaside(filename, hashType, hash string) string {
	return strings.NewReplacer(
		"$pkg", url.PathEscape(u.Name),
		"$filename", url.PathEscape(filename),
		"$hashtype", url.PathEscape(strings.ToLower(hashType)),
		"$hash", url.PathEscape(hash),
	).Replace(u.LookasideURI)
}

// SourceRepos returns the addresses of the distribution's source repositories,
// with $releasever filled in.
func (u *Upstream) SourceRepos() []string {
	repos := make([]string, len(u.Repos))
	for i, r := range u.Repos {
		repos[i] = strings.NewReplacer("$releasever", url.PathEscape(u.ReleaseVer), "$basearch", "source").Replace(r)
	}
	return repos
}
