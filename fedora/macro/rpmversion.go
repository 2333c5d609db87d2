package macro

import (
	"specgraft/fedora/evr"
	"specgraft/overlay/regex"
)

// The language of specs differs between versions of rpm. Which one is meant is a
// part of a macro set, as the macro %rpmversion, which rpm itself has; where it
// is not known, specs are read as the newest rpm reads them.

var versionOfRPM = regex.Once(`^[0-9]{1,6}(\.[0-9]{1,6}){0,4}$`)

// RPMVersion returns the version of the rpm whose macros the set has, such as
// "4.18"; "" when it is not known.
func (s *Set) RPMVersion() string { return rpmVersionOf(s.macros["rpmversion"]) }

func rpmVersionOf(d *def) string {
	if d == nil || d.param || d.native != nil || !versionOfRPM().MatchString(d.body) {
		return ""
	}
	return d.body
}

// WithRPM returns the set as one of the given version of rpm.
func (s *Set) WithRPM(version string) *Set {
	return Load(s.name, "%rpmversion "+version+"\n", s)
}

// GuessRPM returns the version of rpm that a set with rpm's own macros must come
// from, by the macros that versions brought; "" when they do not tell.
func (s *Set) GuessRPM() string {
	has := func(name string) bool { d := s.macros[name]; return d != nil && d.native == nil }
	switch {
	case s.RPMVersion() != "":
		return s.RPMVersion()
	case !has("_srcrpmdir") || !has("__spec_prep_template") || !has("_default_patch_flags"):
		return "" // not rpm's own
	case has("buildsystem_default_prep") || has("buildsystem_autotools_conf"):
		return "" // 4.20 or later
	case has("__systemd_sysusers"):
		return "4.19"
	}
	return "4.18"
}

// before reports whether the spec is read by an rpm that is known to be older
// than a version.
func (e *Evaluator) before(version string) bool {
	return e.rpm != "" && evr.CompareVersions(e.rpm, version) < 0
}

// newSections are the sections that came with a version of rpm; to an older one
// their names are text.
var newSections = map[string]string{"preuntrans": "4.19", "postuntrans": "4.19"}

// newTags are the tags that came with a version of rpm.
var newTags = map[string]string{"BuildSystem": "4.20", "BuildOption": "4.20"}

// tooNew reports whether something that came with the given version is not known
// to the rpm that reads the spec. An empty version is as old as rpm.
func (e *Evaluator) tooNew(since string) bool { return since != "" && e.before(since) }
