package lsp

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/overlay/diag"
	"specgraft/render/editor"
)

// all returns the sessions by their directories.
func (s *Server) all() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*session
	for _, ses := range s.sessions {
		all = append(all, ses)
	}
	slices.SortFunc(all, func(a, b *session) int { return strings.Compare(a.Dir, b.Dir) })
	return all
}

// known reports whether a project has a component of a name.
func known(snap *editor.Snapshot, name string) bool {
	return snap.Project != nil && slices.Contains(snap.Project.Names(), name)
}

// named returns the project that a component belongs to. A name is the component's
// own, or, as several folders may have one of the same name, the URI of the
// project's folder, # and the name.
func (s *Server) named(name string) (*editor.Snapshot, string, error) {
	folder := ""
	if uri, fragment, ok := strings.Cut(name, "#"); ok && strings.HasPrefix(uri, "file:") {
		var err error
		if folder, name = uriPath(uri), ""; folder != "" {
			name, err = url.PathUnescape(fragment)
		}
		if err != nil || name == "" {
			return nil, "", fmt.Errorf("%q is not the URI of a folder, # and a component", uri+"#"+fragment)
		}
	}
	var found []*editor.Snapshot
	var names []string
	for _, ses := range s.all() {
		if folder != "" && filepath.Clean(ses.Dir) != folder {
			continue
		}
		if snap := ses.Snapshot(); known(snap, name) {
			found = append(found, snap)
		} else if snap.Project != nil {
			names = append(names, snap.Project.Names()...)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], name, nil
	case len(found) > 1:
		return nil, "", fmt.Errorf("%d folders have a component %q; say which one, as in %q", len(found), name, qualify(found[0], name))
	case folder != "" && names == nil:
		return nil, "", fmt.Errorf("no project is open in %s", pathURI(folder))
	}
	if n := diag.Nearest(name, names); n != "" {
		return nil, "", fmt.Errorf("there is no component %q; did you mean %q?", name, n)
	}
	return nil, "", fmt.Errorf("there is no component %q", name)
}

// qualify returns the name of a component with its folder in front.
func qualify(snap *editor.Snapshot, name string) string {
	return pathURI(snap.Dir) + "#" + url.PathEscape(name)
}

// args makes the arguments of a command ones that mean the project they come
// from: the first is the name of a component.
func (s *Server) args(snap *editor.Snapshot, args []any) []any {
	if len(args) == 0 {
		return args
	}
	name, ok := args[0].(string)
	if !ok || !s.elsewhere(snap, name) {
		return args
	}
	args = slices.Clone(args)
	args[0] = qualify(snap, name)
	return args
}

// elsewhere reports whether another folder has a component of that name, too.
func (s *Server) elsewhere(snap *editor.Snapshot, name string) bool {
	for _, ses := range s.all() {
		if ses.Session != snap.Session && known(ses.Snapshot(), name) {
			return true
		}
	}
	return false
}

// folderQuery stands in front of the URI of a folder, which ends the URI of a
// document.
const folderQuery = "?folder="

// documentURI returns the URI of a document that is no file, with the folder
// where another one has a component of the same name.
func (s *Server) documentURI(snap *editor.Snapshot, uri, name string) string {
	if !s.elsewhere(snap, name) {
		return uri
	}
	return uri + folderQuery + pathURI(snap.Dir)
}
