package components

// The profiles: the states of azldev's format that a project can be in.
const (
	ProfileOld   = "azldev-0.2"                  // lock files, each component in one file, test suites
	ProfileLocks = "azldev-1.0"                  // lock files, components in several files, tests
	ProfilePins  = "azldev-1.0-without-lockfile" // generated pins instead of lock files
)

// Profiles lists the names of all profiles.
var Profiles = []string{ProfileOld, ProfileLocks, ProfilePins}

// walkKeys calls f for each key that a version of azldev does not know.
func walkKeys(v *value, k *Key, at *trail, f func(e *entry, k *Key, at *trail)) {
	if !versioned(k) {
		return
	}
	switch {
	case v.kind == kindTable && k.Type == Map:
		for i := range v.keys {
			walkKeys(v.keys[i].val, k.Elem, at.key(v.keys[i].name), f)
		}
	case v.kind == kindTable && k.Type == Table:
		for i := range v.keys {
			e := &v.keys[i]
			sub := k.find(e.name)
			if sub == nil {
				continue
			}
			if sub.Since != "" || sub.Until != "" {
				f(e, sub, at.key(e.name))
			}
			walkKeys(e.val, sub, at.key(e.name), f)
		}
	case v.kind == kindList && k.Type == List:
		for i, el := range v.list {
			walkKeys(el, k.Elem, &trail{up: at, index: i}, f)
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
