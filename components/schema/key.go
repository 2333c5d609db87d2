package schema

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"specgraft/components/toml"
)

// A Type is the TOML type of a key.
type Type uint8

// The types of keys.
const (
	String Type = iota + 1
	Bool
	Int
	List   // of Elem
	Table  // with Keys
	Map    // a table with free key names, each value an Elem
	Branch // a string or an integer
)

// Merge says what happens when two layers or two files give the same key.
type Merge uint8

// The merge rules of the project format. A value that counts as not given
// (false, 0, "" or an empty list) never wins over an earlier one, except where
// the rule says so.
const (
	MergeLast    Merge = iota // the later value wins; tables and maps merge key by key
	MergeAppend               // lists are joined, earlier elements first
	MergePresent              // the later value wins even when it is empty
	MergeWhole                // a later table replaces the earlier one as a whole
	MergeUnique               // a second definition is an error
)

// A Key describes one key of the project format. This table drives decoding,
// validation, merging, the JSON schema and the reference documentation.
type Key struct {
	Name  string // "" for the element of a list or map
	Type  Type
	Help  string // one sentence
	Keys  []Key  // of a Table
	Elem  *Key   // of a List or Map
	Merge Merge

	Enum     []Choice // allowed values of a string
	Format   *Format  // form of a string
	Required bool     // must be given and not be empty
	Filled   bool     // when given, a string must not be blank and a list not be empty
	Path     bool     // relative to the directory of the file it stands in
	Macros   bool     // text of a template that may hold macros; otherwise it is data
	Ext      bool     // extension of specgraft, unknown to azldev
	Since    string   // version of azldev that first knows it, "" for before 0.3; "later" for after 1.0
	Until    string   // version of azldev that no longer knows it
	Open     bool     // a Table that may have other keys, which are kept as they are
	Late     bool     // of a component's Table: Rules hold for what all files together say
	Default  string   // what an absent key means, for documentation
	What     string   // what the entries of a Map are called: "component"
	NameRule *Format  // form of the key names of a Map
	Rules    []Rule   // of a Table: which keys need or exclude each other
	// Check does what the other fields cannot express. The table has passed
	// them.
	Check func(c *Checker, t *toml.Value, at *Trail)
	// ops marks the element of an overlay list: its keys depend on its type.
	ops bool
}

// A Choice is one allowed value.
type Choice struct {
	Value string
	Help  string
	Ext   bool // extension of specgraft
}

// A Format is a named form of string. The pattern is what a JSON schema can
// check, the function what the loader checks.
type Format struct {
	What    string // completes "must be ..."
	Pattern string // regular expression, RE2 and ECMAScript alike
	Except  []string
	ok      func(string) bool
}

// A Rule ties keys of one table together: when the condition holds, the
// needed keys must be given and the forbidden ones must not.
type Rule struct {
	Key    string   // the condition looks at this key; "" is always
	Is     []string // and holds when its value is one of these; nil is any value that counts as given
	Not    bool     // the condition is reversed
	Need   []string
	Forbid []string
}

const repoNameBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-"

// The forms of strings.
var (
	commitFormat = &Format{What: "7 to 40 hexadecimal digits", Pattern: `^[0-9a-fA-F]{7,40}$`, ok: func(s string) bool {
		return len(s) >= 7 && len(s) <= 40 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
	}}
	refFormat = &Format{What: "a full commit hash of 40 hexadecimal digits", Pattern: `^[0-9a-fA-F]{40}$`, ok: func(s string) bool {
		return len(s) == 40 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
	}}
	suffixFormat = &Format{What: "a dot and letters, digits or any of . _ + ~ ^", Pattern: `^\.[A-Za-z0-9._+~^]*[A-Za-z0-9]$`, ok: func(s string) bool {
		return len(s) > 1 && s[0] == '.' && isAlnum(s[len(s)-1]) && versionText(s) && !strings.Contains(s, "..")
	}}
	evrFormat = &Format{What: "[EPOCH:]VERSION-RELEASE", Pattern: `^([0-9]+:)?[A-Za-z0-9._+~^]+-[A-Za-z0-9._+~^]+$`, ok: func(s string) bool {
		if epoch, rest, ok := strings.Cut(s, ":"); ok {
			if epoch == "" || strings.Trim(epoch, "0123456789") != "" {
				return false
			}
			s = rest
		}
		version, release, ok := strings.Cut(s, "-")
		return ok && versionText(version) && versionText(release)
	}}
	FileNameFormat = &Format{What: "a plain ASCII file name without blanks, slashes and backslashes",
		Pattern: `^[!-.0-\[\]-~]+$`, Except: []string{".", ".."}, ok: PlainFileName}
	channelFormat = &Format{What: `a channel name other than "." and "..", without slashes and backslashes`,
		Pattern: `^[^/\\]*$`, Except: []string{".", ".."}, ok: func(s string) bool {
			return s != "." && s != ".." && !strings.ContainsAny(s, `/\`)
		}}
	uriFormat = &Format{What: "a URI with a scheme, such as https://", Pattern: `^[A-Za-z][A-Za-z0-9+.-]*:`, ok: func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Scheme != ""
	}}
	httpFormat = &Format{What: "an http or https URL with a host", Pattern: `^[hH][tT][tT][pP][sS]?://[^/]`, ok: func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	}}
	dayFormat = &Format{What: "a day such as 2026-12-31", Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, ok: func(s string) bool {
		_, err := time.Parse(time.DateOnly, s)
		return err == nil
	}}
	repoNameFormat = &Format{What: "letters, digits and _ . : - only, beginning with a letter or digit", Pattern: `^[A-Za-z0-9][A-Za-z0-9_.:-]*$`, ok: func(s string) bool {
		return s != "" && !strings.ContainsRune("_.:-", rune(s[0])) && strings.Trim(s, repoNameBytes) == ""
	}}
	subPathFormat = &Format{What: `a relative path without "..", "?" and "#"`, Pattern: `^[^/?#][^?#]*$`, ok: func(s string) bool {
		if s == "" || strings.HasPrefix(s, "/") || strings.ContainsAny(s, "?#") {
			return false
		}
		for part := range strings.SplitSeq(s, "/") {
			if part == ".." {
				return false
			}
		}
		return true
	}}
)

// plainName allows more than plainFileName: tests have names that people read.
var plainNameFormat = &Format{What: `a plain file name, without slashes and backslashes`,
	Pattern: `^[^/\\\x00]+$`, Except: []string{".", ".."}, ok: func(s string) bool {
		return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\\\x00")
	}}

// PlainFileName is the rule for names that become file names.
func PlainFileName(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '/' || c == '\\' {
			return false
		}
	}
	return true
}

// Find returns the key of a name in a table of keys.
func (k *Key) Find(name string) *Key {
	for i := range k.Keys {
		if k.Keys[i].Name == name {
			return &k.Keys[i]
		}
	}
	return nil
}

// typeName says in the user's words what the value of a key looks like.
func (k *Key) typeName() string {
	switch k.Type {
	case String:
		return "a string"
	case Bool:
		return "true or false"
	case Int:
		return "an integer"
	case Branch:
		return "a string or an integer"
	case List:
		switch k.Elem.Type {
		case String:
			return "a list of strings"
		case Table:
			return "a list of tables"
		}
		return "a list"
	}
	return "a table"
}

func (k *Key) Accepts(v *toml.Value) bool {
	switch k.Type {
	case String:
		return v.Kind == toml.KindString
	case Bool:
		return v.Kind == toml.KindBool
	case Int:
		return v.Kind == toml.KindInt
	case Branch:
		return v.Kind == toml.KindString || v.Kind == toml.KindInt
	case List:
		return v.Kind == toml.KindList
	}
	return v.Kind == toml.KindTable
}

func choices(list []Choice) []string {
	names := make([]string, 0, len(list))
	for _, c := range list {
		if c.Value != "" {
			names = append(names, c.Value)
		}
	}
	return names
}

// quoted joins names for a message: "a", "b" or "c".
func quoted(names []string, last string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(last)
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", n)
	}
	return b.String()
}

// versionText reports whether a text is made of what versions and releases may
// have.
func versionText(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && !strings.ContainsRune("._+~^", rune(s[i])) {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
