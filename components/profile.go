package components

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/components/schema"
	"specgraft/components/toml"
	"specgraft/overlay/diag"
)

// lockSuffix is what the name of a lock file ends in.
const lockSuffix = ".lock"

// findProfile finds out which profile the project is in: what the user asked
// for, then what the project says, then what files and keys there are.
func (p *Project) findProfile() {
	p.PinsDir = filepath.Join(p.Dir, filepath.FromSlash(PinsDir))
	pins := p.includedPins()
	set := p.root.Get("project", "specgraft", "profile")
	switch {
	case p.opt.Profile != "":
		p.Profile, p.ProfileReason = p.opt.Profile, "asked for"
	case set != nil && slices.Contains(schema.Profiles, set.Str):
		p.Profile, p.ProfileReason = set.Str, "set at "+diag.Position(set.Pos())
	case pins != "" && !p.hasLockFiles():
		p.Profile, p.ProfileReason = schema.ProfilePins, "pins in "+p.paths.display(pins)+", no lock files"
	default:
		p.Profile, p.ProfileReason = schema.ProfileLocks, "nothing says otherwise"
		if p.hasLockFiles() {
			p.ProfileReason = "lock files in " + p.paths.display(p.LockDir)
		}
		if old, since := p.oldKeys(); old != "" && since == "" && p.parts == nil {
			p.Profile, p.ProfileReason = schema.ProfileOld, old
		} else if since != "" {
			p.ProfileReason = since
		}
	}
	p.WithoutLocks = p.Profile == schema.ProfilePins
	if want := p.opt.WithoutLocks; want != nil && *want != p.WithoutLocks {
		p.WithoutLocks = *want
		p.Profile, p.ProfileReason = schema.ProfileLocks, "asked for"
		if *want {
			p.Profile = schema.ProfilePins
		}
	}
}

// includedPins returns the directory of generated pins that the project
// includes, "" for none, and notes it as the project's.
func (p *Project) includedPins() string {
	for _, doc := range p.documents {
		if p.generated[doc.src.Path] {
			p.PinsDir = doc.src.Dir
			return doc.src.Dir
		}
	}
	for _, doc := range p.documents {
		for i := range doc.includes {
			if dir, _ := splitGlob(doc.includes[i].pattern); filepath.Base(dir) == filepath.Base(PinsDir) {
				p.PinsDir = filepath.Clean(dir)
				return p.PinsDir
			}
		}
	}
	return ""
}

func (p *Project) hasLockFiles() bool {
	entries, err := os.ReadDir(p.LockDir)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return strings.HasSuffix(e.Name(), lockSuffix) && !strings.HasPrefix(e.Name(), ".")
	})
}

// oldKeys returns the first key that later versions of azldev no longer know,
// and the first that early ones did not.
func (p *Project) oldKeys() (old, since string) {
	schema.WalkKeys(p.root, &schema.RootKey, &schema.Trail{}, func(e *toml.Entry, k *schema.Key, at *schema.Trail) {
		switch {
		case k.Until != "" && old == "":
			old = fmt.Sprintf("%s at %s", at, diag.Position(e.Pos()))
		case k.Since != "" && since == "":
			since = fmt.Sprintf("%s at %s", at, diag.Position(e.Pos()))
		}
	})
	return old, since
}

// checkChoice warns where lock files and pins are there and nobody said which
// of them counts.
func (p *Project) checkChoice(c *schema.Checker) {
	if p.opt.WithoutLocks != nil || p.opt.Profile != "" || p.root.Get("project", "specgraft", "profile") != nil ||
		p.WithoutLocks || len(p.generated) == 0 || !p.hasLockFiles() {
		return
	}
	d := c.Diags.Warn(toml.NoPos, "config/profile", "the project has generated pins in %s and lock files in %s; the lock files count", p.paths.display(p.PinsDir), p.paths.display(p.LockDir))
	d.Pos.Filename = p.paths.display(p.File)
	d.Hint = `say which with profile = "` + schema.ProfileLocks + `" or "` + schema.ProfilePins + `" in [project.specgraft], or use --without-lockfile`
}

// CheckProfile reports what the project's profile does not know although it is
// fine here, with the version of azldev that does.
func (p *Project) CheckProfile() diag.List {
	c := &schema.Checker{}
	for _, doc := range p.documents {
		schema.WalkKeys(doc.root, &schema.RootKey, &schema.Trail{}, func(e *toml.Entry, k *schema.Key, at *schema.Trail) {
			switch {
			case k.Since != "" && k.Since != "later" && p.Profile == schema.ProfileOld:
				c.Profile(e, at, "exists since azldev "+k.Since, p.Profile)
			case k.Since == "later":
				c.Profile(e, at, "is not in azldev 1.0, only in later states of it", p.Profile)
			case k.Until != "" && p.Profile != schema.ProfileOld:
				d := c.Profile(e, at, "is gone in azldev "+k.Until, p.Profile)
				d.Hint = "write the suites as [tests.NAME], and refer to them with tests.tests = [{ name = ... }]"
			}
		})
	}
	if p.Profile == schema.ProfileOld {
		for _, e := range p.root.Get("components").Entries() {
			if parts := p.parts[e.Name]; len(parts) > 1 {
				d := c.Profile(&parts[1], (&schema.Trail{Up: &schema.Trail{}, Name: "components"}).Key(e.Name), "is defined in several files, which works since azldev 0.4", p.Profile)
				d.Related = []diag.Related{{Pos: parts[0].Pos(), Message: "first defined here"}}
			}
		}
	} else {
		p.checkPlans(c)
	}
	for i := range c.Diags {
		c.Diags[i].Severity = diag.Warning
	}
	c.Diags.Sort()
	return c.Diags
}

// checkPlans reports what azldev 1.0 needs of a plan; neither earlier nor later
// versions do.
func (p *Project) checkPlans(c *schema.Checker) {
	for _, t := range p.root.Get("tests").Entries() {
		tmt := t.Val.Get("tmt")
		if tmt == nil {
			continue
		}
		at := (&schema.Trail{Up: &schema.Trail{}, Name: "tests"}).Key(t.Name).Key("tmt")
		for _, path := range [][]string{{"plan"}, {"source"}, {"source", "git-url"}, {"source", "ref"}} {
			if tmt.Get(path...) != nil || len(path) == 2 && tmt.Get(path[0]) == nil {
				continue
			}
			d := c.Missing(tmt, strings.Join(path, "."), at, "")
			d.Code, d.Message = "config/profile", fmt.Sprintf("azldev 1.0 needs the key %q%s", strings.Join(path, "."), at.In())
		}
	}
}
