package components

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
)

// IncludePins returns the text of the project's root file with the generated
// pins among its includes: first, so that what is written by hand wins. Nothing
// else changes. It returns nil when they are included already.
func (p *Project) IncludePins() ([]byte, error) {
	pattern := p.pinsPattern()
	text, list, err := p.rootIncludes()
	if err != nil {
		return nil, err
	}
	if list == nil {
		ed, diags := Edit(p.paths.display(p.File), text)
		if err := diags.Err(); err != nil {
			return nil, err
		}
		if err := ed.Set([]string{"includes"}, []string{pattern}); err != nil {
			return nil, err
		}
		return ed.Bytes(), nil
	}
	if slices.Contains(list.strings(), pattern) {
		return nil, nil
	}
	at, insert := int(list.off)+1, quoteString(pattern)
	if len(list.list) > 0 {
		insert += ","
		gap := string(text[at:list.list[0].off])
		if i := strings.LastIndexByte(gap, '\n'); i >= 0 {
			insert = "\n" + gap[i+1:] + insert
		} else {
			insert += " "
		}
	}
	return slices.Concat(text[:at], []byte(insert), text[at:]), nil
}

// DropPins returns the text of the project's root file without the generated
// pins among its includes and without a profile that asks for them; nil when
// nothing changes.
func (p *Project) DropPins() ([]byte, error) {
	pattern := p.pinsPattern()
	text, list, err := p.rootIncludes()
	if err != nil {
		return nil, err
	}
	was := text
	for i, el := range list.elements() {
		if el.str != pattern {
			continue
		}
		from, to := int(el.off), int(el.end)
		switch {
		case i+1 < len(list.list): // up to the next one, with its comma
			next := int(list.list[i+1].off)
			if gap := string(text[to:next]); !strings.Contains(gap, "#") {
				to = next
			}
		case i > 0: // back to the one before
			if prev := int(list.list[i-1].end); !strings.Contains(string(text[prev:from]), "#") {
				from = prev
			}
		}
		text = slices.Concat(text[:from], text[to:])
		break
	}
	root, _ := readDocument(&source{name: p.File, text: string(text)})
	if e := root.get("project", "specgraft").entry("profile"); e != nil && e.val.str == ProfilePins {
		ed, diags := Edit(p.paths.display(p.File), text)
		if err := diags.Err(); err != nil {
			return nil, err
		}
		if err := ed.Set([]string{"project", "specgraft", "profile"}, ProfileLocks); err != nil {
			return nil, err
		}
		text = ed.Bytes()
	}
	if bytes.Equal(was, text) {
		return nil, nil
	}
	return text, nil
}

// pinsPattern is the include of the directory of pins.
func (p *Project) pinsPattern() string {
	for _, doc := range p.documents {
		for i := range doc.includes {
			if dir, pat := splitGlob(doc.includes[i].pattern); dir == p.PinsDir && pat == "*.toml" && doc.src.path == p.File {
				return doc.includes[i].pattern.str
			}
		}
	}
	return p.Display(p.PinsDir) + "/*.toml"
}

// rootIncludes reads the project's root file and finds its includes, nil for
// none.
func (p *Project) rootIncludes() ([]byte, *value, error) {
	text, err := os.ReadFile(p.File)
	if err != nil {
		return nil, nil, err
	}
	root, diags := readDocument(&source{name: p.paths.display(p.File), text: string(text)})
	if err := diags.Err(); err != nil {
		return nil, nil, err
	}
	list := root.get("includes")
	if list != nil && list.kind != kindList {
		return nil, nil, fmt.Errorf("includes of %s is no list", p.paths.display(p.File))
	}
	return text, list, nil
}

// HandPins returns the names of the components whose upstream commit is pinned
// in a file that is not generated, sorted.
func (p *Project) HandPins() []string {
	var names []string
	for _, name := range p.Names() {
		if c, diags := p.Component(name); c != nil && !diags.HasErrors() {
			if file, generated := p.PinFile(c); file != "" && !generated {
				names = append(names, name)
			}
		}
	}
	return names
}
