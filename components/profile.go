package components

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/overlay/diag"
)

// lockSuffix is what the name of a lock file ends in.
const lockSuffix = ".lock"

// findProfile finds out which profile the project is in: what the user asked
// for, then what the project says, then what files and keys there are.
func (p *Project) findProfile() {
	p.PinsDir = filepath.Join(p.Dir, filepath.FromSlash(PinsDir))
	pins := p.includedPins()
	set := p.root.get("project", "specgraft", "profile")
	switch {
	case p.opt.Profile != "":
		p.Profile, p.ProfileReason = p.opt.Profile, "asked for"
	case set != nil && slices.Contains(Profiles, set.str):
		p.Profile, p.ProfileReason = set.str, "set at "+diag.Position(set.pos())
	case pins != "" && !p.hasLockFiles():
		p.Profile, p.ProfileReason = ProfilePins, "pins in "+p.paths.display(pins)+", no lock files"
	default:
		p.Profile, p.ProfileReason = ProfileLocks, "nothing says otherwise"
		if p.hasLockFiles() {
			p.ProfileReason = "lock files in " + p.paths.display(p.LockDir)
		}
		if old, since := p.oldKeys(); old != "" && since == "" && p.parts == nil {
			p.Profile, p.ProfileReason = ProfileOld, old
		} else if since != "" {
			p.ProfileReason = since
		}
	}
	p.WithoutLocks = p.Profile == ProfilePins
	if want := p.opt.WithoutLocks; want != nil && *want != p.WithoutLocks {
		p.WithoutLocks = *want
		p.Profile, p.ProfileReason = ProfileLocks, "asked for"
		if *want {
			p.Profile = ProfilePins
		}
	}
}

// includedPins returns the directory of generated pins that the project
// includes, "" for none, and notes it as the project's.
func (p *Project) includedPins() string {
	for _, doc := range p.documents {
		if p.generated[doc.src.path] {
			p.PinsDir = doc.src.dir
			return doc.src.dir
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
	walkKeys(p.root, &rootKey, &trail{}, func(e *entry, k *Key, at *trail) {
		switch {
		case k.Until != "" && old == "":
			old = fmt.Sprintf("%s at %s", at, diag.Position(e.pos()))
		case k.Since != "" && since == "":
			since = fmt.Sprintf("%s at %s", at, diag.Position(e.pos()))
		}
	})
	return old, since
}

// checkChoice warns where lock files and pins are there and nobody said which
// of them counts.
func (p *Project) checkChoice(c *checker) {
	if p.opt.WithoutLocks != nil || p.opt.Profile != "" || p.root.get("project", "specgraft", "profile") != nil ||
		p.WithoutLocks || len(p.generated) == 0 || !p.hasLockFiles() {
		return
	}
	d := c.diags.Warn(noPos, "config/profile", "the project has generated pins in %s and lock files in %s; the lock files count", p.paths.display(p.PinsDir), p.paths.display(p.LockDir))
	d.Pos.Filename = p.paths.display(p.File)
	d.Hint = `say which with profile = "` + ProfileLocks + `" or "` + ProfilePins + `" in [project.specgraft], or use --without-lockfile`
}

// CheckProfile reports what the project's profile does not know although it is
// fine here, with the version of azldev that does.
func (p *Project) CheckProfile() diag.List {
	c := &checker{}
	for _, doc := range p.documents {
		walkKeys(doc.root, &rootKey, &trail{}, func(e *entry, k *Key, at *trail) {
			switch {
			case k.Since != "" && k.Since != "later" && p.Profile == ProfileOld:
				c.profile(e, at, "exists since azldev "+k.Since, p.Profile)
			case k.Since == "later":
				c.profile(e, at, "is not in azldev 1.0, only in later states of it", p.Profile)
			case k.Until != "" && p.Profile != ProfileOld:
				d := c.profile(e, at, "is gone in azldev "+k.Until, p.Profile)
				d.Hint = "write the suites as [tests.NAME], and refer to them with tests.tests = [{ name = ... }]"
			}
		})
	}
	if p.Profile == ProfileOld {
		for _, e := range p.root.get("components").entries() {
			if parts := p.parts[e.name]; len(parts) > 1 {
				d := c.profile(&parts[1], (&trail{up: &trail{}, name: "components"}).key(e.name), "is defined in several files, which works since azldev 0.4", p.Profile)
				d.Related = []diag.Related{{Pos: parts[0].pos(), Message: "first defined here"}}
			}
		}
	} else {
		p.checkPlans(c)
	}
	for i := range c.diags {
		c.diags[i].Severity = diag.Warning
	}
	c.diags.Sort()
	return c.diags
}

// checkPlans reports what azldev 1.0 needs of a plan; neither earlier nor later
// versions do.
func (p *Project) checkPlans(c *checker) {
	for _, t := range p.root.get("tests").entries() {
		tmt := t.val.get("tmt")
		if tmt == nil {
			continue
		}
		at := (&trail{up: &trail{}, name: "tests"}).key(t.name).key("tmt")
		for _, path := range [][]string{{"plan"}, {"source"}, {"source", "git-url"}, {"source", "ref"}} {
			if tmt.get(path...) != nil || len(path) == 2 && tmt.get(path[0]) == nil {
				continue
			}
			d := c.missing(tmt, strings.Join(path, "."), at, "")
			d.Code, d.Message = "config/profile", fmt.Sprintf("azldev 1.0 needs the key %q%s", strings.Join(path, "."), at.in())
		}
	}
}
