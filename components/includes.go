package components

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"specgraft/components/edit"
	"specgraft/components/schema"
	"specgraft/components/toml"
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
		ed, diags := edit.Edit(p.paths.display(p.File), text)
		if err := diags.Err(); err != nil {
			return nil, err
		}
		if err := ed.Set([]string{"includes"}, []string{pattern}); err != nil {
			return nil, err
		}
		return ed.Bytes(), nil
	}
	if slices.Contains(list.Strings(), pattern) {
		return nil, nil
	}
	at, insert := int(list.Off)+1, toml.QuoteString(pattern)
	if len(list.List) > 0 {
		insert += ","
		gap := string(text[at:list.List[0].Off])
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
	for i, el := range list.Elements() {
		if el.Str != pattern {
			continue
		}
		from, to := int(el.Off), int(el.End)
		switch {
		case i+1 < len(list.List): // up to the next one, with its comma
			next := int(list.List[i+1].Off)
			if gap := string(text[to:next]); !strings.Contains(gap, "#") {
				to = next
			}
		case i > 0: // back to the one before
			if prev := int(list.List[i-1].End); !strings.Contains(string(text[prev:from]), "#") {
				from = prev
			}
		}
		text = slices.Concat(text[:from], text[to:])
		break
	}
	root, _ := toml.Read(&toml.Source{Name: p.File, Text: string(text)})
	if e := root.Get("project", "specgraft").Entry("profile"); e != nil && e.Val.Str == schema.ProfilePins {
		ed, diags := edit.Edit(p.paths.display(p.File), text)
		if err := diags.Err(); err != nil {
			return nil, err
		}
		if err := ed.Set([]string{"project", "specgraft", "profile"}, schema.ProfileLocks); err != nil {
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
			if dir, pat := splitGlob(doc.includes[i].pattern); dir == p.PinsDir && pat == "*.toml" && doc.src.Path == p.File {
				return doc.includes[i].pattern.Str
			}
		}
	}
	return p.Display(p.PinsDir) + "/*.toml"
}

// rootIncludes reads the project's root file and finds its includes, nil for
// none.
func (p *Project) rootIncludes() ([]byte, *toml.Value, error) {
	text, err := os.ReadFile(p.File)
	if err != nil {
		return nil, nil, err
	}
	root, diags := toml.Read(&toml.Source{Name: p.paths.display(p.File), Text: string(text)})
	if err := diags.Err(); err != nil {
		return nil, nil, err
	}
	list := root.Get("includes")
	if list != nil && list.Kind != toml.KindList {
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
