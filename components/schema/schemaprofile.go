package schema

import "specgraft/components/toml"

// The profiles: the states of azldev's format that a project can be in.
const (
	ProfileOld   = "azldev-0.2"                  // lock files, each component in one file, test suites
	ProfileLocks = "azldev-1.0"                  // lock files, components in several files, tests
	ProfilePins  = "azldev-1.0-without-lockfile" // generated pins instead of lock files
)

// Profiles lists the names of all profiles.
var Profiles = []string{ProfileOld, ProfileLocks, ProfilePins}

// WalkKeys calls f for each key that a version of azldev does not know.
func WalkKeys(v *toml.Value, k *Key, at *Trail, f func(e *toml.Entry, k *Key, at *Trail)) {
	if !versioned(k) {
		return
	}
	switch {
	case v.Kind == toml.KindTable && k.Type == Map:
		for i := range v.Keys {
			WalkKeys(v.Keys[i].Val, k.Elem, at.Key(v.Keys[i].Name), f)
		}
	case v.Kind == toml.KindTable && k.Type == Table:
		for i := range v.Keys {
			e := &v.Keys[i]
			sub := k.Find(e.Name)
			if sub == nil {
				continue
			}
			if sub.Since != "" || sub.Until != "" {
				f(e, sub, at.Key(e.Name))
			}
			WalkKeys(e.Val, sub, at.Key(e.Name), f)
		}
	case v.Kind == toml.KindList && k.Type == List:
		for i, el := range v.List {
			WalkKeys(el, k.Elem, &Trail{Up: at, index: i}, f)
		}
	}
}

// versioned reports whether a key has others below it that not all versions
// of azldev know. Overlays, of which there are many, have none.
func versioned(k *Key) bool {
	if k == nil || k.ops {
		return false
	}
	if versioned(k.Elem) {
		return true
	}
	for i := range k.Keys {
		if sub := &k.Keys[i]; sub.Since != "" || sub.Until != "" || versioned(sub) {
			return true
		}
	}
	return false
}
