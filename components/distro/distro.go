// Package distro has the distributions that a project names: where their packaging,
// sources and packages are.
package distro

import (
	"go/token"

	"specgraft/components/toml"
)

// A Distro is one [distros.NAME] table.
type Distro struct {
	Name             string
	Pos              token.Position
	Description      string
	DefaultVersion   string
	DistGitBaseURI   string // template with $pkg
	LookasideBaseURI string // template with $pkg $filename $hashtype $hash
	MirrorBaseURIs   []string
	Repos            []string // base URIs of package repositories, may hold $releasever and $basearch
	DisableOrigins   bool
	Versions         map[string]*Version
}

// A Version is one [distros.NAME.versions.VERSION] table.
type Version struct {
	Name          string
	Pos           token.Position
	Description   string
	ReleaseVer    string
	DistGitBranch string
	MacroSet      string // extension: absolute path of an imported macro set, "" for the built-in one
	// MockConfig maps an architecture, or "" for any, to an absolute path.
	MockConfig map[string]string
}

// A Ref names a distribution, one of its versions and a moment.
type Ref struct {
	Name     string
	Version  string
	Snapshot string // RFC 3339 as written; parsed when an upstream is resolved
}

// Read makes a distribution of its table.
func Read(e toml.Entry) *Distro {
	d := &Distro{
		Name: e.Name, Pos: e.Val.Pos(), Description: e.Val.Text("description"),
		DefaultVersion: e.Val.Text("default-version"), DistGitBaseURI: e.Val.Text("dist-git-base-uri"),
		LookasideBaseURI: e.Val.Text("lookaside-base-uri"), MirrorBaseURIs: e.Val.Get("mirror-base-uri").Strings(),
		DisableOrigins: e.Val.Flag("disable-origins"), Versions: map[string]*Version{},
	}
	if repos := e.Val.Get("repos"); repos != nil {
		for _, r := range repos.List {
			if uri := r.Text("base-uri"); uri != "" {
				d.Repos = append(d.Repos, uri)
			}
		}
	}
	for _, ve := range e.Val.Get("versions").Entries() {
		v := &Version{
			Name: ve.Name, Pos: ve.Val.Pos(), Description: ve.Val.Text("description"), ReleaseVer: ve.Val.Text("release-ver"),
			DistGitBranch: ve.Val.Text("dist-git-branch"), MacroSet: ve.Val.Get("macro-set").Path(), MockConfig: map[string]string{},
		}
		for _, arch := range []string{"", "x86_64", "aarch64"} {
			key := "mock-config"
			if arch != "" {
				key += "-" + arch
			}
			if path := ve.Val.Get(key).Path(); path != "" {
				v.MockConfig[arch] = path
			}
		}
		d.Versions[ve.Name] = v
	}
	return d
}

// ReadRef makes a reference of a table such as upstream-distro.
func ReadRef(v *toml.Value) Ref {
	return Ref{Name: v.Text("name"), Version: v.Text("version"), Snapshot: v.Text("snapshot")}
}
