// Package components reads the project format of azldev: TOML files that
// describe a distribution as components with overlays. It finds the project,
// expands includes, merges layers, resolves inheritance and hands out typed
// components whose every value knows the file, line and column it came from.
//
//	p, problems := components.Load(components.Options{Dir: "."})
//	if problems.HasErrors() { ... }
//	c, problems := p.Component("bash")
//
// The package reads files below the project and nothing else: it starts no
// process, opens no connection and asks neither clock nor environment.
package components

import (
	"go/token"

	"specgraft/components/distro"
	"specgraft/components/schema"
	"specgraft/overlay"
)

// Options say which project to load and how.
type Options struct {
	Dir         string   // where the search for azldev.toml starts; it goes up to the root. "" is the working directory
	ConfigFiles []string // further files, merged last in this order; relative to the working directory
	UserFile    string   // the user's own file, merged after the project; "" is none, a missing file is fine
	NoDefaults  bool     // leave out the built-in defaults
	Permissive  bool     // ignore unknown keys, and warn where only the configuration as a whole is inconsistent
	// AllowOutside lets paths of the configuration lead outside the
	// project's git top level.
	AllowOutside bool
	// Profile is the state of the format to work by, one of Profiles; "" takes
	// what the project says, or finds it out.
	Profile string
	// WithoutLocks says whether upstream commits are kept in generated pins
	// instead of lock files; nil takes what the profile says.
	WithoutLocks *bool
	// IgnorePins leaves the files out that hold nothing but a generated pin.
	IgnorePins bool
	// OpenArchives lets overlays in archives go without an entry in source-files,
	// and such entries without an overlay: the first hash is still to be computed.
	OpenArchives bool
	// Text returns the text that an editor has of a file in place of what is
	// on disk, by absolute path, and whether it has one. It may be nil.
	Text func(path string) (string, bool)
	// Cache keeps what was read for further loads of the same project. It may
	// be nil.
	Cache *Cache
	// Known reports whether a file, by absolute path, is as it was when a load
	// that found nothing to report named it among its PackageFiles. Such files
	// are not read: the project lacks their package groups then, which is fine
	// for all that is asked about components. It may be nil, and is called by
	// several goroutines at once.
	Known func(path string) bool
}

// A Project is a loaded configuration. Its methods may be called from several
// goroutines at once.
type Project struct {
	Dir  string // absolute directory of azldev.toml
	File string // absolute path of azldev.toml
	Root string // absolute git top level that holds Dir, or Dir; paths are confined to it

	Description   string
	RenderedDir   string // absolute; project.rendered-specs-dir
	LockDir       string // absolute; project.lock-dir
	WorkDir       string // absolute; project.work-dir
	OutputDir     string // absolute; project.output-dir
	LogDir        string // absolute; project.log-dir
	DefaultDistro distro.Ref
	Distros       map[string]*distro.Distro
	Groups        map[string]*Group
	Settings      Settings
	// WithoutLocks says that upstream commits are kept in generated pins and
	// not in lock files.
	WithoutLocks bool
	PinsDir      string // absolute; directory of the generated pins
	// Profile is the state of the format that the project is in, and
	// ProfileReason says what that was found by.
	Profile, ProfileReason string

	*state
}

// Settings are the keys of [project.specgraft], an extension of the format.
type Settings struct {
	// Lint maps a diagnostic code, or a prefix of one that ends in "/", to
	// "error", "warning" or "off".
	Lint map[string]string
	// DirtyClock says which time a change that is not committed yet gets in
	// a changelog: "head" (the default: committer date of the project's
	// HEAD) or "now".
	DirtyClock string
	// History says where a component's own changes come from: "locks" (the
	// default), "config" (commits that touch the component's effective
	// configuration) or "none".
	History string
	// Header is the text put on top of rendered specs, as a template; only
	// meaningful when HasHeader.
	Header    string
	HasHeader bool
	// AutospecVersion is written into the header of processed specs.
	AutospecVersion string
	// TemplatesDir is the absolute folder of the project's own templates.
	TemplatesDir string
}

// A Group is one [component-groups.NAME] table.
type Group struct {
	Name          string
	Pos           token.Position
	Description   string
	Components    []string // explicit members
	Specs         []string // absolute glob patterns of spec files
	ExcludedPaths []string // absolute glob patterns
}

// A Component is fully merged: defaults, groups, own table and overlay files.
type Component struct {
	Name   string
	Pos    token.Position // of its table header, or of what discovered it
	Dir    string         // absolute directory of File; of the spec for one found by a spec glob
	File   string         // absolute path of the TOML file that defines it, "" for one found by a spec glob
	Groups []string       // groups it inherits from, sorted

	Spec        Spec
	Release     Release
	Overlays    []overlay.Op // in order of application, overlay files last
	Build       Build
	Render      Render
	SourceFiles []SourceFile
	Packages    map[string]Package
	Publish     Publish
	Template    *schema.Template

	*resolved
}

// Spec says where a component's spec comes from.
type Spec struct {
	Type           string // "local", "upstream", "template" (extension) or ""
	Path           string // absolute; of a local spec
	UpstreamDistro distro.Ref
	UpstreamName   string // as written; Component.UpstreamName gives the effective one
	UpstreamCommit string // the pin, full or abbreviated
	Source         string // extension: "" or "dist-git", or "srpm"
	SRPM           string // extension: URL or absolute path of the source RPM, "" to find it in the distro's repos
	Template       string // extension: template name of type "template"
}

// Release says how the release number is made.
type Release struct {
	Calculation string // "auto", "autorelease", "static", "manual" or "smart" (extension); never empty

	// Extensions: a text behind the release, for as long as upstream's version
	// and release are not beyond SuffixUntil.
	Suffix, SuffixUntil string
	// ChangelogEntry (extension) gives a spec with a changelog of its own an
	// entry for the component's changes.
	ChangelogEntry bool
}

// Build is the build configuration that goes into the rendered spec.
type Build struct {
	With, Without          []string
	Defines                map[string]string
	Undefines              []string
	EmitUpstreamProvenance bool
	// Check says whether %check runs.
	Check struct {
		Skip       bool
		SkipReason string
	}
	// Failure says whether the component is expected to fail.
	Failure struct {
		Expected       bool
		ExpectedReason string
	}
	// Hints are advice for the build system.
	Hints struct {
		Expensive bool
	}
}

// Render are the settings of rendering.
type Render struct {
	SkipFileFilter bool

	// Extensions: a spec that rpm would not accept is rendered with a warning,
	// and why that is right.
	AllowRejected       bool
	AllowRejectedReason string
}

// A SourceFile is one entry of source-files.
type SourceFile struct {
	Pos             token.Position
	Filename        string
	Hash, HashType  string
	Origin          SourceOrigin
	ReplaceUpstream bool
	ReplaceReason   string
}

// SourceOrigin says where a source file comes from.
type SourceOrigin struct {
	Type         string // "download", "custom" or "overlay"
	URI          string
	Script       string
	MockPackages []string
	Inputs       []string
}

// A Package is one packages.NAME table of a component.
type Package struct {
	Publish Publish
}

// Publish names the channels that packages go to.
type Publish struct {
	RPMChannel, SRPMChannel, DebuginfoChannel string
	Channel                                   string // deprecated spelling, packages only
}

// An Origin is where an effective value came from.
type Origin struct {
	// Layer is "built-in", "distro NAME VERSION", "project", "group NAME",
	// "component" or "overlay file".
	Layer string
	Pos   token.Position
}

// A Selector chooses components; the choices add up.
type Selector struct {
	All       bool
	Names     []string // exact names, or shell patterns when they hold *, ? or [
	Groups    []string
	SpecPaths []string // relative to the working directory
}
