package distgit

import (
	"errors"
	"io"
	"slices"
	"strings"
)

// readLocal answers a request without a process; ok is false when git has to.
// What can be asked is the name of an object, alone or with ^{tree}, ^{commit}
// or :PATH behind it.
func (r *Repo) readLocal(req string) (o object, body io.Reader, ok bool, err error) {
	if r.objects == nil {
		return o, nil, false, nil
	}
	id, path, byPath := strings.Cut(req, ":")
	want := ""
	if !byPath {
		var peel string
		if id, peel, ok = strings.Cut(req, "^"); ok {
			switch peel {
			case "{tree}":
				want = "tree"
			case "{commit}":
				want = "commit"
			default:
				return o, nil, false, nil
			}
		}
	}
	if !IsObjectID(id) {
		return o, nil, false, nil
	}
	if byPath {
		o, body, err = r.atPath(id, path)
		return o, body, true, err
	}
	o, body, err = r.objects.open(id)
	for range maxPeel {
		if err != nil || o.missing || want == "" || o.kind == want {
			return o, body, true, err
		}
		next, perr := peelOnce(o, body)
		if perr != nil || next == "" {
			return object{missing: true}, nil, true, perr
		}
		o, body, err = r.objects.open(next)
	}
	return object{missing: true}, nil, true, err
}

// maxPeel bounds how many tags lead to a tag.
const maxPeel = 20

// peelOnce returns what a tag points to, or the tree of a commit.
func peelOnce(o object, body io.Reader) (string, error) {
	if o.kind != "tag" && o.kind != "commit" {
		return "", nil
	}
	data, err := o.read(body, maxCommit)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	key, id, _ := strings.Cut(line, " ")
	if key != "object" && key != "tree" || !IsObjectID(id) {
		return "", nil
	}
	return id, nil
}

// atPath reads what is at a path in a commit or tree.
func (r *Repo) atPath(id, path string) (object, io.Reader, error) {
	o, body, ok, err := r.readLocal(id + "^{tree}")
	for name := range strings.SplitSeq(path, "/") {
		if err != nil || !ok || o.missing || o.kind != "tree" {
			return object{missing: true}, nil, err
		}
		t, cached := r.trees[o.id]
		if !cached {
			if len(r.trees) > maxCachedTrees {
				clear(r.trees)
			}
			if t, err = r.keepTree(o, body); err != nil {
				return o, nil, err
			}
		}
		i := slices.IndexFunc(t, func(e TreeEntry) bool { return e.Name == name })
		if i < 0 {
			return object{missing: true}, nil, nil
		}
		o, body, err = r.objects.open(t[i].ID)
	}
	return o, body, err
}

// useLocal opens the repository's objects for reading without a process, once.
func (r *Repo) useLocal() error {
	if r.objects != nil || r.foreign || r.batch != nil {
		return nil
	}
	s, err := openObjects(r.at)
	if errors.Is(err, errForeign) {
		r.foreign = true
		return nil
	}
	r.objects = s
	return err
}

// Another opens the repository once more, so that two need not wait for each
// other; what one of them has read the other has not. It is false where git itself
// reads the repository: there is one process for all.
func (r *Repo) Another() (*Repo, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.useLocal() != nil || r.objects == nil {
		return nil, false
	}
	objects, err := r.objects.again()
	if err != nil {
		return nil, false
	}
	a := newRepo(r.ctx, r.git, r.at)
	a.objects = objects
	return a, true
}

// again opens the same packs for another reader, with the indexes that are in
// memory already.
func (s *objectStore) again() (*objectStore, error) {
	a := &objectStore{dir: s.dir, names: s.names, bases: map[baseKey][]byte{}, kinds: map[baseKey]string{}}
	for _, p := range s.packs {
		q, err := p.again()
		if err != nil {
			a.close()
			return nil, err
		}
		a.packs = append(a.packs, q)
	}
	return a, nil
}
